//go:build unix

package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ftsca/ftsca/internal/testpki"
)

// as runs a command under another account. Root can write everywhere, so what it could not show is run as nobody.
func as(cmd *exec.Cmd, uid uint32) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return cmd
}

const nobody = 65534

func TestUnwritableFolderIsToldAndChangesNothing(t *testing.T) {
	o := newOperator(t)
	o.must(o.issue("alice")...)
	run := func(cmd *exec.Cmd) string {
		t.Helper()
		if os.Getuid() == 0 {
			cmd = as(reachable(t, openTo(t, cmd, o.store)), nobody)
		} else {
			shut(t, o.store)
		}
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("%v succeeded: %s", cmd.Args[1:], out)
		}
		return string(out)
	}
	for _, args := range [][]string{o.issue("bob"), {"revoke", "alice"}, {"crl", "sign"}} {
		out := run(o.command(args...))
		if !strings.Contains(out, "permission denied") || !strings.Contains(out, "hint: run ftsca as the owner of") {
			t.Errorf("ftsca %s was refused with:\n%s", strings.Join(args, " "), out)
		}
	}
	reopen(t, o.store)
	for _, r := range o.whole() {
		if r.State != "valid" || r.Name == "bob" {
			t.Errorf("%s is %s after the refused commands", r.Name, r.State)
		}
	}
}

// openTo lets another account reach the store's folder and read its endpoint room, as on a machine that serves.
func openTo(t *testing.T, cmd *exec.Cmd, store string) *exec.Cmd {
	t.Helper()
	for dir := store; dir != filepath.Dir(dir) && strings.HasPrefix(dir, os.TempDir()+string(filepath.Separator)); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(store, "endpoint"), 0o755); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// reachable puts a copy of the program where another account can run it.
func reachable(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	dir, err := os.MkdirTemp("", "ftsca-account-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, err := os.ReadFile(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Path = filepath.Join(dir, "ftsca")
	if err := os.WriteFile(cmd.Path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd.Args[0], cmd.Dir = cmd.Path, dir
	return cmd
}

func shut(t *testing.T, store string) {
	t.Helper()
	for _, dir := range []string{"authority/runs", "authority", "endpoint"} {
		if err := os.Chmod(filepath.Join(store, dir), 0o500); err != nil {
			t.Fatal(err)
		}
	}
}

func reopen(t *testing.T, store string) {
	t.Helper()
	for dir, mode := range map[string]os.FileMode{"authority": 0o700, "authority/runs": 0o700, "endpoint": 0o750} {
		if err := os.Chmod(filepath.Join(store, dir), mode); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRootLeavesNewFilesToTheFoldersOwner(t *testing.T) {
	if os.Getuid() != 0 {
		testpki.Lack(t, "root, who alone can act in a folder of somebody else's")
	}
	o := newOperator(t)
	err := filepath.Walk(o.store, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, nobody, nobody)
	})
	if err != nil {
		t.Fatal(err)
	}
	o.must("issue", "server", "h.example.org", "--key", "ecdsa-p256")
	o.must(o.issue("alice")...)
	o.must("revoke", "alice")
	err = filepath.Walk(o.store, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if uid := info.Sys().(*syscall.Stat_t).Uid; uid != nobody {
			t.Errorf("%s belongs to %d and not to the folder's owner", path, uid)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
