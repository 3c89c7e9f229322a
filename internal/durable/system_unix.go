//go:build unix

package durable

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// closeBeforeMove is for systems that do not rename an open file.
	closeBeforeMove = false
	// noFollow keeps root, in a folder of somebody else's, from writing where a link of theirs leads; and a pipe that
	// nobody reads from holding it up.
	noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
)

// move renames a file, over another if there is one.
func move(from, to string) error { return os.Rename(from, to) }

// flush brings a folder to disk.
func flush(dir *os.File) error {
	err := dir.Sync()
	// Some network and FUSE file systems know no such thing for a folder.
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// follow gives a new file to the owner of its folder, where that is another than root, who writes it.
func follow(f *os.File, dir *folder) error {
	if os.Geteuid() != 0 {
		return nil
	}
	owner, group, err := owners(dir.File)
	if err != nil || owner == 0 {
		return err
	}
	uid, gid, err := owners(f)
	if err != nil || (uid == owner && gid == group) {
		return err
	}
	if err := f.Chown(owner, group); err != nil && HasModes(dir.Name()) {
		return &fs.PathError{Op: "giving it to the owner of", Path: dir.Name(), Err: cause(err)}
	}
	return nil
}

func owners(f *os.File) (uid, gid int, err error) {
	var st unix.Stat_t
	for {
		err := unix.Fstat(int(f.Fd()), &st)
		if err != unix.EINTR {
			return int(st.Uid), int(st.Gid), err
		}
	}
}

// unmask gives a new file the bits that the umask took from its mode. It takes none away: there are none too many.
func unmask(f *os.File, mode fs.FileMode) error {
	info, err := f.Stat()
	if err != nil {
		return cause(err)
	}
	if mode&^info.Mode().Perm() == 0 {
		return nil
	}
	if err := f.Chmod(mode); err != nil && HasModes(f.Name()) {
		return &fs.PathError{Op: "setting the mode of", Path: f.Name(), Err: cause(err)}
	}
	return nil
}

// adapt is follow and unmask for a new folder.
func adapt(parent *folder, name string, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		// A umask as 0777 leaves not even its owner a way to open it; the name is ours and new.
		if err := os.Chmod(name, mode); err != nil {
			return cause(err)
		}
		if f, err = os.OpenFile(name, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0); err != nil {
			return cause(err)
		}
	}
	defer f.Close()
	if err := follow(f, parent); err != nil {
		return err
	}
	return unmask(f, mode)
}

// lock marks a temporary file as one of a live process. A file system without locks has none to sweep either.
func lock(f *os.File) error {
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
		case unix.EINTR:
		case unix.EWOULDBLOCK:
			// Sweep came between its making and this; it is about to remove it.
			return errors.New("its temporary file was swept away")
		default:
			return nil
		}
	}
}

// removeDead removes a temporary file unless its process lives.
func removeDead(name string) error {
	f, err := os.OpenFile(name, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil
	}
	return os.Remove(name)
}

// claim is moveNew where the file system renames only over what is there, and has no hard links.
func claim(from, to string) error {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_ = f.Close()
	if err := os.Rename(from, to); err != nil {
		_ = os.Remove(to)
		return err
	}
	return nil
}

// linkNew is moveNew where the file system has no exclusive renaming.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		return os.Remove(from)
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist):
		return err
	}
	return claim(from, to)
}

// unsupported tells whether a renaming with flags failed because the file system or the kernel does not have it.
func unsupported(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported)
}
