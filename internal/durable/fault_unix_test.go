//go:build unix

package durable_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/durable"
	"github.com/ftsca/ftsca/internal/testchild"
)

func TestAKillLeavesTheOldContentOrTheNew(t *testing.T) {
	for _, tt := range []struct {
		do, old, given, renewed string
		at                      []string // the moments that it has
		leaves                  bool     // what it displaced, which Sweep must not take
	}{
		{"WriteFile", "old", "new content", "new content", durable.Moments, false},
		{"Create", "", "new content", "new content", durable.Moments, false},
		{"Replace", "old", "new content", "new content", durable.Moments, true},
		{"Append", "old\n", "new line\n", "old\nnew line\n", []string{"half", "written", "synced"}, false},
	} {
		for i, at := range tt.at {
			t.Run(tt.do+" at "+at, func(t *testing.T) {
				dir := t.TempDir()
				name := filepath.Join(dir, "file")
				if tt.old != "" {
					put(t, name, tt.old)
				}
				die(t, task{Do: tt.do, Name: name, Content: tt.given, Mode: 0o600, DieAt: at, Umask: 0o77})

				late := at == "placed" || at == "settled"
				switch {
				case tt.do == "Append":
					// Its last line may be torn; the next one cuts it.
					data, err := os.ReadFile(name)
					if err != nil || !strings.HasPrefix(tt.renewed, string(data)) || !strings.HasPrefix(string(data), tt.old) {
						t.Errorf("it holds %q, %v", data, err)
					}
					if err := durable.Append(name, []byte("next\n"), 0o600); err != nil {
						t.Error(err)
					}
					want := tt.old + "next\n"
					if i > 0 {
						want = tt.renewed + "next\n"
					}
					mustHold(t, name, want)
					mustHaveOnly(t, dir, "file")
					return
				case late:
					mustHold(t, name, tt.renewed)
				case tt.old == "":
					if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
						t.Errorf("there is a file before all of it is on disk: %v", err)
					}
				default:
					mustHold(t, name, tt.old)
				}
				for _, left := range names(t, dir) {
					if left != "file" && mode(t, filepath.Join(dir, left))&0o077 != 0 && !tt.leaves {
						t.Errorf("%s was left with mode %o", left, mode(t, filepath.Join(dir, left)))
					}
				}
				if err := durable.Sweep(dir); err != nil {
					t.Error(err)
				}
				if tt.leaves && late {
					left := names(t, dir)
					if len(left) != 2 || !strings.HasSuffix(left[0], ".old") {
						t.Fatalf("what was displaced is gone: %q", left)
					}
					mustHold(t, filepath.Join(dir, left[0]), tt.old)
				} else if !tt.leaves {
					if late || tt.old != "" {
						mustHaveOnly(t, dir, "file")
					} else {
						mustHaveOnly(t, dir)
					}
				}
				// And the next one comes through.
				if err := durable.WriteFile(name, []byte("next"), 0o644); err != nil {
					t.Error(err)
				}
				mustHold(t, name, "next")
			})
		}
	}
}

func TestAKillAtAnyInstantLeavesWholeContent(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	if err := durable.WriteFile(name, []byte(strings.Repeat("a", 300_000)), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 12 {
		c := testchild.Command(t, task{Do: "WriteFile for ever", Name: name, Mode: 0o644, Umask: -1})
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// Long enough for the child to be at it, and never at the same point of it.
		time.Sleep(40*time.Millisecond + rand.N(25*time.Millisecond))
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) != 300_000 || strings.Trim(string(data), string(data[:1])) != "" {
			t.Errorf("%d bytes that begin with %.10q", len(data), data)
		}
		if left := names(t, dir); len(left) > 2 {
			t.Errorf("one kill left %q", left)
		}
		if err := durable.Sweep(dir); err != nil {
			t.Error(err)
		}
		mustHaveOnly(t, dir, "file")
	}
}

func TestAFullDiskLeavesTheOldContentAndNothingElse(t *testing.T) {
	cases := []struct{ do, verb, old, want string }{
		{"WriteFile", "writing", "old", "old"},
		{"Create", "creating", "", ""},
		{"Replace", "replacing", "old", "old"},
		{"Append", "appending to", "old\ntorn", "old\n"},
		{"Stage", "creating", "", ""},
	}
	check := func(t *testing.T, dir string, limit uint64, reason string) {
		for _, tt := range cases {
			name := filepath.Join(dir, "file")
			if tt.old != "" {
				put(t, name, tt.old)
			}
			v := run(t, task{Do: tt.do, Name: name, Content: "x", Repeat: 200_000, Mode: 0o644, Umask: -1, Limit: limit})
			if want := tt.verb + " " + name + ": " + reason; v.Err != want {
				t.Errorf("%s:\ngot  %s\nwant %s", tt.do, v.Err, want)
			}
			if tt.old == "" {
				mustHaveOnly(t, dir)
				continue
			}
			mustHold(t, name, tt.want)
			mustHaveOnly(t, dir, "file")
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Run("at the limit of the process", func(t *testing.T) { check(t, t.TempDir(), 64<<10, "file too large") })
	if dir := smallDisk(t, 128<<10); dir != "" {
		t.Run("on a full file system", func(t *testing.T) { check(t, dir, 0, "no space left on device") })
	}
}

// demoted is an account that owns nothing here.
const demoted = 65534

// others makes a folder that another account can reach, unlike one of t.TempDir.
func others(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "durable")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAnUnwritableFolderIsNamedAndLeftAlone(t *testing.T) {
	dir := others(t)
	uid := demoted
	if os.Geteuid() != 0 {
		uid = 0
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	file, fresh := filepath.Join(dir, "file"), filepath.Join(dir, "new")
	if uid != 0 {
		put(t, file, "old\n")
	}
	for _, tt := range []struct{ do, name, content, want, path string }{
		{"WriteFile", file, "x", "writing FILE: creating a file in DIR: permission denied", dir},
		{"Create", fresh, "x", "creating NEW: creating a file in DIR: permission denied", dir},
		{"Replace", file, "x", "replacing FILE: creating a file in DIR: permission denied", dir},
		{"Stage", fresh, "x", "creating NEW: creating a file in DIR: permission denied", dir},
		{"Append", fresh, "x", "appending to NEW: creating a file in DIR: permission denied", dir},
		{"Mkdir", fresh, "", "making the folder NEW: creating a folder in DIR: permission denied", dir},
		{"Remove", file, "", "removing FILE: permission denied", file},
		{"Rename", file, fresh, "renaming FILE to NEW: permission denied", ""},
	} {
		if uid == 0 && (tt.do == "Remove" || tt.do == "Rename") {
			continue // Without root there is no file in it to remove.
		}
		v := run(t, task{Do: tt.do, Name: tt.name, Content: tt.content, Mode: 0o644, Umask: -1, UID: uid})
		want := strings.NewReplacer("FILE", file, "NEW", fresh, "DIR", dir).Replace(tt.want)
		if v.Err != want || !v.Permission || v.Path != tt.path {
			t.Errorf("%s: %+v\nwant %s", tt.do, v, want)
		}
	}
	if uid != 0 {
		mustHold(t, file, "old\n")
		mustHaveOnly(t, dir, "file")
	}
}

func TestModesAreExactWhateverTheUmask(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077, 0o177, 0o777} {
		for _, do := range []string{"WriteFile", "Create", "Replace", "Append", "Stage", "Mkdir"} {
			for _, want := range []fs.FileMode{0o600, 0o640, 0o644, 0o700, 0o750, 0o755} {
				name := filepath.Join(t.TempDir(), "file")
				before := syscall.Umask(umask)
				err := operations[do](inEarnest, task{Name: name, Content: "x\n", Mode: want})
				syscall.Umask(before)
				if err != nil {
					t.Errorf("%s, umask %03o, mode %o: %v", do, umask, want, err)
				} else if got := mode(t, name); got != want {
					t.Errorf("%s, umask %03o, mode %o: mode %o", do, umask, want, got)
				}
			}
		}
	}
}

// inEarnest stops at no moment.
var inEarnest = durable.Act{At: func(string) error { return nil }}

func TestAKeyIsNeverReadableForOthersNotForAnInstant(t *testing.T) {
	before := syscall.Umask(0)
	defer syscall.Umask(before)
	dir := t.TempDir()
	seen := 0
	a := durable.Act{At: func(moment string) error {
		for _, name := range names(t, dir) {
			seen++
			if got := mode(t, filepath.Join(dir, name)); got != 0o600 {
				t.Errorf("%s has mode %o when it is %s", name, got, moment)
			}
		}
		return nil
	}}
	if err := a.Create(filepath.Join(dir, "ca.key"), []byte("key"), 0o600); err != nil {
		t.Error(err)
	}
	if err := a.WriteFile(filepath.Join(dir, "server.key"), []byte("key"), 0o600); err != nil {
		t.Error(err)
	}
	if err := a.Stage([]durable.File{{Name: filepath.Join(dir, ".client.key.staged"), Data: []byte("key"), Mode: 0o600}}); err != nil {
		t.Error(err)
	}
	if seen < 18 {
		t.Errorf("looked at %d files", seen)
	}
}

func TestAppendLeavesTheModeOfAFileThatIsThere(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lines")
	put(t, name, "a\n")
	if err := os.Chmod(name, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := durable.Append(name, []byte("b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := mode(t, name); got != 0o640 {
		t.Errorf("mode %o", got)
	}
}

func TestAppendFollowsNoLinkAndWaitsForNoPipe(t *testing.T) {
	dir := t.TempDir()
	target, link, dangling, pipe := filepath.Join(dir, "target"), filepath.Join(dir, "link"), filepath.Join(dir, "dangling"), filepath.Join(dir, "pipe")
	put(t, target, "theirs\n")
	for name, to := range map[string]string{link: target, dangling: filepath.Join(dir, "nowhere")} {
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, reason := range map[string]string{link: "it is a symbolic link", dangling: "it is a symbolic link", pipe: "it is no regular file"} {
		err := durable.Append(name, []byte("ours\n"), 0o644)
		if want := "appending to " + name + ": " + reason; err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	mustHold(t, target, "theirs\n")
	mustHaveOnly(t, dir, "dangling", "link", "pipe", "target")
}

func TestWhatRootMakesBelongsToTheFoldersOwner(t *testing.T) {
	theirs, ours := filepath.Join(others(t), "theirs"), t.TempDir()
	if err := os.Mkdir(theirs, 0o755); err != nil {
		t.Fatal(err)
	}
	mine := fmt.Sprintf("%d:%d", os.Geteuid(), os.Getegid())
	want := mine
	if os.Geteuid() == 0 {
		if err := os.Chown(theirs, demoted, 4321); err != nil {
			t.Fatal(err)
		}
		want = fmt.Sprintf("%d:4321", demoted)
	}
	for dir, want := range map[string]string{theirs: want, ours: mine} {
		for do, operation := range operations {
			if do == "Remove" || do == "Rename" || strings.HasSuffix(do, " three") {
				continue
			}
			name := filepath.Join(dir, do)
			given := task{Do: do, Name: name, Content: "x\n", Mode: 0o600}
			asItMakes := durable.Act{At: func(moment string) error {
				for _, n := range names(t, dir) {
					if got := owner(t, filepath.Join(dir, n)); got != want {
						t.Errorf("%s in %s belongs to %s when it is %s, want %s", n, dir, got, moment, want)
					}
				}
				return nil
			}}
			if err := operation(asItMakes, given); err != nil {
				t.Error(err)
			}
			if got := owner(t, name); got != want {
				t.Errorf("what %s made in %s belongs to %s, want %s", do, dir, got, want)
			}
			if got := mode(t, name); got != 0o600 {
				t.Errorf("what %s made in %s has mode %o", do, dir, got)
			}
		}
	}
	// What root replaces goes to the folder's owner too, whoever had it.
	if os.Geteuid() == 0 {
		name := filepath.Join(theirs, "root's")
		put(t, name, "old")
		if err := durable.WriteFile(name, []byte("new"), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := owner(t, name); got != want {
			t.Errorf("what was replaced belongs to %s", got)
		}
	}
}

func TestProcessesThatCreateOneNameHaveOneWinner(t *testing.T) {
	for _, way := range []string{"Create", "Mkdir"} {
		dir := t.TempDir()
		name := filepath.Join(dir, "name")
		won := make(chan verdict)
		const many = 6
		for range many {
			go func() {
				won <- run(t, task{Do: way, Name: name, Content: "x", Repeat: 100_000, Mode: 0o700, Umask: -1})
			}()
		}
		winners := 0
		for range many {
			if v := <-won; v.Err == "" {
				winners++
			} else if !v.Exists {
				t.Error(v.Err)
			}
		}
		if winners != 1 {
			t.Errorf("%s: %d winners", way, winners)
		}
		mustHaveOnly(t, dir, "name")
	}
}

func TestWithoutExclusiveRenamingThereIsOneWinnerToo(t *testing.T) {
	for name, moveNew := range map[string]func(from, to string) error{"by hard link": durable.LinkNew, "by claim": durable.Claim} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			to := filepath.Join(dir, "to")
			results := make(chan error)
			const many = 12
			for i := range many {
				from := filepath.Join(dir, fmt.Sprint("from", i))
				put(t, from, "content")
				go func() { results <- moveNew(from, to) }()
			}
			winners := 0
			for range many {
				if err := <-results; err == nil {
					winners++
				} else if !errors.Is(err, fs.ErrExist) {
					t.Error(err)
				}
			}
			if left := len(names(t, dir)); winners != 1 || left != many {
				t.Errorf("%d winners, and %d files where %d are to be", winners, left, many)
			}
			mustHold(t, to, "content")
		})
	}
}

func TestAKillDuringStageLeavesNothingThatIsNotOurs(t *testing.T) {
	whole := func(n string) string { return "content " + n }
	for _, at := range []string{"made", "half", "written", "synced", "placed", "settled"} {
		for passes := range 3 {
			late := at == "placed" || at == "settled"
			if late && passes > 0 {
				continue
			}
			t.Run(fmt.Sprint(at, " ", passes), func(t *testing.T) {
				dir := t.TempDir()
				name := filepath.Join(dir, ".file")
				die(t, task{Do: "Stage three", Name: name, Content: "content ", Mode: 0o600, DieAt: at, Passes: passes, Umask: 0})
				left := names(t, dir)
				for i, base := range left {
					n := fmt.Sprint(i + 1)
					data, err := os.ReadFile(filepath.Join(dir, base))
					if base != ".file"+n || err != nil || !strings.HasPrefix(whole(n), string(data)) {
						t.Errorf("%s holds %q, %v", base, data, err)
					}
					if got := mode(t, filepath.Join(dir, base)); got != 0o600 {
						t.Errorf("%s has mode %o", base, got)
					}
					if (late || at == "synced") && string(data) != whole(n) {
						t.Errorf("%s holds %q when all is written", base, data)
					}
				}
				want := passes + 1
				if late || at == "synced" {
					want = 3
				}
				if len(left) != want {
					t.Errorf("%q are left, want %d", left, want)
				}
			})
		}
	}
}

func TestAKillDuringRenameAllLosesNoFile(t *testing.T) {
	for passes := range 3 {
		dir := t.TempDir()
		name := filepath.Join(dir, "file")
		for _, n := range []string{"1", "2", "3"} {
			put(t, name+n, "new "+n)
			put(t, name+"-"+n, "old "+n)
		}
		die(t, task{Do: "RenameAll three", Name: name, DieAt: "moved", Passes: passes, Umask: -1})
		for i, n := range []string{"1", "2", "3"} {
			if i <= passes {
				mustHold(t, name+"-"+n, "new "+n)
				continue
			}
			mustHold(t, name+"-"+n, "old "+n)
			mustHold(t, name+n, "new "+n)
		}
		if got := len(names(t, dir)); got != 5-passes {
			t.Errorf("after %d: %d files", passes+1, got)
		}
	}
}

func TestAKillDuringRemoveAllIsTakenUpByTheNext(t *testing.T) {
	for _, at := range []string{"moved", "placed"} {
		dir := t.TempDir()
		name := filepath.Join(dir, "file")
		for _, n := range []string{"1", "2", "3"} {
			put(t, name+n, n)
		}
		die(t, task{Do: "RemoveAll three", Name: name, DieAt: at, Umask: -1})
		if err := durable.RemoveAll([]string{name + "1", name + "2", name + "3"}); err != nil {
			t.Error(err)
		}
		mustHaveOnly(t, dir)
	}
}
