package durable_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/durable"
)

func TestStageMakesManyFilesInSeveralFolders(t *testing.T) {
	one, other := t.TempDir(), t.TempDir()
	var files []durable.File
	var inOne, inOther []string
	for i := range 2*durable.OpenAtOnce + 1 {
		name := fmt.Sprintf("%04d", i)
		dir := one
		if i%3 == 0 {
			dir = other
			inOther = append(inOther, name)
		} else {
			inOne = append(inOne, name)
		}
		files = append(files, durable.File{Name: filepath.Join(dir, name), Data: []byte(strings.Repeat(name, i)), Mode: 0o600})
	}
	if err := durable.Stage(files); err != nil {
		t.Fatal(err)
	}
	mustHaveOnly(t, one, inOne...)
	mustHaveOnly(t, other, inOther...)
	for _, f := range files {
		mustHold(t, f.Name, string(f.Data))
	}
	if err := durable.Stage(nil); err != nil {
		t.Errorf("no files: %v", err)
	}
}

func TestStageRefusesATakenNameAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	put(t, taken, "theirs")
	file := func(name string) durable.File {
		return durable.File{Name: name, Data: []byte("ours"), Mode: 0o600}
	}
	err := durable.Stage([]durable.File{file(filepath.Join(dir, "a")), file(taken), file(filepath.Join(dir, "b"))})
	if want := "creating " + taken + ": file already exists"; err == nil || err.Error() != want || !errors.Is(err, fs.ErrExist) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	mustHold(t, taken, "theirs")
	mustHaveOnly(t, dir, "taken")

	missing := filepath.Join(dir, "nowhere", "file")
	err = durable.Stage([]durable.File{file(filepath.Join(dir, "a")), file(missing)})
	if want := "creating " + missing + ": opening " + filepath.Dir(missing) + ": "; err == nil || !strings.HasPrefix(err.Error(), want) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got  %v\nwant %s...", err, want)
	}
	mustHaveOnly(t, dir, "taken")
}

// A disk may fill up at any moment, that of the last file included.
func TestStageThatFailsAtAnyMomentLeavesNothing(t *testing.T) {
	full := errors.New("the disk is full")
	reached := 0
	for failing := 0; ; failing++ {
		one, other := t.TempDir(), t.TempDir()
		reached = 0
		a := durable.Act{At: func(string) error {
			if reached++; reached > failing {
				return full
			}
			return nil
		}}
		err := a.Stage([]durable.File{
			{Name: filepath.Join(one, "a"), Data: []byte("first"), Mode: 0o600},
			{Name: filepath.Join(other, "b"), Data: []byte("second"), Mode: 0o644},
			{Name: filepath.Join(one, "c"), Mode: 0o600},
		})
		if err == nil {
			break
		}
		if !errors.Is(err, full) {
			t.Errorf("failing at moment %d: %v", failing, err)
		}
		mustHaveOnly(t, one)
		mustHaveOnly(t, other)
	}
	// Each file is made, half written, written and synced; then there is the end.
	if want := 3*4 + 2; reached != want {
		t.Errorf("%d moments, want %d", reached, want)
	}
}

func TestStageBringsFilesToDiskAfterAllAreWritten(t *testing.T) {
	dir := t.TempDir()
	var order []string
	a := durable.Act{At: func(m string) error {
		if m == "written" || m == "synced" || m == "placed" {
			order = append(order, m)
		}
		return nil
	}}
	if err := a.Stage([]durable.File{{Name: filepath.Join(dir, "a"), Mode: 0o600}, {Name: filepath.Join(dir, "b"), Mode: 0o600}}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "written written synced synced placed" {
		t.Errorf("got %s", got)
	}
}

// Up to the last moment each file is whole, and no other is left.
func TestWriteFilesThatFailsAtAnyMomentLeavesWholeFiles(t *testing.T) {
	full := errors.New("the disk is full")
	for failing := 0; ; failing++ {
		dir, reached := t.TempDir(), 0
		a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
		put(t, a, "old")
		put(t, b, "old")
		err := durable.Act{At: func(string) error {
			if reached++; reached > failing {
				return full
			}
			return nil
		}}.WriteFiles([]durable.File{{Name: a, Data: []byte("new"), Mode: 0o600}, {Name: b, Data: []byte("new"), Mode: 0o644}})
		mustHaveOnly(t, dir, "a", "b")
		contents := map[string]string{}
		for _, name := range []string{a, b} {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			contents[name] = string(data)
		}
		inPlace := strings.Count(contents[a]+contents[b], "new")
		switch {
		case err == nil:
			if want := 2*4 + 2 + 2; reached != want || inPlace != 2 {
				t.Errorf("%d moments, want %d; %q", reached, want, contents)
			}
			return
		case !errors.Is(err, full):
			t.Errorf("failing at moment %d: %v", failing, err)
		case inPlace > 0 && failing < 2*4:
			t.Errorf("failing at moment %d: a file is in place before all are on disk", failing)
		case inPlace+strings.Count(contents[a]+contents[b], "old") != 2:
			t.Errorf("failing at moment %d: %q", failing, contents)
		}
	}
}

func TestRenameAllMovesAndReplaces(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	put(t, filepath.Join(from, "a"), "new a")
	put(t, filepath.Join(from, "b"), "new b")
	put(t, filepath.Join(to, "b"), "old b")
	moves := []durable.Move{{From: filepath.Join(from, "a"), To: filepath.Join(from, "c")}, {From: filepath.Join(from, "b"), To: filepath.Join(to, "b")}}
	if err := durable.RenameAll(moves); err != nil {
		t.Fatal(err)
	}
	mustHaveOnly(t, from, "c")
	mustHaveOnly(t, to, "b")
	mustHold(t, filepath.Join(from, "c"), "new a")
	mustHold(t, filepath.Join(to, "b"), "new b")
	if err := durable.RenameAll(nil); err != nil {
		t.Errorf("no moves: %v", err)
	}
}

func TestRenameAllSaysWhichFileItStoppedAt(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a"), "a")
	put(t, filepath.Join(dir, "c"), "c")
	path := func(name string) string { return filepath.Join(dir, name) }
	err := durable.RenameAll([]durable.Move{{path("a"), path("A1")}, {path("b"), path("B1")}, {path("c"), path("C1")}})
	if want := "renaming " + path("b") + " to " + path("B1") + ": "; err == nil || !strings.HasPrefix(err.Error(), want) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got  %v\nwant %s...", err, want)
	}
	mustHaveOnly(t, dir, "A1", "c")

	// A folder that is not there refuses all at the start.
	err = durable.RenameAll([]durable.Move{{path("A1"), path("a")}, {path("c"), filepath.Join(dir, "nowhere", "c")}})
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into a folder that is not there: %v", err)
	}
	mustHaveOnly(t, dir, "A1", "c")
}

func TestRemoveAllRemovesWhatItCanAndNamesTheRest(t *testing.T) {
	dir := t.TempDir()
	path := func(name ...string) string { return filepath.Join(append([]string{dir}, name...)...) }
	put(t, path("a"), "a")
	put(t, path("z"), "z")
	if err := os.MkdirAll(path("folder", "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := durable.RemoveAll([]string{path("a"), path("gone"), path("folder"), path("nowhere", "x"), path("z")})
	var left *fs.PathError
	if !errors.As(err, &left) || left.Path != path("folder") || !strings.HasPrefix(err.Error(), "removing "+path("folder")+": ") {
		t.Errorf("got %v", err)
	}
	mustHaveOnly(t, dir, "folder")
	if err := durable.RemoveAll([]string{path("a"), path("nowhere", "x")}); err != nil {
		t.Errorf("what is gone: %v", err)
	}
}

func TestRenameAllAndRemoveAllReportWhatTheDiskRefused(t *testing.T) {
	full := errors.New("the disk is broken")
	for _, moment := range []string{"moved", "placed", "settled"} {
		dir := t.TempDir()
		a := durable.Act{At: func(m string) error {
			if m == moment {
				return full
			}
			return nil
		}}
		put(t, filepath.Join(dir, "a"), "a")
		if err := a.RenameAll([]durable.Move{{From: filepath.Join(dir, "a"), To: filepath.Join(dir, "b")}}); !errors.Is(err, full) {
			t.Errorf("RenameAll at %s: %v", moment, err)
		}
		if err := a.RemoveAll([]string{filepath.Join(dir, "b")}); !errors.Is(err, full) {
			t.Errorf("RemoveAll at %s: %v", moment, err)
		}
	}
}
