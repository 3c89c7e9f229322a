package sandbox_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/ftsca/ftsca/internal/testchild"
	"github.com/ftsca/ftsca/internal/testpki"
)

// crashed tells how a child that crashes ended, where every limit allows a dump.
func crashed(t *testing.T, job task) (dumped bool) {
	t.Helper()
	job.Crash = true
	child := testchild.Command(t, job)
	script := append([]string{"-c", `ulimit -c unlimited && exec "$0"`}, child.Path)
	cmd := exec.Command("sh", script...)
	cmd.Env, cmd.Dir, cmd.Stderr = append(child.Env, "GOTRACEBACK=crash", "GORACE=disable_coredump=0"), t.TempDir(), io.Discard
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatal(err)
	}
	status := exit.Sys().(syscall.WaitStatus)
	if status.Signal() != syscall.SIGABRT {
		t.Fatalf("%v", err)
	}
	return status.CoreDump()
}

func TestNoDumpsLeavesNone(t *testing.T) {
	if pattern, _ := os.ReadFile("/proc/sys/kernel/core_pattern"); strings.HasPrefix(string(pattern), "|") {
		testpki.Lack(t, "core dumps that no program of this machine collects")
	}
	if !crashed(t, task{}) {
		testpki.Lack(t, "a system that lets a process dump core")
	}
	if crashed(t, task{NoDumps: true}) {
		t.Error("a process dumped core after NoDumps")
	}
}

// The crash above shows either of the two alone.
func TestNoDumpsForbidsFilesAndWhatIsPipedToAProgram(t *testing.T) {
	if v := child(t, task{NoDumps: true}); v.Dumpable || v.CoreLimit != 0 {
		t.Errorf("after NoDumps: dumpable %v, and a core file of %d bytes may be made", v.Dumpable, v.CoreLimit)
	}
	if v := child(t, task{}); !v.Dumpable {
		t.Error("without NoDumps the process cannot be dumped either, and this test shows nothing")
	}
}
