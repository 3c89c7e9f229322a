package sandbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftsca/ftsca/internal/sandbox"
	"github.com/ftsca/ftsca/internal/testchild"
)

// task is what a child is to do.
type task struct {
	Confine bool
	NoDumps bool
	Crash   bool // as a program with a bug does
	Reach   sandbox.Reach
	Dir     string // the stage of the attempts
	Other   int    // another process, of the same account
	Port    int    // that the parent listens on
	Socket  string // an abstract one, on which the parent listens
}

// verdict is what a child tells.
type verdict struct {
	Confinement  sandbox.Confinement
	Attempts     map[string]string // "", or why it failed
	OnEachThread bool              // whether each thread that was there before found the same
	Dumpable     bool
	CoreLimit    uint64 // that of files, the soft and the hard one together
}

func TestMain(m *testing.M) { testchild.Main(m, task.run) }

func (t task) run() error {
	if t.NoDumps {
		if err := sandbox.NoDumps(); err != nil {
			return err
		}
	}
	if t.Crash {
		panic("a bug")
	}
	open, err := t.open()
	if err != nil {
		return err
	}
	threads := startThreads()
	var v verdict
	if t.Confine {
		if v.Confinement, err = sandbox.Confine(t.Reach); err != nil {
			return err
		}
	}
	// The parent puts another file in the place of one.
	fmt.Println("confined")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	v.Attempts = map[string]string{}
	for name, try := range t.attempts(open) {
		v.Attempts[name] = message(try())
	}
	v.OnEachThread = true
	for _, thread := range threads {
		thread <- func() {
			for _, name := range []string{"read outside", "read a file of the room"} {
				if message(t.attempts(open)[name]()) != v.Attempts[name] {
					v.OnEachThread = false
				}
			}
		}
		thread <- func() {} // the one before is done
	}
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil {
		return err
	}
	var cores unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &cores); err != nil {
		return err
	}
	v.Dumpable, v.CoreLimit = dumpable != 0, cores.Cur|cores.Max
	return json.NewEncoder(os.Stdout).Encode(v)
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// startThreads starts threads that do what they are given, each a thread of its own.
func startThreads() (threads []chan func()) {
	for range 8 {
		thread := make(chan func())
		go func() {
			runtime.LockOSThread()
			for do := range thread {
				do()
			}
		}()
		thread <- func() {}
		threads = append(threads, thread)
	}
	return threads
}

// opened is what a child has open before it is confined.
type opened struct {
	file     *os.File
	listener net.Listener
	conn     net.Conn
	notify   net.Conn // to the abstract socket
}

func (t task) open() (o opened, err error) {
	if o.file, err = os.Open(filepath.Join(t.Dir, "outside")); err != nil {
		return o, err
	}
	if o.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return o, err
	}
	if o.conn, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", t.Port)); err != nil {
		return o, err
	}
	o.notify, err = net.Dial("unixgram", t.Socket)
	return o, err
}

// attempts are what a child tries, by name.
func (t task) attempts(o opened) map[string]func() error {
	in := func(name string) string { return filepath.Join(t.Dir, name) }
	proc := func(pid any, name string) string { return fmt.Sprintf("/proc/%v/%s", pid, name) }
	read := func(path string) func() error {
		return func() error {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.ReadAt(make([]byte, 1), 0)
			if errors.Is(err, syscall.EIO) {
				return nil // nothing is at this address of a memory
			}
			return err
		}
	}
	list := func(path string) func() error {
		return func() error { _, err := os.ReadDir(path); return err }
	}
	write := func(path string) func() error {
		return func() error { return os.WriteFile(path, []byte("x"), 0o600) }
	}
	return map[string]func() error{
		"read a file of the room":              read(in("room/file")),
		"read one that was renamed into it":    read(in("room/renamed")),
		"list the room":                        list(in("room")),
		"remove a file of the room":            func() error { return os.Remove(in("room/gone")) },
		"write into the room":                  write(in("room/new")),
		"overwrite a file of the room":         write(in("room/file")),
		"make a folder in the room":            func() error { return os.Mkdir(in("room/folder"), 0o700) },
		"rename a file of the room":            func() error { return os.Rename(in("room/other"), in("room/moved")) },
		"read through a link in the room":      read(in("room/link")),
		"read by a way out of the room":        read(in("room") + "/../outside"),
		"read a file of a folder of files":     read(in("files/file")),
		"list a folder of files":               list(in("files")),
		"remove from a folder of files":        func() error { return os.Remove(in("files/gone")) },
		"read outside":                         read(in("outside")),
		"list outside":                         list(t.Dir),
		"write outside":                        write(in("outside")),
		"truncate outside":                     func() error { return os.Truncate(in("cut"), 0) },
		"remove outside":                       func() error { return os.Remove(in("gone")) },
		"read /etc/passwd":                     read("/etc/passwd"),
		"read another process's memory":        read(proc(t.Other, "mem")),
		"read another process's environment":   read(proc(t.Other, "environ")),
		"copy another process's memory":        func() error { return copyMemory(t.Other) },
		"trace another process":                func() error { return trace(t.Other) },
		"signal another process":               func() error { return unix.Kill(t.Other, 0) },
		"start a program":                      func() error { return exec.Command("/bin/true").Run() },
		"connect by TCP":                       func() error { return connect(t.Port) },
		"take a port":                          func() error { return listen("127.0.0.1:0") },
		"connect to an abstract socket":        func() error { return send(t.Socket) },
		"read what was opened outside":         func() error { _, err := o.file.ReadAt(make([]byte, 1), 0); return err },
		"use a connection of before":           func() error { return ask(o.conn) },
		"accept on a listener of before":       func() error { return expired(o.listener) },
		"tell an abstract socket of before":    func() error { _, err := o.notify.Write([]byte("x")); return err },
		"read what /proc tells of the process": read(proc("self", "stat")),
		"count the process's own descriptors":  list(proc("self", "fd")),
		"read what /proc tells of the machine": read("/proc/stat"),
		"read what /proc tells of another":     read(proc(t.Other, "stat")),
	}
}

func copyMemory(pid int) error {
	var b byte
	_, err := unix.ProcessVMReadv(pid, []unix.Iovec{{Base: &b, Len: 1}}, []unix.RemoteIovec{{Base: 0, Len: 1}}, 0)
	if errors.Is(err, unix.EFAULT) {
		return nil // nothing is at this address, and it was looked for
	}
	return err
}

// trace attaches to a process and lets it go at once.
func trace(pid int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.PtraceAttach(pid); err != nil {
		return err
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil {
		return err
	}
	return unix.PtraceDetach(pid)
}

func connect(port int) error {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), 5*time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}

// listen takes a port as every program did before MPTCP, of which Landlock knows nothing.
func listen(address string) error {
	var c net.ListenConfig
	c.SetMultipathTCP(false)
	l, err := c.Listen(context.Background(), "tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}

func send(to string) error {
	conn, err := net.Dial("unixgram", to)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte("x"))
	return err
}

// ask has the parent echo a byte.
func ask(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("x")); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 1))
	return err
}

// expired accepts on l until nobody comes.
func expired(l net.Listener) error {
	if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return err
	}
	_, err := l.Accept()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}
