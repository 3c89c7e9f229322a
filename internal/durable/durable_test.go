package durable_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/durable"
)

// put writes a file that a test begins with.
func put(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustHold(t testing.TB, name, want string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil {
		t.Error(err)
	} else if string(got) != want {
		t.Errorf("%s holds %s, want %s", filepath.Base(name), short(string(got)), short(want))
	}
}

func short(s string) string {
	if len(s) > 60 {
		return strconv.Quote(s[:30]) + "... of " + strconv.Itoa(len(s)) + " bytes"
	}
	return strconv.Quote(s)
}

// names returns what is in a folder.
func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func mustHaveOnly(t testing.TB, dir string, want ...string) {
	t.Helper()
	if got := names(t, dir); !slices.Equal(got, want) && len(got)+len(want) > 0 {
		t.Errorf("the folder has %q, want %q", got, want)
	}
}

func TestWriteFileMakesAndReplacesContent(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "list.json")
	for _, content := range []string{"one", "", strings.Repeat("long", 1<<20), "short again"} {
		if err := durable.WriteFile(name, []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
		mustHold(t, name, content)
		mustHaveOnly(t, dir, "list.json")
	}
}

func TestRelativeNamesAreTakenFromTheWorkingFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := durable.WriteFile("plain", []byte("1"), 0o644); err != nil {
		t.Error(err)
	}
	if err := durable.Create("new", []byte("2"), 0o600); err != nil {
		t.Error(err)
	}
	if err := durable.Append("lines", []byte("3\n"), 0o644); err != nil {
		t.Error(err)
	}
	if err := durable.Mkdir("folder", 0o700); err != nil {
		t.Error(err)
	}
	if err := durable.Rename("new", "folder/moved"); err != nil {
		t.Error(err)
	}
	if err := durable.Remove("plain"); err != nil {
		t.Error(err)
	}
	mustHaveOnly(t, ".", "folder", "lines")
	mustHold(t, "folder/moved", "2")
}

func TestALinkGivesWayToTheFileAndItsTargetStays(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	put(t, target, "theirs")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteFile(link, []byte("ours"), 0o644); err != nil {
		t.Fatal(err)
	}
	mustHold(t, target, "theirs")
	mustHold(t, link, "ours")
	if info, err := os.Lstat(link); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the link is now %v, %v", info.Mode(), err)
	}
}

func TestCreateRefusesATakenName(t *testing.T) {
	dir := t.TempDir()
	file, folder, dangling := filepath.Join(dir, "file"), filepath.Join(dir, "folder"), filepath.Join(dir, "dangling")
	put(t, file, "theirs")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), dangling); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, folder, dangling} {
		err := durable.Create(name, []byte("ours"), 0o600)
		if want := "creating " + name + ": file already exists"; err == nil || err.Error() != want || !errors.Is(err, fs.ErrExist) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	mustHold(t, file, "theirs")
	mustHaveOnly(t, dir, "dangling", "file", "folder")
}

func TestOfManyWhoCreateOneNameOneSucceeds(t *testing.T) {
	for round := range 20 {
		dir := t.TempDir()
		name := filepath.Join(dir, "ca.key")
		var mu sync.Mutex
		var winners []string
		var together sync.WaitGroup
		start := make(chan struct{})
		for i := range 16 {
			together.Go(func() {
				content := strings.Repeat(strconv.Itoa(i)+" ", 5000)
				<-start
				err := durable.Create(name, []byte(content), 0o600)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					winners = append(winners, content)
				case !errors.Is(err, fs.ErrExist):
					t.Error(err)
				}
			})
		}
		close(start)
		together.Wait()
		if len(winners) != 1 {
			t.Fatalf("round %d: %d winners", round, len(winners))
		}
		mustHold(t, name, winners[0])
		mustHaveOnly(t, dir, "ca.key")
	}
}

func TestAMissingFolderIsNamed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing")
	name := filepath.Join(dir, "file")
	replace := func() error { _, err := durable.Replace(name, nil, 0o644, nil); return err }
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"WriteFile", durable.WriteFile(name, nil, 0o644), "writing " + name + ": opening " + dir + ": no such file or directory"},
		{"Create", durable.Create(name, nil, 0o644), "creating " + name + ": opening " + dir + ": no such file or directory"},
		{"Replace", replace(), "replacing " + name + ": opening " + dir + ": no such file or directory"},
		{"Append", durable.Append(name, nil, 0o644), "appending to " + name + ": opening " + dir + ": no such file or directory"},
		{"Mkdir", durable.Mkdir(name, 0o755), "making the folder " + name + ": opening " + dir + ": no such file or directory"},
		{"Rename", durable.Rename(name, name+"2"), "renaming " + name + " to " + name + "2: opening " + dir + ": no such file or directory"},
		{"SyncDir", durable.SyncDir(dir), "opening " + dir + ": no such file or directory"},
	}
	for _, tt := range tests {
		if tt.err == nil || tt.err.Error() != tt.want || !errors.Is(tt.err, fs.ErrNotExist) {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, tt.err, tt.want)
		}
	}
	if err := durable.Remove(name); err != nil {
		t.Errorf("removing what is in a missing folder: %v", err)
	}
	if err := durable.Sweep(dir); err != nil {
		t.Errorf("sweeping a missing folder: %v", err)
	}
}

func TestAFolderIsNotReplacedByAFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "folder")
	if err := os.Mkdir(name, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteFile(name, []byte("x"), 0o644); err == nil {
		t.Error("WriteFile replaced it")
	}
	if _, err := durable.Replace(name, []byte("x"), 0o644, nil); err == nil || err.Error() != "replacing "+name+": it is a folder" {
		t.Errorf("Replace: %v", err)
	}
	if err := durable.Append(name, []byte("x\n"), 0o644); err == nil {
		t.Error("Append wrote to it")
	}
	mustHaveOnly(t, filepath.Dir(name), "folder")
}

func TestRenameReplacesAndMovesBetweenFolders(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	if err := durable.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	a, b := filepath.Join(dir, "a"), filepath.Join(other, "b")
	put(t, a, "new")
	put(t, b, "old")
	if err := durable.Rename(a, b); err != nil {
		t.Fatal(err)
	}
	mustHold(t, b, "new")
	mustHaveOnly(t, dir, "other")
	err := durable.Rename(a, b)
	if want := "renaming " + a + " to " + b + ": no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	mustHold(t, b, "new")
}

func TestRemoveIsDoneWhenNothingIsThere(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	put(t, name, "x")
	for range 2 {
		if err := durable.Remove(name); err != nil {
			t.Error(err)
		}
	}
	mustHaveOnly(t, dir)
	full := filepath.Join(dir, "full")
	if err := os.MkdirAll(filepath.Join(full, "inner"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err, want := durable.Remove(full), "removing "+full+": directory not empty"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestFailureLeavesTheOldContentAndNothingElse(t *testing.T) {
	gone := errors.New("the disk is gone")
	for _, at := range durable.Moments {
		a := durable.Act{At: func(m string) error {
			if m == at {
				return gone
			}
			return nil
		}}
		late := at == "placed" || at == "settled"
		t.Run(at, func(t *testing.T) {
			t.Run("WriteFile", func(t *testing.T) {
				dir := t.TempDir()
				name := filepath.Join(dir, "file")
				put(t, name, "old")
				err := a.WriteFile(name, []byte("content"), 0o644)
				if want := "writing " + name + ": the disk is gone"; err == nil || err.Error() != want || !errors.Is(err, gone) {
					t.Errorf("got  %v\nwant %s", err, want)
				}
				if late {
					mustHold(t, name, "content")
				} else {
					mustHold(t, name, "old")
				}
				mustHaveOnly(t, dir, "file")
			})
			t.Run("Create", func(t *testing.T) {
				dir := t.TempDir()
				name := filepath.Join(dir, "file")
				err := a.Create(name, []byte("content"), 0o644)
				if want := "creating " + name + ": the disk is gone"; err == nil || err.Error() != want {
					t.Errorf("got  %v\nwant %s", err, want)
				}
				mustHaveOnly(t, dir)
			})
			t.Run("Append", func(t *testing.T) {
				if at == "made" || late {
					return // It has no such moment on a file that is there.
				}
				dir := t.TempDir()
				name := filepath.Join(dir, "file")
				put(t, name, "first\ntorn")
				err := a.Append(name, []byte("second\n"), 0o644)
				if want := "appending to " + name + ": the disk is gone"; err == nil || err.Error() != want {
					t.Errorf("got  %v\nwant %s", err, want)
				}
				mustHold(t, name, "first\n")
				mustHaveOnly(t, dir, "file")
			})
		})
	}
}

func TestAppendAddsWholeLines(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	tests := []struct {
		name, before, line, want string
	}{
		{"to nothing", "", "a\n", "a\n"},
		{"to a line", "a\n", "b\n", "a\nb\n"},
		{"without an end", "a\n", "b", "a\nb\n"},
		{"after a torn line", "a\nb\ntor", "c\n", "a\nb\nc\n"},
		{"after a torn line of one byte", "a\nx", "c\n", "a\nc\n"},
		{"after nothing but a torn line", "tor", "c\n", "c\n"},
		{"after a torn line longer than a look", "a\n" + long, "c\n", "a\nc\n"},
		{"after a torn line that ends at the edge of a look", "a\n" + long[:4096], "c\n", "a\nc\n"},
		{"after a newline at the edge of a look", "a\n" + long[:4095], "c\n", "a\nc\n"},
		{"after what a power failure left empty", "a\n\x00\x00\x00\x00", "c\n", "a\nc\n"},
		{"a long one", "a\n", long, "a\n" + long + "\n"},
		{"several at once", "a\n", "b\nc\n", "a\nb\nc\n"},
		{"none", "a\n", "", "a\n\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, "issued.jsonl")
			put(t, name, tt.before)
			if err := durable.Append(name, []byte(tt.line), 0o600); err != nil {
				t.Fatal(err)
			}
			mustHold(t, name, tt.want)
			mustHaveOnly(t, dir, "issued.jsonl")
		})
	}
}

func TestAppendLeavesTheCallersBytesAlone(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lines")
	buffer := []byte("line|rest")
	if err := durable.Append(name, buffer[:4], 0o644); err != nil {
		t.Fatal(err)
	}
	if string(buffer) != "line|rest" {
		t.Errorf("they are now %q", buffer)
	}
	mustHold(t, name, "line\n")
}

func TestAppendRefusesWhatIsNoFileOfLines(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	content := strings.Repeat("x", 2<<20)
	put(t, big, content)
	err := durable.Append(big, []byte("a\n"), 0o644)
	if want := "appending to " + big + ": no line ends in its last MiB: it is no file of lines"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	mustHold(t, big, content)
}

// lacking is what a file system says of what it does not have.
func lacking(_, _ string) error { return errors.ErrUnsupported }

// Where nothing exchanges two files, and none can have two names, what was written before the last step is seen all the same.
func TestReplaceReadsJustBeforeItReplacesWhereItCanDoNoBetter(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "list.json")
	put(t, name, "what was read long ago")
	displaced, err := durable.Displace(name, []byte("ours"), func(_, _ string) error {
		put(t, name, "theirs, in the meantime")
		return errors.ErrUnsupported
	}, lacking)
	if err != nil || string(displaced) != "theirs, in the meantime" {
		t.Errorf("displaced %q, %v", displaced, err)
	}
	mustHold(t, name, "ours")
	mustHaveOnly(t, dir, "list.json")

	// Another takes the name away between two steps: then there is nothing to displace.
	displaced, err = durable.Displace(name, []byte("ours again"), lacking, func(_, _ string) error {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return errors.ErrUnsupported
	})
	if err != nil || displaced != nil {
		t.Errorf("displaced %q, %v", displaced, err)
	}
	mustHold(t, name, "ours again")
	mustHaveOnly(t, dir, "list.json")
}

func TestReplaceReturnsWhatItDisplaced(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(name string, data []byte) ([]byte, error)
	}{
		{"by exchange", func(name string, data []byte) ([]byte, error) { return durable.Replace(name, data, 0o644, nil) }},
		{"where nothing exchanges", func(name string, data []byte) ([]byte, error) {
			return durable.Displace(name, data, lacking, os.Link)
		}},
		{"where there is but one name for a file", func(name string, data []byte) ([]byte, error) {
			return durable.Displace(name, data, lacking, lacking)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, "list.json")
			before := []byte(nil)
			for _, content := range []string{"one", "two", "", "four"} {
				displaced, err := tt.do(name, []byte(content))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(displaced, before) || (displaced == nil) != (before == nil) {
					t.Errorf("displaced %#v, want %#v", displaced, before)
				}
				mustHold(t, name, content)
				mustHaveOnly(t, dir, "list.json")
				before = []byte(content)
			}
		})
	}
}

func TestReplaceLosesNothingThatAnybodyWrote(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "list.json")
	put(t, name, "first")
	var mu sync.Mutex
	seen := map[string]int{}
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := range 25 {
				displaced, err := durable.Replace(name, fmt8(w, i), 0o644, nil)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen[string(displaced)]++
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	last, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	seen[string(last)]++
	for w := range 8 {
		for i := range 25 {
			if n := seen[string(fmt8(w, i))]; n != 1 {
				t.Errorf("%s was seen %d times", fmt8(w, i), n)
			}
		}
	}
	if seen["first"] != 1 || len(seen) != 8*25+1 {
		t.Errorf("%d contents, the first %d times", len(seen), seen["first"])
	}
	mustHaveOnly(t, dir, "list.json")
}

func fmt8(writer, i int) []byte { return []byte(strconv.Itoa(writer) + "-" + strconv.Itoa(i)) }

func TestReplaceWaitsForOneWhoIsStillWriting(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "list.json")
	put(t, name, "{}")
	// A script that writes in place has opened the file, which empties it, and has not written yet.
	script, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer script.Close()
	whole := func(data []byte) bool { return bytes.HasSuffix(data, []byte("}")) }
	done := make(chan struct{})
	a := durable.Act{At: func(m string) error {
		if m == "settled" {
			go func() {
				defer close(done)
				for _, part := range []string{`{"theirs"`, `:1`, `}`} {
					time.Sleep(5 * time.Millisecond)
					if _, err := script.WriteString(part); err != nil {
						t.Error(err)
					}
				}
				script.Close()
			}()
		}
		return nil
	}}
	displaced, err := a.Replace(name, []byte("{ours}"), 0o644, whole)
	if err != nil || string(displaced) != `{"theirs":1}` {
		t.Errorf("displaced %q, %v", displaced, err)
	}
	<-done
	mustHold(t, name, "{ours}")
	mustHaveOnly(t, dir, "list.json")
}

func TestReplaceDoesNotWaitForEver(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "list.json")
	put(t, name, "broken")
	script, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer script.Close()
	looks := 0
	start := time.Now()
	displaced, err := durable.Replace(name, []byte("{}"), 0o644, func([]byte) bool { looks++; return false })
	if err != nil || string(displaced) != "broken" {
		t.Errorf("displaced %q, %v", displaced, err)
	}
	if took := time.Since(start); took > 10*time.Second || looks < 2 {
		t.Errorf("it took %v and %d looks", took, looks)
	}
	// What a stalled script writes later is found by whoever looks again.
	if _, err := script.WriteString(" no more"); err != nil {
		t.Fatal(err)
	}
	kept, err := filepath.Glob(filepath.Join(dir, ".list.json.*.old"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept %v, %v", kept, err)
	}
	mustHold(t, kept[0], "broken no more")
}

func TestSweepTakesOnlyWhatIsOurs(t *testing.T) {
	dir := t.TempDir()
	theirs := []string{
		".list.json.AAAAAAAAAA.old", ".list.json.aaaaaaaaaa.tmp", ".list.json.AAAAAAAAA.tmp", ".AAAAAAAAAA.tmp", "..tmp", ".tmp",
		"list.json", "list.json.AAAAAAAAAA.tmp", ".list.json.AAAAAAAAA1.tmp", ".list.json-AAAAAAAAAA.tmp", ".x.staged",
	}
	ours := []string{".list.json.AAAAAAAAAA.tmp", ".x.Z2Z3Z4Z5Z6.tmp", "..hidden.staged.AAAAAAAAAA.tmp"}
	for _, name := range slices.Concat(theirs, ours) {
		put(t, filepath.Join(dir, name), "x")
	}
	folder := ".folder.AAAAAAAAAA.tmp"
	if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := durable.Sweep(dir); err != nil {
		t.Fatal(err)
	}
	want := append(theirs, folder)
	slices.Sort(want)
	mustHaveOnly(t, dir, want...)
}

func TestSweepLeavesWhatALiveProcessIsWriting(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	swept := 0
	a := durable.Act{At: func(m string) error {
		if m != "placed" && m != "settled" {
			swept++
			return durable.Sweep(dir)
		}
		return nil
	}}
	if err := a.WriteFile(name, []byte("content"), 0o644); err != nil {
		t.Error(err)
	}
	mustHold(t, name, "content")
	mustHaveOnly(t, dir, "file")
	if swept != 4 {
		t.Errorf("swept %d times", swept)
	}
}

func TestEveryTemporaryFileIsHiddenAndKnownToSweep(t *testing.T) {
	dir := t.TempDir()
	for _, base := range []string{"list.json", ".alice.zip.run.staged", "x"} {
		a := durable.Act{At: func(m string) error {
			if m == "made" {
				for _, name := range names(t, dir) {
					if !durable.IsTemporary(name) || !strings.HasPrefix(name, "."+base+".") {
						t.Errorf("for %s it is called %s", base, name)
					}
				}
				return errors.New("enough")
			}
			return nil
		}}
		if err := a.Create(filepath.Join(dir, base), nil, 0o600); err == nil {
			t.Error("no temporary file was made")
		}
	}
}

func TestRenameNewTakesNoNameThatIsTaken(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	put(t, at("list"), "list")
	put(t, at("taken"), "taken")
	if err := os.Mkdir(at("folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"list", "folder"} {
		if err := durable.RenameNew(at(name), at("taken")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s took a name that is taken: %v", name, err)
		}
		if err := durable.RenameNew(at(name), at("new-"+name)); err != nil {
			t.Error(err)
		}
	}
	if err := durable.RenameNew(at("list"), at("other")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there was renamed: %v", err)
	}
	mustHold(t, at("taken"), "taken")
	mustHaveOnly(t, dir, "new-folder", "new-list", "taken")
}
