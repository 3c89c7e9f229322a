package main_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/testpki"
)

// row is what these tests read of ftsca list --json.
type row struct {
	Name       string
	Generation int
	Purpose    string
	Serial     string
	State      string
	Packages   []string
}

// operator runs ftsca on one store, as a person would.
type operator struct {
	t     testing.TB
	store string
}

func newOperator(t testing.TB) operator {
	t.Helper()
	o := operator{t: t, store: filepath.Join(t.TempDir(), "pki")}
	o.must("init", "--name", "Valley Rescue CA", "--no-passphrase", "--key", "ecdsa-p256")
	return o
}

func (o operator) command(args ...string) *exec.Cmd {
	cmd := exec.Command("ftsca", args...)
	cmd.Env = append(os.Environ(), "FTSCA_STORE="+o.store, "GORACE=atexit_sleep_ms=0")
	return cmd
}

func (o operator) run(args ...string) (stdout, stderr string, err error) {
	cmd := o.command(args...)
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	err = cmd.Run()
	return out.String(), talk.String(), err
}

func (o operator) must(args ...string) string {
	o.t.Helper()
	out, talk, err := o.run(args...)
	if err != nil {
		o.t.Fatalf("ftsca %s: %v\n%s", strings.Join(args, " "), err, talk)
	}
	return out
}

// killed runs a command, kills it at a random moment within a time, and returns what it had said by then.
func (o operator) killed(within time.Duration, args ...string) string {
	o.t.Helper()
	cmd := o.command(args...)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	time.Sleep(rand.N(within + within/4))
	cmd.Process.Kill()
	cmd.Wait()
	return out.String()
}

func (o operator) issue(name string) []string {
	return []string{"issue", "client", name, "--host", "h.example.org", "--key", "ecdsa-p256"}
}

func (o operator) list() []row {
	o.t.Helper()
	var rows []row
	if err := json.Unmarshal([]byte(o.must("list", "--json")), &rows); err != nil {
		o.t.Fatal(err)
	}
	return rows
}

// whole checks that the store is whole: each certificate has its file, its line and its package, each authority its key
// and its revocation list, and there is nothing that none of them accounts for.
func (o operator) whole() []row {
	o.t.Helper()
	lacks := o.bundle()
	rows := o.list()
	if lacks != nil && o.authorities().Current != nil { // before there is an authority, ca.pem is empty
		o.t.Error(lacks)
	}
	lines, err := os.ReadFile(filepath.Join(o.store, "endpoint", "issued.jsonl"))
	if err != nil {
		o.t.Fatal(err)
	}
	owned := map[string]bool{}
	for _, r := range rows {
		owned[filepath.Join("authority", "issued", r.Serial+".pem")] = true
		want := 1
		if r.Purpose != "client" && r.Purpose != "server" {
			want = 0
		}
		if n := bytes.Count(lines, []byte(r.Serial)); n != want {
			o.t.Errorf("%s#%d stands %d times in issued.jsonl", r.Name, r.Generation, n)
		}
		for _, name := range r.Packages {
			owned[filepath.Join("clientPackages", name)] = true
		}
	}
	for _, name := range o.authorityFiles() {
		owned[name] = true
	}
	have := map[string]bool{}
	for _, name := range o.files() {
		have[name] = true
		dir, base := filepath.Split(name)
		pkg := strings.TrimSuffix(name, ".password.txt") + ".zip"
		switch {
		case strings.HasPrefix(base, ".") && base != ".FTS_CRL.last" && base != ".transfer.json":
			o.t.Errorf("%s is left over", name)
		case dir == filepath.Join("authority", "runs")+"/":
			o.t.Errorf("%s is left of a process that has ended", name)
		case owned[name] || strings.HasSuffix(base, ".password.txt") && owned[pkg]:
		case strings.HasPrefix(dir, "clientPackages"), strings.HasSuffix(base, ".key") && dir != "endpoint/", strings.HasSuffix(base, ".csr") && dir != "endpoint/",
			strings.Contains(dir, "issued"):
			o.t.Errorf("there is %s, which nothing on record accounts for", name)
		}
	}
	for name := range owned {
		if !have[name] {
			o.t.Errorf("%s is on record and not there", name)
		}
	}
	o.must("audit")
	return rows
}

// files returns the paths of all files in the store, relative to it.
func (o operator) files() []string {
	o.t.Helper()
	var names []string
	err := filepath.WalkDir(o.store, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(o.store, path)
		names = append(names, name)
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return names
}

// authorityFiles returns the files that the ledger's authorities account for, and checks that what is published of them
// is what the ledger has.
func (o operator) authorityFiles() []string {
	o.t.Helper()
	s, err := store.Open(o.store, store.Options{Now: time.Now})
	if err != nil {
		o.t.Fatal(err)
	}
	a, err := s.Authorities(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	bundle, err := os.ReadFile(filepath.Join(o.store, "endpoint", "ca.pem"))
	if err != nil {
		o.t.Fatal(err)
	}
	var names []string
	for _, cert := range a.All() {
		if a.HasKey(cert) {
			names = append(names, filepath.Join("authority", filepath.Base(s.KeyFile(a, cert))))
		}
		list, err := s.SignedList(o.t.Context(), cert)
		switch {
		case err != nil:
			o.t.Fatal(err)
		case len(list) == 0:
			o.t.Errorf("the authority %q has no revocation list", cert.Subject.CommonName)
		}
		if one := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}); !bytes.Contains(bundle, one) || !bytes.Contains(bundle, list) {
			o.t.Errorf("ca.pem lacks what is on record of %q", cert.Subject.CommonName)
		}
	}
	if p := a.Pending; p != nil {
		names = append(names, filepath.Join("authority", filepath.Base(s.PendingKeyFile(p))), filepath.Join("authority", "ca.csr"))
	}
	return names
}

func TestIssueKilledAtAnyMomentLeavesACertificateWholeOrNone(t *testing.T) {
	o := newOperator(t)
	start := time.Now()
	o.must(o.issue("measure")...)
	took := time.Since(start)
	announced := map[string]bool{}
	for i := range 40 {
		name := fmt.Sprintf("client-%d", i)
		announced[name] = strings.Contains(o.killed(took, o.issue(name)...), "issued")
	}
	// The next command that issues completes or removes what the kills left.
	o.must(o.issue("last")...)
	rows := o.whole()
	recorded := map[string]bool{}
	for _, r := range rows {
		recorded[r.Name] = true
	}
	for name, said := range announced {
		if said && !recorded[name] {
			t.Errorf("%s was announced and is not on record", name)
		}
		if !recorded[name] {
			// A name that led to nothing is free.
			o.must(o.issue(name)...)
		}
	}
	o.whole()
	t.Logf("%d of %d were issued before they were killed", len(rows)-3, len(announced))
}

func TestInitKilledAtAnyMomentLeavesAStoreWholeOrNone(t *testing.T) {
	dir := t.TempDir()
	o := operator{t: t, store: filepath.Join(dir, "pki")}
	found := []string{"init", "--name", "Valley Rescue CA", "--no-passphrase", "--key", "ecdsa-p256"}
	start := time.Now()
	o.must(found...)
	took := time.Since(start)
	for range 25 {
		if err := os.RemoveAll(o.store); err != nil {
			t.Fatal(err)
		}
		o.killed(took, found...)
		if _, err := os.Stat(o.store); err == nil {
			o.whole()
			continue
		}
		o.must(found...)
		left, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) != 1 {
			t.Fatalf("the killed founding left %v", left)
		}
	}
}

func TestRevokeKilledAtAnyMomentLeavesAListThatReads(t *testing.T) {
	o := newOperator(t)
	start := time.Now()
	o.must("revoke", "--serial", "AA")
	took := time.Since(start)
	said := 0
	for i := range 30 {
		out := o.killed(took, "revoke", "--serial", fmt.Sprintf("BB%02X", i))
		data, err := os.ReadFile(filepath.Join(o.store, "endpoint", "FTS_CRL.json"))
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) {
			t.Fatalf("the list is half-written: %s", data)
		}
		if strings.Contains(out, "revoked") {
			said++
			if !bytes.Contains(bytes.ToUpper(data), fmt.Appendf(nil, "BB%02X", i)) {
				t.Errorf("serial BB%02X was announced as revoked and is not on the list", i)
			}
		}
	}
	o.must("crl", "sign")
	o.whole()
	t.Logf("%d of 30 were announced before they were killed", said)
}

// bundle reads ca.pem as a server does at a connection, without a command before that would mend it, and tells what it
// lacks: each authority in it has to have a whole list, and nothing else may be there.
func (o operator) bundle() error {
	data, err := os.ReadFile(o.bundleFile())
	if err != nil {
		return err
	}
	return lacking(data)
}

func (o operator) bundleFile() string { return filepath.Join(o.store, "endpoint", "ca.pem") }

// lacking tells what a ca.pem lacks.
func lacking(data []byte) error {
	var authorities []*x509.Certificate
	lists, rest := 0, data
	for block, after := pem.Decode(rest); block != nil; block, after = pem.Decode(rest) {
		rest = after
		if block.Type == "CERTIFICATE" {
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return err
			}
			authorities = append(authorities, c)
			continue
		}
		list, err := crl.ParseX509(block.Bytes)
		if err != nil {
			return err
		}
		for _, c := range authorities {
			if list.CheckSignature(c) == nil {
				lists++
			}
		}
	}
	if len(authorities) == 0 || lists < len(authorities) || len(rest) > 0 {
		return fmt.Errorf("ca.pem of %d octets has %d authorities, %d lists and %d octets that are neither", len(data), len(authorities), lists, len(rest))
	}
	return nil
}

func TestServersReadAWholeBundleWhileItIsSignedAndKilled(t *testing.T) {
	o := newOperator(t)
	add := []string{"crl", "add"}
	for i := range 5000 {
		add = append(add, fmt.Sprintf("AA%04X", i))
	}
	o.must(add...)
	start := time.Now()
	o.must("crl", "sign")
	took := time.Since(start)
	done, read := make(chan struct{}), 0
	var reading sync.WaitGroup
	reading.Go(func() {
		for last := []byte(nil); ; read++ {
			data, err := os.ReadFile(o.bundleFile())
			if err == nil && !bytes.Equal(data, last) {
				err, last = lacking(data), data
			}
			if err != nil {
				t.Error(err)
				return
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for range 10 {
		o.killed(took, "crl", "sign")
		o.run("crl", "sign")
	}
	close(done)
	reading.Wait()
	o.whole()
	t.Logf("it was read %d times", read)
}

func TestTenCommandsAtOnceLoseNothing(t *testing.T) {
	o := newOperator(t)
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() {
			// Ten names of their own, and ten that all want the same one.
			name := "same"
			if i < 10 {
				name = fmt.Sprintf("client-%d", i)
			}
			// On a busy machine the last one's turn comes late.
			_, talk, err := o.run(append(o.issue(name), "--lock-wait", "2m")...)
			if err != nil {
				errs[i] = fmt.Errorf("%w: %s", err, talk)
			}
		})
	}
	for i := range 10 {
		wg.Go(func() {
			// It waits for the lock no longer than an incident may, and says what it left undone.
			_, talk, err := o.run("revoke", "--serial", fmt.Sprintf("CC%02X", i))
			if err != nil && !strings.Contains(talk, "the revocation is in force, but: ") {
				t.Errorf("revoke: %v: %s", err, talk)
			}
		})
	}
	wg.Wait()
	for i, err := range errs[:10] {
		if err != nil {
			t.Errorf("client-%d: %v", i, err)
		}
	}
	winners := 0
	for _, err := range errs[10:] {
		if err == nil {
			winners++
		} else if !strings.Contains(err.Error(), `the name "same" is`) {
			t.Errorf("a loser was told: %v", err)
		}
	}
	if winners != 1 {
		t.Errorf("%d of ten commands got the same name", winners)
	}
	if rows := o.whole(); len(rows) != 12 {
		t.Errorf("%d certificates on record, want the authority's and 11", len(rows))
	}
	list, err := os.ReadFile(filepath.Join(o.store, "endpoint", "FTS_CRL.json"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(list, []byte("serial_number")); n != 10 {
		t.Errorf("%d revocations on the list, want 10", n)
	}
}

func TestFullDiskLosesNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		testpki.Lack(t, "a limit on file sizes, which stands in for the full disk")
	}
	o := newOperator(t)
	o.must(o.issue("alice")...)
	o.must("revoke", "--serial", "AA01")
	before := o.whole()
	// Nothing can be written beyond the first block of any file: what a full disk does, for any user. The shell's limit
	// is in blocks of 512 or 1024 bytes.
	limited := func(args ...string) (string, error) {
		ftsca, err := exec.LookPath("ftsca")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", append([]string{"-c", `ulimit -f 1; exec "$0" "$@"`, ftsca}, args...)...)
		cmd.Env = append(os.Environ(), "FTSCA_STORE="+o.store, "GORACE=atexit_sleep_ms=0")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := limited(o.issue("bob")...)
	if err == nil || strings.Contains(out, "issued ") {
		t.Errorf("a certificate was issued onto a full disk: %s", out)
	}
	for _, r := range o.whole() {
		if r.Name == "bob" {
			t.Error("bob is on record")
		}
	}
	if after := o.list(); len(after) != len(before) {
		t.Errorf("%d certificates after the failure, %d before it", len(after), len(before))
	}
	// With room again, all goes on.
	o.must(o.issue("bob")...)
	o.must("revoke", "bob")
	o.whole()
}
