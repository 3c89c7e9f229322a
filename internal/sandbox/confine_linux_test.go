package sandbox_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"github.com/ftsca/ftsca/internal/sandbox"
	"github.com/ftsca/ftsca/internal/testchild"
	"github.com/ftsca/ftsca/internal/testpki"
)

// needLandlock returns the version of Landlock that the kernel has.
func needLandlock(t *testing.T) int {
	t.Helper()
	version, err := ll.LandlockGetABIVersion()
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPERM) {
		testpki.Lack(t, "a kernel with Landlock")
	}
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// stage is a folder with what a child tries its hand at.
func stage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{"room", "files"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"outside", "cut", "gone", "next", "room/file", "room/renamed", "room/gone", "room/other", "files/file", "files/gone"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("some text"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join("..", "outside"), filepath.Join(dir, "room", "link")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// child has a child do a task beside what it may try to reach, and returns its verdict.
func child(t *testing.T, job task) (v verdict) {
	t.Helper()
	job.Dir = stage(t)
	job.Reach.Room = filepath.Join(job.Dir, "room")
	job.Reach.Files = []string{filepath.Join(job.Dir, "files")}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go echo(l)
	job.Port = l.Addr().(*net.TCPAddr).Port
	job.Socket = fmt.Sprintf("@ftsca-sandbox-%d-%s", os.Getpid(), filepath.Base(job.Dir))
	socket, err := net.ListenPacket("unixgram", job.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	other := exec.Command("sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Wait()
	defer other.Process.Kill()
	job.Other = other.Process.Pid

	cmd := testchild.Command(t, job)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "confined\n" {
		t.Fatalf("the child said %q (%v, %v)", line, err, cmd.Wait())
	}
	if err := os.Rename(filepath.Join(job.Dir, "next"), filepath.Join(job.Dir, "room", "renamed")); err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(in, "\n")
	err = errors.Join(err, json.NewDecoder(lines).Decode(&v))
	if err := errors.Join(err, cmd.Wait()); err != nil {
		t.Fatal(err)
	}
	return v
}

func echo(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(conn, conn)
			_ = conn.Close()
		}()
	}
}

func TestConfinedProcessReachesItsRoomAlone(t *testing.T) {
	version := needLandlock(t)
	// What each attempt comes to in a process that is confined: from which version on it fails, or 0 where it succeeds.
	const stays, all = 0, 1
	expected := map[string]int{
		"read a file of the room":           stays,
		"read one that was renamed into it": stays,
		"list the room":                     stays,
		"remove a file of the room":         stays,
		"read a file of a folder of files":  stays,

		"write into the room":             all,
		"overwrite a file of the room":    all,
		"make a folder in the room":       all,
		"rename a file of the room":       all,
		"read through a link in the room": all,
		"read by a way out of the room":   all,
		"list a folder of files":          all,
		"remove from a folder of files":   all,
		"read outside":                    all,
		"list outside":                    all,
		"write outside":                   all,
		"truncate outside":                3,
		"remove outside":                  all,
		"read /etc/passwd":                all,
		"start a program":                 all,

		"read another process's memory":      all,
		"read another process's environment": all,
		"copy another process's memory":      all,
		"trace another process":              all,
		"signal another process":             6,
		"connect by TCP":                     4,
		"take a port":                        4,
		"connect to an abstract socket":      6,

		"read what was opened outside":      stays,
		"use a connection of before":        stays,
		"accept on a listener of before":    stays,
		"tell an abstract socket of before": stays,

		"read what /proc tells of the process": stays,
		"count the process's own descriptors":  stays,
		"read what /proc tells of the machine": stays,
		"read what /proc tells of another":     all,
	}
	free := child(t, task{})
	held := child(t, task{Confine: true, Reach: sandbox.Reach{Itself: true}})
	switch c := held.Confinement; {
	case c.Landlock < 1 || c.Landlock > version || c.Why != "":
		t.Errorf("%+v in a kernel of version %d", c, version)
	case free.Confinement.Confined():
		t.Errorf("%+v without Confine", free.Confinement)
	}
	if !held.OnEachThread {
		t.Error("one of the threads is not confined as the others are")
	}
	for name := range expected {
		if _, tried := held.Attempts[name]; !tried {
			t.Errorf("nobody tries to %s", name)
		}
	}
	for name := range held.Attempts {
		t.Run(name, func(t *testing.T) {
			since, known := expected[name]
			if !known {
				t.Fatal("nobody says what this comes to")
			}
			if message := free.Attempts[name]; message != "" {
				if !strings.Contains(name, "another process") {
					t.Fatalf("where it is not confined it comes to %q, and so this shows nothing", message)
				}
				// Yama and containers keep other processes from everybody.
				testpki.Lack(t, "a process that may "+name+" where it is not confined")
			}
			message := held.Attempts[name]
			if refused := since > 0 && held.Confinement.Landlock >= since; refused != (message != "") {
				t.Errorf("it came to %q in version %d", message, held.Confinement.Landlock)
			}
			if message != "" && !strings.Contains(message, "permission denied") && !strings.Contains(message, "operation not permitted") {
				t.Errorf("it was refused with %q", message)
			}
		})
	}
}

// Without Itself not even /proc is within reach.
func TestConfinedProcessReachesProcWhereItIsToldSoAlone(t *testing.T) {
	needLandlock(t)
	v := child(t, task{Confine: true})
	for _, name := range []string{"read what /proc tells of the process", "read what /proc tells of the machine", "count the process's own descriptors"} {
		if !strings.Contains(v.Attempts[name], "permission denied") {
			t.Errorf("%s: %q", name, v.Attempts[name])
		}
	}
}

func TestWhatANewerKernelWouldCloseIsTold(t *testing.T) {
	for version, want := range map[int]string{
		1:  "truncating files, TCP, ioctl on devices, signals, abstract Unix sockets, Unix sockets that are files, UDP",
		3:  "TCP, ioctl on devices, signals, abstract Unix sockets, Unix sockets that are files, UDP",
		5:  "signals, abstract Unix sockets, Unix sockets that are files, UDP",
		6:  "Unix sockets that are files, UDP",
		10: "",
	} {
		if got := strings.Join(sandbox.Open(version), ", "); got != want {
			t.Errorf("version %d leaves open: %s", version, got)
		}
	}
	needLandlock(t)
	if c := child(t, task{Confine: true}).Confinement; !slices.Equal(c.Open, sandbox.Open(c.Landlock)) {
		t.Errorf("%+v", c)
	}
}

func TestAFolderThatIsNotThereConfinesNobody(t *testing.T) {
	needLandlock(t)
	// A process that were confined could not run the tests that follow.
	_, err := sandbox.Confine(sandbox.Reach{Room: filepath.Join(t.TempDir(), "absent")})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "absent") {
		t.Errorf("%v", err)
	}
	if _, err := os.ReadDir("/"); err != nil {
		t.Error(err)
	}
}
