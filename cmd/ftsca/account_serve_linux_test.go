package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/ftsca/ftsca/internal/testpki"
)

// On the machine of the authority too, serve needs an account that owns the endpoint room and nothing else: docs/systemd.
func TestServeNeedsTheEndpointRoomAlone(t *testing.T) {
	if os.Getuid() != 0 {
		testpki.Lack(t, "root, who alone can act as somebody else")
	}
	o := newOperator(t)
	o.must("issue", "server", "localhost", "--key", "ecdsa-p256")
	o.must(o.issue("alice")...)
	room := filepath.Join(o.store, "endpoint")
	serve := openTo(t, reachable(t, o.command("serve", "--listen", "127.0.0.1:0", "--metrics", "0")), o.store)
	err := filepath.Walk(room, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, nobody, nobody)
	})
	if err != nil {
		t.Fatal(err)
	}
	talk, err := as(serve, nobody).StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	defer serve.Process.Kill()
	lines := bufio.NewScanner(talk)
	said := ""
	// until returns what the log has after a word on the line that has it.
	until := func(word string) string {
		t.Helper()
		for lines.Scan() {
			said += lines.Text() + "\n"
			if _, after, found := strings.Cut(lines.Text(), word); found {
				return after
			}
		}
		t.Fatalf("the log has no %q:\n%s", word, said)
		return ""
	}
	url := until("url=")
	until("msg=listening")
	if has, err := hasLandlock(); err != nil {
		t.Fatal(err)
	} else if has && !strings.Contains(said, "confined to the endpoint room") {
		t.Errorf("it is not confined:\n%s", said)
	}

	// It has secrets in its memory that no core dump and no process of the same account shall have. What /proc has of such a
	// process is root's, and it counts its descriptors all the same.
	pid := fmt.Sprintf("/proc/%d/", serve.Process.Pid)
	if limits, err := os.ReadFile(pid + "limits"); err != nil || !regexp.MustCompile(`Max core file size +0 +0 `).Match(limits) {
		t.Errorf("it may leave core files (%v):\n%s", err, limits)
	}
	if info, err := os.Stat(pid + "mem"); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("it can be dumped (%v)", err)
	}
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(body), "\nprocess_open_fds ") || !strings.Contains(string(body), "\nprocess_max_fds ") {
		t.Errorf("%v\n%s", err, body)
	}

	// What root does with the store reaches it.
	o.must("revoke", "alice")
	until("revoked=1")
	o.must("status")
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until("msg=ended")
	if err := serve.Wait(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	if _, err := os.Stat(filepath.Join(room, "serve.sock")); err == nil {
		t.Error("it left its socket")
	}
}
