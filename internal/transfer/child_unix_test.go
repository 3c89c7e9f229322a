//go:build unix

package transfer_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ftsca/ftsca/internal/testchild"
	"github.com/ftsca/ftsca/internal/transfer"
)

// task is what a child does with one folder.
type task struct {
	Dir      string
	Write    transfer.Manifest // written, unless it has no items
	Contents [][]byte
	Read     transfer.Kind // read, unless ""
	UID      int           // 0 leaves it
	Limit    uint64        // the largest file in octets, 0 for none
}

// verdict is what a child tells of it.
type verdict struct {
	Err      string
	Contents [][]byte
}

func TestMain(m *testing.M) { testchild.Main(m, task.run) }

// run does the task, and writes the verdict.
func (t task) run() error {
	if t.Limit > 0 {
		// The signal would end the process before the error is seen.
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: t.Limit, Max: t.Limit}); err != nil {
			return err
		}
	}
	if t.UID > 0 {
		// In the child itself: another account cannot reach the test program, which lies in a folder of ours.
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(t.UID), syscall.Setuid(t.UID)); err != nil {
			return err
		}
	}
	var v verdict
	var err error
	if len(t.Write.Items) > 0 {
		_, err = transfer.Write(t.Dir, t.Write, t.Contents)
	}
	if t.Read != "" {
		_, v.Contents, _, err = transfer.Read(t.Dir, t.Read)
	}
	if err != nil {
		v.Err = err.Error()
	}
	return json.NewEncoder(os.Stdout).Encode(v)
}

// run runs a task in a process of its own.
func run(t testing.TB, do task) verdict {
	t.Helper()
	return testchild.Verdict[verdict](t, do)
}

// demoted is an account that owns nothing here.
const demoted = 65534

// lend makes a folder that another account can reach, unlike one of t.TempDir, and returns the account that may only
// read in it: this one, where this is not root.
func lend(t *testing.T) (dir string, uid int) {
	t.Helper()
	dir, err := os.MkdirTemp("", "transfer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(os.Chmod(dir, 0o755), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		return dir, demoted
	}
	return dir, 0
}

func TestAStickThatMayOnlyBeReadIsRead(t *testing.T) {
	dir, uid := lend(t)
	mustWrite(t, dir, request(1), texts)
	asking := complete(t, request(1), texts)
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	still := unchanged(t, dir)
	if v := run(t, task{Dir: dir, Read: transfer.Request, UID: uid}); v.Err != "" || len(v.Contents) != 3 || string(v.Contents[1]) != string(texts[1]) {
		t.Errorf("read is %+v", v)
	}
	if v := run(t, task{Dir: dir, Write: request(1), Contents: texts, UID: uid}); v.Err != "" {
		t.Errorf("the same again: %s", v.Err)
	}
	for name, do := range map[string]task{
		"answer-00001-certificates-efc439e5008f0630":         {Write: answer(t, asking), Contents: answers},
		"request-00001-certificate-request-2718de24a7d72968": {Write: another(), Contents: [][]byte{[]byte("of another")}},
	} {
		do.Dir, do.UID = dir, uid
		want := "writing the " + string(do.Write.Kind) + " to DIR: writing DIR/" + name + ": creating a file in DIR: permission denied"
		if got := strings.ReplaceAll(run(t, do).Err, dir, "DIR"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	v := run(t, task{Dir: filepath.Join(dir, "new"), Write: request(1), Contents: texts, UID: uid})
	want := "writing the request to DIR/new: making the folder DIR/new: creating a folder in DIR: permission denied"
	if got := strings.ReplaceAll(v.Err, dir, "DIR"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	still()
}

// another is a request of one item.
func another() transfer.Manifest {
	m := request(2)
	m.Items = m.Items[1:2]
	return m
}

func TestAFullStickHasWhatItHadBefore(t *testing.T) {
	for _, tt := range []struct {
		name, full string
		limit      uint64
		contents   [][]byte
	}{
		{"by an item", "request-00002-certificate-request-7ca5bd879f393d9d", 4 << 10, [][]byte{[]byte("small"), make([]byte, 5000), texts[2]}},
		{"by the manifest", "request.json", 512, [][]byte{[]byte("small"), []byte("small"), texts[2]}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := asked(t)
			still := unchanged(t, dir)
			v := run(t, task{Dir: dir, Write: request(2), Contents: tt.contents, Limit: tt.limit})
			want := "writing the request to DIR: writing DIR/" + tt.full + ": file too large"
			if got := strings.ReplaceAll(v.Err, dir, "DIR"); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			still()
			mustRead(t, dir, request(1), texts)
		})
	}
}

func TestAPipeDoesNotHoldTheReaderUp(t *testing.T) {
	for _, name := range []string{"request.json", "request-00001-ca-request-f7dea474851248ff"} {
		dir, _ := asked(t)
		remove(t, dir, name)
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, dir, transfer.Request, "reading the request in DIR: "+name+" has been changed since it was written: it is no regular file")
	}
}
