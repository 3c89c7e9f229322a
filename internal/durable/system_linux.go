package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// moveNew renames a file to a name that is free.
func moveNew(from, to string) error {
	err := renameWith(from, to, unix.RENAME_NOREPLACE)
	if unsupported(err) {
		return linkNew(from, to)
	}
	return err
}

// exchange gives each of two files the other's name. The error wraps [errors.ErrUnsupported] where there is no such
// thing.
func exchange(one, other string) error {
	err := renameWith(one, other, unix.RENAME_EXCHANGE)
	if unsupported(err) {
		return fmt.Errorf("%w: %v", errors.ErrUnsupported, err)
	}
	return err
}

func renameWith(from, to string, flags uint) error {
	for {
		err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, flags)
		if err != unix.EINTR {
			return err
		}
	}
}

// BeingWritten tells whether another process has the regular file open for writing, also where it is about to empty it and
// has not yet. It is false where that cannot be told: on a network's file system, for a file of another account, and
// on other systems than Linux.
func BeingWritten(name string) bool {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	// A lease for reading is given, as fcntl(2) says, only for a file that nobody has open for writing. Closing ends it.
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	return errors.Is(err, unix.EAGAIN)
}

// HasModes tells whether the file system that holds path keeps permission bits. FAT, exFAT and NTFS, as on a stick,
// show the same for every file, and chmod changes nothing there. Windows has none on any. What cannot be told counts
// as having them; a path that is not there yet counts as its folder.
func HasModes(path string) bool {
	var at unix.Statfs_t
	var file unix.Stat_t
	for unix.Statfs(path, &at) != nil || unix.Stat(path, &file) != nil {
		parent := filepath.Dir(path)
		if parent == path {
			return true
		}
		path = parent
	}
	return keepsModes(uint32(at.Type), unix.Major(uint64(file.Dev)))
}

// The numbers of linux/magic.h and fs/ntfs3.
const (
	ntfsMagic  = 0x5346544e
	ntfs3Magic = 0x7366746e
)

// keepsModes judges a file system by its number and by the major number of its device.
func keepsModes(magic, major uint32) bool {
	switch magic {
	case unix.MSDOS_SUPER_MAGIC, unix.EXFAT_SUPER_MAGIC, ntfsMagic, ntfs3Magic:
		return false
	case unix.FUSE_SUPER_MAGIC:
		// On a device of its own it is a driver for a foreign format, as ntfs-3g; without one it is sshfs, virtiofs and
		// their like, which pass on the modes of the other side.
		return major == 0
	}
	return true
}
