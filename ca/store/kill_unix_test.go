//go:build unix

package store_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/testchild"
)

// act is what a victim does with a store.
type act struct {
	Dir     string
	Cert    []byte         // installed, unless it is empty
	Lists   [][]byte       // with it
	Pending *store.Pending // awaited, where nothing is installed
	Key     []byte
}

func TestMain(m *testing.M) { testchild.Main(m, act.do) }

func (a act) do() error {
	s, err := store.Open(a.Dir, store.Options{Now: func() time.Time { return begun }})
	if err != nil {
		return err
	}
	os.Stdout.WriteString("it begins\n")
	if len(a.Cert) == 0 {
		err = s.Await(context.Background(), *a.Pending, a.Key)
	} else {
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(a.Cert); err != nil {
			return err
		}
		i := store.Installation{Certificate: cert, Purpose: ca.Single, Key: a.Key}
		for _, list := range a.Lists {
			i.Lists = append(i.Lists, store.SignedList{Authority: cert, PEM: list})
		}
		err = s.Install(context.Background(), i)
	}
	os.Stdout.WriteString("it is done\n")
	return err
}

// kill has a victim at its act for a while, and tells how long the act took where it came to its end.
func kill(t *testing.T, a act, after time.Duration) (took time.Duration) {
	t.Helper()
	cmd := testchild.Command(t, a)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "it begins" {
		t.Errorf("the victim said %q", lines.Text())
	}
	start := time.Now()
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if lines.Scan() {
		took = time.Since(start)
	}
	_ = cmd.Wait() // killed, most often
	return took
}

func TestAKillLeavesNoKeyWithoutItsEntryAndNoEntryWithoutItsKey(t *testing.T) {
	t.Parallel()
	one, two := founded(t, ca.Single, "One", nil), founded(t, ca.Single, "Two", nil)
	root := founded(t, ca.Root, "Root", nil)
	below := founded(t, ca.Issuing, "Below", root)
	pending := two.request(t, "Two")
	pristine := newHouse(t, one.key, store.Founding{Authorities: []store.Founder{one.founder(t, ca.Single)}})
	tiered := newHouse(t, below.key, store.Founding{Authorities: []store.Founder{below.founder(t, ca.Issuing), root.founder(t, ca.Root)}})
	scenes := []struct {
		name  string
		from  *desk
		act   act
		known func(store.Authorities) bool
	}{
		{"a rollover", pristine, act{Cert: two.cert.Raw, Lists: [][]byte{two.list(t, begun).PEM}, Key: two.file},
			func(a store.Authorities) bool { return a.Current.Equal(two.cert) }},
		{"a request for a new key", tiered, act{Pending: &pending, Key: two.file},
			func(a store.Authorities) bool { return a.Pending != nil && a.Pending.KeyID == two.id() }},
	}
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			t.Parallel()
			copied := func() *desk {
				d := &desk{t: t, dir: filepath.Join(t.TempDir(), "pki"), now: begun, key: scene.from.key}
				if err := os.CopyFS(d.dir, os.DirFS(scene.from.dir)); err != nil {
					t.Fatal(err)
				}
				return d
			}
			whole := copied()
			scene.act.Dir = whole.dir
			took := kill(t, scene.act, time.Minute)
			if took == 0 {
				t.Fatal("the act does not come to its end")
			}
			const kills = 20
			for n := range kills {
				d := copied()
				scene.act.Dir = d.dir
				kill(t, scene.act, took*time.Duration(n)/kills)
				d.mustBeWhole(two, scene.known)
			}
		})
	}
}

// mustBeWhole opens a store as the next command does, and checks that the key of an authority is there if, and only if,
// the ledger knows it.
func (d *desk) mustBeWhole(p *party, known func(store.Authorities) bool) {
	d.t.Helper()
	s, err := store.Open(d.dir, d.options())
	if err != nil {
		d.t.Fatal(err)
	}
	d.Store = s
	// Without a Recover before: the next command opens the key first of all.
	before := d.authorities()
	file := store.KeyFileName(p.id())
	if known(before) != slices.Contains(d.files("authority"), file) {
		d.t.Errorf("the ledger knows the authority: %v, and its key is among %q", known(before), d.files("authority"))
	}
	if before.HasKey(p.cert) != (known(before) && before.Pending == nil) {
		d.t.Errorf("the authorities are %+v", before)
	}
	if err := d.Recover(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	after := d.authorities()
	if known(after) != known(before) || known(after) != slices.Contains(d.files("authority"), file) {
		d.t.Errorf("after the recovery the ledger knows the authority: %v, and its key is among %q", known(after), d.files("authority"))
	}
	if _, err := d.Audit(d.t.Context()); err != nil {
		d.t.Error(err)
	}
	for _, room := range []string{"authority", "authority/issued", "authority/runs", "endpoint"} {
		for _, name := range d.files(room) {
			if strings.HasSuffix(name, ".staged") || strings.HasSuffix(name, ".tmp") || room == "authority/runs" && name != "" {
				d.t.Errorf("%s is left in %s", name, room)
			}
		}
	}
	var want []string
	for _, c := range after.All() {
		want = append(want, c.Subject.CommonName)
	}
	for _, c := range after.All() {
		want = append(want, "list of "+c.Subject.CommonName+" (0)")
	}
	d.mustPublish(strings.Join(want, ", "))
}

// unplace takes a store back to the moment when the ledger has a certificate with its files, and they are still staged.
func (d *desk) unplace(run, serial string, files map[string]string) {
	d.t.Helper()
	type staged struct {
		Room string `json:"room"`
		Name string `json:"name"`
		Sum  string `json:"sha256"`
	}
	promise := struct {
		Run     string   `json:"run"`
		Serial  string   `json:"serial"`
		Publish bool     `json:"publish"`
		Files   []staged `json:"files"`
	}{Run: run, Serial: serial, Publish: true}
	for name, room := range files {
		sum := sha256.Sum256(d.read(filepath.Join(room, name)))
		promise.Files = append(promise.Files, staged{room, name, hex.EncodeToString(sum[:])})
		if err := os.Rename(filepath.Join(d.dir, room, name), filepath.Join(d.dir, room, "."+name+"."+run+".staged")); err != nil {
			d.t.Fatal(err)
		}
	}
	data, err := json.Marshal(promise)
	if err != nil {
		d.t.Fatal(err)
	}
	db, err := bbolt.Open(filepath.Join(d.dir, "authority/ledger.db"), 0o600, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("staged")).Put([]byte(serial), data) }); err != nil {
		d.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		d.t.Fatal(err)
	}
}

func TestAnAuthorityWhoseKeyIsStillStagedIsCompletedBeforeItsKeyIsOpened(t *testing.T) {
	t.Parallel()
	one, two := founded(t, ca.Single, "One", nil), founded(t, ca.Single, "Two", nil)
	d := newHouse(t, one.key, store.Founding{Authorities: []store.Founder{one.founder(t, ca.Single)}})
	before := d.read("endpoint/ca.pem")
	d.install(store.Installation{Certificate: two.cert, Purpose: ca.Single, Key: two.file, Lists: []store.SignedList{two.list(t, begun)}})
	run := strings.TrimSuffix(d.files("authority/runs")[0], ".lock")
	d.die(run)
	d.unplace(run, two.serial(), map[string]string{store.KeyFileName(two.id()): "authority", two.serial() + ".pem": "authority/issued"})
	d.put("ca.pem", before)
	d.mustBeWhole(two, func(a store.Authorities) bool { return a.Current.Equal(two.cert) })
}
