package transfer_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/transfer"
)

var (
	made   = time.Date(2026, 11, 24, 9, 27, 4, 0, time.UTC)
	valley = transfer.Party{Name: "Valley Rescue CA", Key: strings.Repeat("a1", 32)}
	root   = transfer.Party{Name: "Valley Rescue Root", Key: strings.Repeat("b2", 32)}
	texts  = [][]byte{[]byte("the authority's request"), []byte("alice's request"), []byte("the revocations")}
)

// request is one of three items; those of the same number are the same.
func request(number int) transfer.Manifest {
	return transfer.Manifest{
		Kind: transfer.Request, ID: fmt.Sprintf("%032x", number), From: valley, Made: made,
		Items: []transfer.Item{
			{Kind: "ca-request", Note: "Valley Rescue CA, rsa-4096"},
			{Kind: "certificate-request", Note: "alice <alice@example.org> & co"},
			{Kind: "revocations"},
		},
	}
}

var answers = [][]byte{[]byte("the authority's certificate"), nil, []byte("the signed list"), []byte("the chain")}

// answer answers a request: two of its items, one of them in two kinds, and refuses the other.
func answer(t testing.TB, to transfer.Manifest) transfer.Manifest {
	t.Helper()
	sum, err := to.Sum()
	if err != nil {
		t.Fatal(err)
	}
	return transfer.Manifest{
		Kind: transfer.Answer, ID: strings.Repeat("0f", 16), From: root, Made: made.Add(time.Hour), InReplyTo: hex.EncodeToString(sum[:]),
		Items: []transfer.Item{
			{Kind: "certificates", Answers: to.Items[0].File},
			{Kind: "certificates", Answers: to.Items[1].File, Refused: "alice has left the team"},
			{Kind: "crl", Answers: to.Items[2].File},
			{Kind: "ca-files", Answers: to.Items[2].File},
		},
	}
}

func complete(t testing.TB, m transfer.Manifest, contents [][]byte) transfer.Manifest {
	t.Helper()
	m, err := transfer.Complete(m, contents)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func text(t testing.TB, m transfer.Manifest) string {
	t.Helper()
	data, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func mustWrite(t testing.TB, dir string, m transfer.Manifest, contents [][]byte) [32]byte {
	t.Helper()
	sum, err := transfer.Write(dir, m, contents)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// asked makes a folder with a request, and returns its path and its manifest.
func asked(t testing.TB) (string, transfer.Manifest) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "stick")
	mustWrite(t, dir, request(1), texts)
	return dir, complete(t, request(1), texts)
}

// answered makes a folder with a request and its answer.
func answered(t testing.TB) (string, transfer.Manifest) {
	t.Helper()
	dir, m := asked(t)
	mustWrite(t, dir, answer(t, m), answers)
	return dir, m
}

func mustRead(t testing.TB, dir string, want transfer.Manifest, contents [][]byte) {
	t.Helper()
	m, got, sum, err := transfer.Read(dir, want.Kind)
	if err != nil {
		t.Error(err)
		return
	}
	want = complete(t, want, contents)
	if text(t, m) != text(t, want) {
		t.Errorf("the manifest is %s\nwant %s", text(t, m), text(t, want))
	}
	if !slices.EqualFunc(got, contents, bytes.Equal) {
		t.Errorf("the contents are %q\nwant %q", got, contents)
	}
	if sum != sha256.Sum256([]byte(text(t, want))) {
		t.Errorf("the sum is %x", sum)
	}
}

// mustRefuse expects that nothing at all comes with the error, in whose text DIR stands for the folder.
func mustRefuse(t testing.TB, dir string, kind transfer.Kind, want string) error {
	t.Helper()
	m, contents, sum, err := transfer.Read(dir, kind)
	mustSay(t, dir, err, want)
	if m.ID != "" || m.Items != nil || contents != nil || sum != ([32]byte{}) {
		t.Errorf("with the error came %+v, %q, %x", m, contents, sum)
	}
	return err
}

func mustSay(t testing.TB, dir string, err error, want string) {
	t.Helper()
	if err == nil {
		t.Errorf("got no error\nwant %s", want)
	} else if got := strings.ReplaceAll(err.Error(), dir, "DIR"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// put writes a file into a folder, whether it is there or not.
func put(t testing.TB, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// files returns the files of a folder, by name; a folder in it has the content "/".
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		if e.IsDir() {
			all[e.Name()] = "/"
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}

func mustHaveOnly(t testing.TB, dir string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(files(t, dir))); !slices.Equal(got, want) {
		t.Errorf("the folder has %q\nwant %q", got, want)
	}
}

// unchanged returns a function that checks that a folder is as it was, times of change included.
func unchanged(t testing.TB, dir string) func() {
	t.Helper()
	look := func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&b, e.Name(), info.Mode(), info.Size(), info.ModTime().UnixNano())
		}
		for name, content := range files(t, dir) {
			if content != "/" {
				fmt.Fprintf(&b, "%x\n", sha256.Sum256([]byte(name+content)))
			}
		}
		lines := strings.Split(b.String(), "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	before := look()
	return func() {
		t.Helper()
		if after := look(); after != before {
			t.Errorf("the folder was\n%s\nand is\n%s", before, after)
		}
	}
}
