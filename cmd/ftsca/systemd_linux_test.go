package main_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/testpki"
)

const unitFile = "../../docs/systemd/ftsca.service"

func TestSystemdUnitIsInOrder(t *testing.T) {
	analyze := testpki.Need(t, "systemd-analyze")
	unit, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	// The program that it names has to be there.
	const where = "/usr/local/bin/ftsca"
	if !strings.Contains(string(unit), "ExecStart="+where+" serve\n") {
		t.Fatalf("the unit does not start %s", where)
	}
	file := filepath.Join(t.TempDir(), "ftsca.service")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(unit), where, os.Args[0])), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", "--man=no", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// Of 100, where 0 is a service that can do nothing; a service with nothing set has 96.
	const most = 20
	if out, err := exec.Command(analyze, "security", "--no-pager", "--offline=yes", fmt.Sprintf("--threshold=%d", most), file).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}

// The unit as it stands in docs/systemd, run by systemd itself, on a root and in namespaces of its own.
func TestSystemdRunsTheUnit(t *testing.T) {
	if os.Getuid() != 0 {
		testpki.Lack(t, "root, who alone can start another systemd")
	}
	testpki.Need(t, "/lib/systemd/systemd") // which no PATH has
	group := cgroup(t)
	o := newOperator(t)
	o.must("issue", "server", "localhost", "--key", "ecdsa-p256")
	o.must(o.issue("alice")...)
	unit, err := filepath.Abs(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Abs("testdata/systemd")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	inGroup := func(script string, args ...string) ([]byte, error) {
		args = append([]string{"-c", `echo $$ >"$0/cgroup.procs" && exec sh "$@"`, group, filepath.Join(scripts, script)}, args...)
		return exec.CommandContext(ctx, "sh", args...).CombinedOutput()
	}
	if said, err := inGroup("may.sh", t.TempDir()); err != nil {
		t.Logf("%v: %s", err, said)
		testpki.Lack(t, "a system that lets root mount what systemd needs")
	}
	// What links a C library would have to be carried with it.
	program := filepath.Join(t.TempDir(), "ftsca")
	if err := buildStatic(program); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	said, err := inGroup("boot.sh", unit, program, o.store, out)
	proof, missing := os.ReadFile(filepath.Join(out, "proof.log"))
	if missing != nil {
		t.Fatalf("systemd did not start: %v\n%s", err, said)
	}
	log, _ := os.ReadFile(filepath.Join(out, "serve.log"))
	for _, want := range []string{
		"started: active, listening on [::]:8089",
		"asked: ready\tyes",
		"account: ftsca",
		"NoNewPrivs:\t1",
		"Seccomp:\t2",
		"CapEff:\t0000000000000000",
		"CapBnd:\t0000000000000000",
		"authority: 0 files",
		"packages: 0 files",
		"reload: 0",
		"reloaded: the same process",
		"killed: active, 1 restart",
		"stopped: inactive, success",
		"sealed: active, ftsca, -----BEGIN ENCRYPTED PRIVATE KEY-----",
	} {
		if !strings.Contains("\n"+string(proof), "\n"+want+"\n") {
			t.Errorf("systemd does not say %q", want)
		}
	}
	if has, err := hasLandlock(); err != nil {
		t.Fatal(err)
	} else if has && strings.Count(string(log), "confined to the endpoint room") != 3 {
		t.Error("serve is not confined as often as it was started: the unit's filter keeps it from Landlock")
	}
	if !strings.HasSuffix(string(log), "msg=ended\n") {
		t.Error("serve did not end by itself")
	}
	if t.Failed() {
		t.Logf("%v\n%s\n%s\n%s", err, said, proof, log)
	}
}

// cgroup makes a cgroup for the test to be root of, and takes it away again.
func cgroup(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[2] == "cgroup2" {
			group, err := os.MkdirTemp(fields[1], "ftsca-test-")
			if err != nil {
				break
			}
			t.Cleanup(func() {
				// Those of the processes that have just been killed go a moment later.
				for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
					_ = exec.Command("find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+").Run()
					if _, err := os.Stat(group); err != nil {
						return
					}
				}
				t.Errorf("%s is left", group)
			})
			return group
		}
	}
	testpki.Lack(t, "a cgroup (version 2) to start systemd in")
	return ""
}
