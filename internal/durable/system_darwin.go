package durable

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// moveNew renames a file to a name that is free.
func moveNew(from, to string) error {
	err := renameWith(from, to, unix.RENAME_EXCL)
	if unsupported(err) {
		return linkNew(from, to)
	}
	return err
}

// exchange gives each of two files the other's name. The error wraps [errors.ErrUnsupported] where there is no such
// thing.
func exchange(one, other string) error {
	err := renameWith(one, other, unix.RENAME_SWAP)
	if unsupported(err) {
		return fmt.Errorf("%w: %v", errors.ErrUnsupported, err)
	}
	return err
}

func renameWith(from, to string, flags uint32) error {
	for {
		err := unix.RenamexNp(from, to, flags)
		if err != unix.EINTR {
			return err
		}
	}
}

// BeingWritten would tell whether another process has the file open for writing. It cannot be told here, and is false.
func BeingWritten(string) bool { return false }

// HasModes tells whether the file system that holds path keeps permission bits. FAT, exFAT and NTFS, as on a stick,
// show the same for every file, and chmod changes nothing there. Windows has none on any. What cannot be told counts
// as having them; a path that is not there yet counts as its folder.
func HasModes(path string) bool {
	var at unix.Statfs_t
	for unix.Statfs(path, &at) != nil {
		parent := filepath.Dir(path)
		if parent == path {
			return true
		}
		path = parent
	}
	switch unix.ByteSliceToString(at.Fstypename[:]) {
	case "msdos", "exfat", "ntfs":
		return false
	}
	return true
}
