package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// Exists tells whether this system can confine a process, though its kernel may be too old for it.
const Exists = true

// Confine leaves the process, with all its threads and whatever it starts, what r names: it opens no other file, starts no
// program, makes no TCP connection, takes no other port, and signals, traces and reads the memory of no other process. How
// much of that holds is the kernel's to say, and stands in the Confinement. A kernel without Landlock is no error.
//
// It is opening that is held back: the account's own files can still be looked at by their names, their sizes and dates, and
// given other modes.
//
// A folder is the one that has the name now: files that are renamed into it are within reach, and another folder that
// takes its place is not. What the process has open stays open and of use, listeners and connections too.
//
// An error is one of a folder that cannot be opened, or of a kernel that has Landlock and refuses; what holds then is not
// known.
func Confine(r Reach) (Confinement, error) {
	version, err := version()
	if err != nil {
		return Confinement{Why: reason(err)}, nil
	}
	if err := confine(r); err != nil {
		return Confinement{}, fmt.Errorf("confining the process: %w", err)
	}
	return Confinement{Landlock: version, Open: open(version)}, nil
}

func confine(r Reach) error {
	// Go reads the time zone when it first writes a local time.
	_ = time.Local.String()

	var rules []landlock.Rule
	allow := func(path string, access landlock.AccessFSSet) error {
		if err := hold(path); err != nil {
			return err
		}
		rules = append(rules, landlock.PathAccess(access, path))
		return nil
	}
	const files, list, remove = ll.AccessFSReadFile, ll.AccessFSReadDir, ll.AccessFSRemoveFile
	if r.Room != "" {
		if err := allow(r.Room, files|list|remove); err != nil {
			return err
		}
	}
	for _, path := range r.Files {
		if err := allow(path, files); err != nil {
			return err
		}
	}
	if r.Itself {
		for path, access := range map[string]landlock.AccessFSSet{"/proc/self": files | list, "/proc/stat": files} {
			if err := allow(path, access); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	if err := landlock.V11.BestEffort().Restrict(rules...); err != nil {
		return err
	}
	// Best effort may be none. No rule of ours lets anybody list the root.
	if root, err := os.Open("/"); err == nil {
		_ = root.Close()
		return errors.New("the kernel agreed, and / can be listed all the same")
	}
	return nil
}

// hold keeps what path names open for as long as the process lives. A rule is about an inode, and /proc, 9p and FUSE forget
// the inode of what nobody has open: what they make in its place is under no rule, and so out of reach.
func hold(path string) error {
	for {
		_, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return &fs.PathError{Op: "opening", Path: path, Err: err}
		default:
			return nil
		}
	}
}

// newest is the version of landlock.V11.
const newest = 11

// version is that of the rules which this kernel and go-landlock both know. As go-landlock does, it takes a kernel of
// version 6 that keeps the threads of one process from signalling each other for version 5.
func version() (int, error) {
	v, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0, err
	}
	const signalsMended = 1 << 1
	if v >= 6 {
		if errata, err := ll.LandlockGetErrata(); err != nil || errata&signalsMended == 0 {
			v = 5
		}
	}
	return min(v, newest), nil
}

// open are the ways out that rules of a version do not know. TCP is the usual one alone: no version knows MPTCP.
func open(version int) (ways []string) {
	for _, w := range []struct {
		closed int // since which version
		way    string
	}{
		{3, "truncating files"}, {4, "TCP"}, {5, "ioctl on devices"}, {6, "signals"}, {6, "abstract Unix sockets"},
		{9, "Unix sockets that are files"}, {10, "UDP"},
	} {
		if version < w.closed {
			ways = append(ways, w.way)
		}
	}
	return ways
}

// reason says why a kernel has no Landlock for us.
func reason(err error) string {
	switch {
	case errors.Is(err, unix.ENOSYS):
		return "this kernel has no Landlock: it came with Linux 5.13, and may be left out when a kernel is built"
	case errors.Is(err, unix.EOPNOTSUPP):
		return "Landlock is not enabled in this kernel: its boot parameter lsm= does not list landlock"
	}
	return fmt.Sprintf("this process may not use Landlock, perhaps for a container's or a service's filter of system calls: %v", err)
}
