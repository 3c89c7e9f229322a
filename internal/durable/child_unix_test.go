//go:build unix

package durable_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/durable"
	"github.com/ftsca/ftsca/internal/testchild"
)

// task is what a child does with one file.
type task struct {
	Do      string // a name of operations, or "WriteFile for ever"
	Name    string
	Content string
	Repeat  int // how often Content is repeated, 0 for once
	Mode    fs.FileMode
	DieAt   string // the moment at which it kills itself, "" for none
	Passes  int    // how often that moment passes before it does
	Umask   int    // -1 leaves it
	UID     int    // 0 leaves it
	Limit   uint64 // the largest file in bytes, 0 for none
}

// verdict is what a child tells of its operation.
type verdict struct {
	Err        string
	Exists     bool
	Permission bool
	NoSpace    bool
	Path       string // of the first *fs.PathError
}

var operations = map[string]func(durable.Act, task) error{
	"WriteFile": func(a durable.Act, t task) error { return a.WriteFile(t.Name, []byte(t.Content), t.Mode) },
	"Create":    func(a durable.Act, t task) error { return a.Create(t.Name, []byte(t.Content), t.Mode) },
	"Append":    func(a durable.Act, t task) error { return a.Append(t.Name, []byte(t.Content), t.Mode) },
	"Replace": func(a durable.Act, t task) error {
		_, err := a.Replace(t.Name, []byte(t.Content), t.Mode, nil)
		return err
	},
	"Stage": func(a durable.Act, t task) error {
		return a.Stage([]durable.File{{Name: t.Name, Data: []byte(t.Content), Mode: t.Mode}})
	},
	"Stage three":     func(a durable.Act, t task) error { return a.Stage(three(t)) },
	"RenameAll three": func(a durable.Act, t task) error { return a.RenameAll(threeMoves(t.Name)) },
	"RemoveAll three": func(a durable.Act, t task) error {
		return a.RemoveAll([]string{t.Name + "1", t.Name + "2", t.Name + "3"})
	},
	"Mkdir":  func(_ durable.Act, t task) error { return durable.Mkdir(t.Name, t.Mode) },
	"Remove": func(_ durable.Act, t task) error { return durable.Remove(t.Name) },
	"Rename": func(_ durable.Act, t task) error { return durable.Rename(t.Name, t.Content) },
}

func TestMain(m *testing.M) { testchild.Main(m, task.run) }

// run does the task, and writes the verdict.
func (t task) run() error {
	t.Content = strings.Repeat(t.Content, max(t.Repeat, 1))
	if err := t.prepare(); err != nil {
		return err
	}
	if t.Do == "WriteFile for ever" {
		for i := 0; ; i++ {
			if err := durable.WriteFile(t.Name, []byte(strings.Repeat(string(rune('a'+i%26)), 300_000)), t.Mode); err != nil {
				return err
			}
		}
	}
	err := operations[t.Do](durable.Act{At: func(moment string) error {
		if moment == t.DieAt {
			if t.Passes--; t.Passes >= 0 {
				return nil
			}
			if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
				panic(err)
			}
			time.Sleep(time.Minute)
		}
		return nil
	}}, t)
	v := verdict{Exists: errors.Is(err, fs.ErrExist), Permission: errors.Is(err, fs.ErrPermission), NoSpace: errors.Is(err, syscall.ENOSPC)}
	if err != nil {
		v.Err = err.Error()
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			v.Path = e.Path
		}
	}
	return json.NewEncoder(os.Stdout).Encode(v)
}

// three are the files NAME1 to NAME3, with contents of their own.
func three(t task) []durable.File {
	var files []durable.File
	for _, n := range []string{"1", "2", "3"} {
		files = append(files, durable.File{Name: t.Name + n, Data: []byte(t.Content + n), Mode: t.Mode})
	}
	return files
}

// threeMoves give NAME1 to NAME3 the names NAME-1 to NAME-3.
func threeMoves(name string) []durable.Move {
	var moves []durable.Move
	for _, n := range []string{"1", "2", "3"} {
		moves = append(moves, durable.Move{From: name + n, To: name + "-" + n})
	}
	return moves
}

func (t task) prepare() error {
	if t.Umask >= 0 {
		syscall.Umask(t.Umask)
	}
	if t.Limit > 0 {
		// The signal would end the process before the error is seen.
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: t.Limit, Max: t.Limit}); err != nil {
			return err
		}
	}
	if t.UID > 0 {
		// In the child itself: another account cannot reach the test program, which lies in a folder of ours.
		return errors.Join(syscall.Setgroups(nil), syscall.Setgid(t.UID), syscall.Setuid(t.UID))
	}
	return nil
}

// run runs a task in a process of its own.
func run(t testing.TB, do task) verdict {
	t.Helper()
	return testchild.Verdict[verdict](t, do)
}

// die runs a task that kills itself on its way.
func die(t testing.TB, do task) {
	t.Helper()
	err := testchild.Command(t, do).Run()
	if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child was to be killed at %s: %v", do.DieAt, err)
	}
}

func owner(t testing.TB, name string) string {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%d:%d", st.Uid, st.Gid)
}

func mode(t testing.TB, name string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}
