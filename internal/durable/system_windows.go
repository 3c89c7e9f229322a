package durable

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

const (
	// closeBeforeMove is for systems that do not rename an open file.
	closeBeforeMove = true
	noFollow        = 0
	// stubborn is how long a renaming is tried anew while another program, often a virus scanner, has the file open.
	stubborn = 500 * time.Millisecond
)

// move renames a file, over another if there is one.
func move(from, to string) error { return renameWith(from, to, windows.MOVEFILE_REPLACE_EXISTING) }

// moveNew renames a file to a name that is free.
func moveNew(from, to string) error { return renameWith(from, to, 0) }

func renameWith(from, to string, flags uint32) error {
	one, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	other, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	for end := time.Now().Add(stubborn); ; time.Sleep(5 * time.Millisecond) {
		err := windows.MoveFileEx(one, other, flags|windows.MOVEFILE_WRITE_THROUGH)
		busy := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !busy || time.Now().After(end) {
			return err
		}
	}
}

// exchange gives each of two files the other's name, which Windows cannot do.
func exchange(_, _ string) error { return errors.ErrUnsupported }

// flush brings a folder to disk: MOVEFILE_WRITE_THROUGH has done it.
func flush(*os.File) error { return nil }

// follow gives a new file to the owner of its folder: inherited access rights do that here.
func follow(*os.File, *folder) error { return nil }

// unmask gives a new file the bits that the umask took from its mode: there is neither.
func unmask(*os.File, fs.FileMode) error { return nil }

// adapt is follow and unmask for a new folder.
func adapt(*folder, string, fs.FileMode) error { return nil }

// lock marks a temporary file as one of a live process: an open file cannot be removed, which does as well.
func lock(*os.File) error { return nil }

// removeDead removes a temporary file unless its process lives.
func removeDead(name string) error {
	err := os.Remove(name)
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return nil
	}
	return err
}

// BeingWritten would tell whether another process has the file open for writing. It cannot be told here, and is false.
func BeingWritten(string) bool { return false }

// HasModes tells whether the file system that holds path keeps permission bits. FAT, exFAT and NTFS, as on a stick,
// show the same for every file, and chmod changes nothing there. Windows has none on any. What cannot be told counts
// as having them; a path that is not there yet counts as its folder.
func HasModes(string) bool { return false }
