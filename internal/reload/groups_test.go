package reload_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/groups"
	"github.com/ftsca/ftsca/internal/reload"
)

const teams = "blue: [alice, bob]\nred:\n  - bob\n"

// memberOf tells who is in which group: "alice=blue bob=blue,red"; "none" where there is no file.
func memberOf(r reload.Report) string {
	if r.Groups == nil {
		return "none"
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.Groups)) {
		all = append(all, name+"="+strings.Join(r.Groups[name], ","))
	}
	return strings.Join(all, " ")
}

// untilGroups waits until these groups are in force.
func (w *watch) untilGroups(want string) {
	w.t.Helper()
	w.until("groups "+want, func() bool { return memberOf(w.report) == want })
}

func TestGroupsNeedNotBeThere(t *testing.T) {
	f := newFolder(t)
	for _, test := range []struct{ file, want string }{{"", ""}, {"# nobody\n", ""}, {teams, "alice=blue bob=blue,red"}} {
		if _, report := f.load(); test.file == "" && memberOf(report) != "none" {
			t.Errorf("without a file: %s", memberOf(report))
		}
		f.write("groups.yaml", []byte(test.file))
		if _, report := f.load(); memberOf(report) != test.want {
			t.Errorf("%q: got %s, want %s", test.file, memberOf(report), test.want)
		}
	}
}

func TestGroupsThatCannotBeUsedAreAReasonNotToStart(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*folder)
		want  string
	}{
		{"a fault", func(f *folder) { f.write("groups.yaml", []byte("blue: [alice]\nred: [bob\n")) },
			"line 3, column 1: did not find expected ',' or ']', for what begins in line 2, column 6"},
		{"a group twice", func(f *folder) { f.write("groups.yaml", []byte("blue: [alice]\nblue: [bob]\n")) },
			`line 2, column 1: the group "blue" stands in line 1 already`},
		{"too long", func(f *folder) { f.write("groups.yaml", make([]byte, groups.MaxSize+1)) }, "it has more than 1 MiB"},
		{"a folder", func(f *folder) {
			if err := os.Mkdir(f.path("groups.yaml"), 0o700); err != nil {
				f.t.Fatal(err)
			}
		}, "DIR/groups.yaml is not a regular file"},
		{"a link to nothing", func(f *folder) {
			if err := os.Symlink("elsewhere.yaml", f.path("groups.yaml")); err != nil {
				f.t.Fatal(err)
			}
		}, "stat DIR/groups.yaml: no such file or directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFolder(t)
			test.spoil(f)
			_, _, err := f.files().Load(time.Now(), nil)
			var refused *reload.GroupsError
			if !errors.As(err, &refused) || refused.Path != f.path("groups.yaml") {
				t.Fatalf("got %v", err)
			}
			want := "the groups in DIR/groups.yaml cannot be used: " + test.want
			if got := strings.ReplaceAll(err.Error(), f.dir, "DIR"); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestABrokenListIsToldBeforeBrokenGroups(t *testing.T) {
	f := newFolder(t)
	f.write("groups.yaml", []byte("["))
	f.write("FTS_CRL.json", []byte("["))
	var list *reload.ListError
	if _, _, err := f.files().Load(time.Now(), nil); !errors.As(err, &list) {
		t.Errorf("got %v", err)
	}
}

func TestGroupsAreFollowed(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		w := follow(newFolder(t), events)
		if got := memberOf(w.report); got != "none" {
			t.Errorf("got %s", got)
		}
		w.write("groups.yaml", []byte(teams))
		w.untilGroups("alice=blue bob=blue,red")
		w.replace("groups.yaml", []byte("blue: [alice]\n"))
		w.untilGroups("alice=blue")
		w.write("groups.yaml", nil)
		w.untilGroups("")
		w.write("groups.yaml", []byte(teams))
		w.untilGroups("alice=blue bob=blue,red")
		if errs := w.errors(); len(errs) > 0 {
			t.Errorf("got errors %v", errs)
		}
	})
}

func TestGroupsAloneBuildNothingElseAnew(t *testing.T) {
	f := newFolder(t)
	f.write("FTS_CRL.json", jsonOf(f.bob))
	w := follow(f, true)
	before := w.trust
	w.write("groups.yaml", []byte(teams))
	w.untilGroups("alice=blue bob=blue,red")
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trust.Revocations != before.Revocations {
		t.Error("the revocations were loaded anew")
	}
	w.mustJudge(w.trust, w.bob)
}

func TestBrokenGroupsKeepTheOldOnes(t *testing.T) {
	folderInstead := func(w *watch) {
		w.remove("groups.yaml")
		if err := os.Mkdir(w.path("groups.yaml"), 0o700); err != nil {
			w.t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		spoil func(*watch)
		mend  func(*watch) // before the file is written anew
		err   string
	}{
		{"half-written", func(w *watch) { w.write("groups.yaml", []byte("blue: [alice, bo")) }, nil,
			"line 2, column 1: did not find expected ',' or ']', for what begins in line 1, column 7"},
		{"a typo", func(w *watch) { w.replace("groups.yaml", []byte("blue: alice\n")) }, nil,
			`line 1, column 7: want a list of the names in group "blue", as in blue: [alice, bob]`},
		{"deleted", func(w *watch) { w.remove("groups.yaml") }, nil, "stat DIR/groups.yaml: no such file or directory"},
		{"grown", func(w *watch) { w.replace("groups.yaml", make([]byte, groups.MaxSize+1)) }, nil, "it has more than 1 MiB"},
		{"a folder", folderInstead, func(w *watch) { w.remove("groups.yaml") }, "DIR/groups.yaml is not a regular file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachWay(t, func(t *testing.T, events bool) {
				f := newFolder(t)
				f.write("groups.yaml", []byte(teams))
				w := follow(f, events)
				test.spoil(w)
				// On a busy machine, the moment between two steps may be a fault of its own.
				want := "the groups in DIR/groups.yaml cannot be used: " + test.err
				w.until(want, func() bool {
					return slices.ContainsFunc(w.errs, func(err error) bool {
						var of *reload.GroupsError
						return errors.As(err, &of) && strings.ReplaceAll(err.Error(), w.dir, "DIR") == want
					})
				})
				// Others still count, and see what is broken.
				w.replace("FTS_CRL.json", jsonOf(w.bob))
				w.untilRevoked(w.bob)
				w.until("it is told as broken", func() bool { return len(w.report.Broken) == 1 })
				w.untilGroups("alice=blue bob=blue,red")
				// Mended as it was, and with something else.
				if test.mend != nil {
					test.mend(w)
				}
				w.write("groups.yaml", []byte(teams))
				w.until("it is whole", func() bool { return len(w.report.Broken) == 0 })
				w.untilGroups("alice=blue bob=blue,red")
				test.spoil(w)
				w.until("it is broken again", func() bool { return len(w.errs) > 1 })
				if test.mend != nil {
					test.mend(w)
				}
				w.write("groups.yaml", []byte("red: [carol]\n"))
				w.untilGroups("carol=red")
				w.until("it is whole", func() bool { return len(w.report.Broken) == 0 })
			})
		})
	}
}

func TestBrokenGroupsThatGoBeforeTheyWereGoodAreNoFault(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		w := follow(newFolder(t), events)
		w.write("groups.yaml", []byte("blue"))
		w.untilError(1)
		w.remove("groups.yaml")
		w.until("no fault", func() bool { return w.trusts > 0 && len(w.report.Broken) == 0 })
		w.untilGroups("none")
	})
}

func TestGroupsThatAreBeingWrittenAreNotInForce(t *testing.T) {
	f := newFolder(t)
	f.write("groups.yaml", []byte(teams))
	w := follow(f, true)
	var slowest time.Duration
	for i := range 5 {
		// A shell's > takes everybody out of his group, and what follows puts them back one by one.
		begun := time.Now()
		w.write("groups.yaml", nil)
		time.Sleep(15 * time.Millisecond)
		w.write("groups.yaml", []byte("blue: [alice]\n"))
		time.Sleep(15 * time.Millisecond)
		w.write("groups.yaml", fmt.Appendf(nil, "%sgreen: [n%d]\n", teams, i))
		slowest = max(slowest, time.Since(begun))
		w.until("a whole file", func() bool { return len(w.report.Groups[fmt.Sprintf("n%d", i)]) == 1 })
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	// On a machine so loaded that the writer took longer, what was in between was there for longer than a moment.
	if w.trusts != 5 && slowest < 50*time.Millisecond {
		t.Errorf("%d times there was something else in force", w.trusts)
	}
}

func TestGroupsWrittenAsTheyAreChangeNothing(t *testing.T) {
	f := newFolder(t)
	f.write("groups.yaml", []byte(teams))
	w := follow(f, false)
	w.write("groups.yaml", []byte(teams))
	w.replace("groups.yaml", []byte("# the same\n"+teams))
	time.Sleep(300 * time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trusts > 0 || len(w.errs) > 0 {
		t.Errorf("%d trusts, errors %v", w.trusts, w.errs)
	}
}

func TestTriggerPutsGroupsInForceAtOnce(t *testing.T) {
	w := follow(newFolder(t), true)
	w.write("groups.yaml", []byte(teams))
	w.trigger <- struct{}{}
	w.until("a trust", func() bool { return w.trusts == 1 })
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := memberOf(w.report); got != "alice=blue bob=blue,red" {
		t.Errorf("the first has the groups %s", got)
	}
}
