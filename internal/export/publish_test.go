package export

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/testpki"
)

// publishing is one at a set time that keeps no registry.
func publishing() Publishing {
	return Publishing{Now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), Save: func() error { return nil }}
}

// newExport is one of an empty folder.
func newExport(t *testing.T) *Export {
	t.Helper()
	return &Export{Folder: t.TempDir(), Form: FormFTS}
}

func (e *Export) must(t *testing.T, files []File, packages []Package) Report {
	t.Helper()
	r, err := e.Publish(files, packages, publishing())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// content is what lies in a folder: names and texts of the files that are not packages.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[entry.Name()] = string(data)
	}
	return all
}

func wantContent(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	got := content(t, dir)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s has %q, want %q", name, got[name], text)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("there is %s, which nobody wants", name)
		}
	}
}

func two(list string) []File {
	return []File{plain("ca.pem", openMode, []byte("ca "+list)), plain("server.key", secretMode, []byte("key"))}
}

func TestOnlyWhatDiffersIsWritten(t *testing.T) {
	e := newExport(t)
	if r := e.must(t, two("1"), nil); !slices.Equal(r.Written, []string{"ca.pem", "server.key"}) {
		t.Errorf("first written: %v", r.Written)
	}
	if r := e.must(t, two("1"), nil); r.Changes() {
		t.Errorf("the second time: %+v", r)
	}
	if r := e.must(t, two("2"), nil); !slices.Equal(r.Written, []string{"ca.pem"}) {
		t.Errorf("after a change: %v", r.Written)
	}
	if err := os.Chmod(filepath.Join(e.Folder, "server.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if off, err := e.Check(two("2"), nil); err != nil || !slices.Equal(off, []string{"server.key"}) {
		t.Errorf("a key that everybody can read differs: %v, %v", off, err)
	}
	if r := e.must(t, two("2"), nil); len(r.Kept) > 0 || !slices.Equal(r.Written, []string{"server.key"}) {
		t.Errorf("the mode is set right: %+v", r)
	}
}

func TestAFolderOfOthersIsNotTakenOverUnasked(t *testing.T) {
	e := newExport(t)
	write(t, e.Folder, "ca.pem", "theirs")
	_, err := e.Publish(two("1"), nil, publishing())
	var occupied *OccupiedError
	if !errors.As(err, &occupied) || !slices.Equal(occupied.Names, []string{"ca.pem"}) {
		t.Fatalf("got %v", err)
	}
	wantContent(t, e.Folder, map[string]string{"ca.pem": "theirs"})
	p := publishing()
	p.Replace = true
	r, err := e.Publish(two("1"), nil, p)
	if err != nil || !slices.Equal(r.Kept, []string{"ca.pem.changed-20261125T120000Z"}) {
		t.Fatalf("got %+v, %v", r, err)
	}
	wantContent(t, e.Folder, map[string]string{"ca.pem": "ca 1", "server.key": "key", r.Kept[0]: "theirs"})
}

func TestWhatAnotherHandWroteIsKeptEachTime(t *testing.T) {
	e := newExport(t)
	e.must(t, two("1"), nil)
	want := map[string]string{"ca.pem": "ca 1", "server.key": "key"}
	for i, name := range []string{"ca.pem.changed-20261125T120000Z", "ca.pem.changed-20261125T120000Z-2"} {
		write(t, e.Folder, "ca.pem", "theirs"+strings.Repeat("!", i))
		if r := e.must(t, two("1"), nil); !slices.Equal(r.Kept, []string{name}) {
			t.Errorf("kept as %v", r.Kept)
		}
		want[name] = "theirs" + strings.Repeat("!", i)
	}
	wantContent(t, e.Folder, want)
}

// A kill leaves the old files in place and the registry ahead of them, or the new ones.
func TestAKillIsNotTakenForAnotherHand(t *testing.T) {
	for saves, left := range map[int]string{0: "ca 1", 1: "ca 2"} {
		e := newExport(t)
		e.must(t, two("1"), nil)
		p := publishing()
		killed := errors.New("killed")
		p.Save = func() error {
			if saves--; saves < 0 {
				return killed
			}
			return nil
		}
		if _, err := e.Publish(two("2"), nil, p); !errors.Is(err, killed) {
			t.Fatal(err)
		}
		if got := content(t, e.Folder)["ca.pem"]; got != left {
			t.Errorf("the kill left %q, want %q", got, left)
		}
		if r := e.must(t, two("2"), nil); len(r.Kept) > 0 {
			t.Errorf("kept: %v", r.Kept)
		}
		wantContent(t, e.Folder, map[string]string{"ca.pem": "ca 2", "server.key": "key"})
	}
}

func TestWhatCannotBeMadeChangesNothing(t *testing.T) {
	e := newExport(t)
	e.must(t, two("1"), nil)
	full := two("2")
	full[1].Version, full[1].Data = "other", func() ([]byte, error) { return nil, syscall.ENOSPC }
	if _, err := e.Publish(full, nil, publishing()); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	wantContent(t, e.Folder, map[string]string{"ca.pem": "ca 1", "server.key": "key"})
}

// The folder's account may lay links there, and root publishes.
func TestNoLinkIsFollowed(t *testing.T) {
	e, outside := newExport(t), t.TempDir()
	e.must(t, two("1"), nil)
	write(t, outside, "secret", "of root alone")
	replaceByLink(t, filepath.Join(outside, "secret"), filepath.Join(e.Folder, "ca.pem"))
	r := e.must(t, two("1"), nil)
	if !slices.Equal(r.Kept, []string{"ca.pem (which was no regular file, and is gone)"}) {
		t.Errorf("kept: %v", r.Kept)
	}
	wantContent(t, e.Folder, map[string]string{"ca.pem": "ca 1", "server.key": "key"})
	wantContent(t, outside, map[string]string{"secret": "of root alone"})

	replaceByLink(t, outside, filepath.Join(e.Folder, packagesFolder))
	if _, err := e.Publish(two("1"), nil, publishing()); err == nil || err.Error() != filepath.Join(e.Folder, packagesFolder)+" is no folder" {
		t.Errorf("packages through a link: %v", err)
	}
	wantContent(t, outside, map[string]string{"secret": "of root alone"})
}

func TestAFolderInAFilesPlaceIsAnError(t *testing.T) {
	e := newExport(t)
	if err := os.Mkdir(filepath.Join(e.Folder, "ca.pem"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Publish(two("1"), nil, publishing()); err == nil || err.Error() != filepath.Join(e.Folder, "ca.pem")+" is a folder" {
		t.Errorf("got %v", err)
	}
}

func TestAFolderThatIsAwayIsNotMade(t *testing.T) {
	e := &Export{Folder: filepath.Join(t.TempDir(), "away")}
	if _, err := e.Publish(two("1"), nil, publishing()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(e.Folder); err == nil {
		t.Error("it was made")
	}
}

func TestWhatTheFormNoLongerHasGoes(t *testing.T) {
	e := newExport(t)
	e.must(t, append(two("1"), plain("FTS_CRL.pem", openMode, []byte("list")), plain("note", openMode, []byte("ours"))), nil)
	write(t, e.Folder, "note", "theirs now")
	if r := e.must(t, two("1"), nil); !slices.Equal(r.Removed, []string{"FTS_CRL.pem"}) {
		t.Errorf("removed: %v", r.Removed)
	}
	wantContent(t, e.Folder, map[string]string{"ca.pem": "ca 1", "server.key": "key", "note": "theirs now"})
}

func TestPackagesComeAndGoWithTheStores(t *testing.T) {
	e, store := newExport(t), t.TempDir()
	package_ := func(name, text string) Package {
		write(t, store, name, text)
		return Package{Name: name, Path: filepath.Join(store, name)}
	}
	alice, bob := package_("alice-1.zip", "alice's"), package_("bob-2.zip", "bob's")
	e.must(t, nil, []Package{alice, bob})
	write(t, filepath.Join(e.Folder, packagesFolder), "theirs.zip", "theirs")
	if r := e.must(t, nil, []Package{alice, bob}); r.Changes() {
		t.Errorf("the second time: %+v", r)
	}
	package_("alice-1.zip", "alice's, packed anew")
	if off, err := e.Check(nil, []Package{alice}); err != nil || !slices.Equal(off, []string{"clientPackages/alice-1.zip", "clientPackages/bob-2.zip"}) {
		t.Errorf("differs: %v, %v", off, err)
	}
	e.must(t, nil, []Package{alice})
	wantContent(t, filepath.Join(e.Folder, packagesFolder), map[string]string{"alice-1.zip": "alice's, packed anew", "theirs.zip": "theirs"})

	// A kill before the package was removed does not have it forgotten.
	e.must(t, nil, []Package{alice, bob})
	p := publishing()
	saves := 0
	p.Save = func() error {
		if saves++; saves > 1 {
			return errors.New("killed")
		}
		if !slices.Contains(e.Packages, bob.Name) {
			t.Error("what is still there is not on the list")
		}
		return nil
	}
	_, _ = e.Publish(nil, []Package{alice}, p)
}

func TestAPlanWritesNothing(t *testing.T) {
	e := newExport(t)
	p := publishing()
	p.DryRun = true
	r, err := e.Publish(two("1"), nil, p)
	if err != nil || !slices.Equal(r.Written, []string{"ca.pem", "server.key"}) {
		t.Fatalf("got %+v, %v", r, err)
	}
	wantContent(t, e.Folder, map[string]string{})
}

func TestARegistryThatIsNoneIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exports.json")
	for text, want := range map[string]string{
		"{":             "reading the list of exports " + path + ": unexpected end of JSON input",
		`{"format": 9}`: "the list of exports " + path + " has format 9, and this ftsca reads format 1",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	empty, err := Load(filepath.Join(t.TempDir(), "none"))
	if err != nil || len(empty.Exports) > 0 {
		t.Errorf("no file: %v, %v", empty, err)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func replaceByLink(t *testing.T, to, at string) {
	t.Helper()
	if err := os.RemoveAll(at); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, at); err != nil {
		testpki.Lack(t, "symbolic links")
	}
}
