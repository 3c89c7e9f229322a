package durable

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile makes data the content of the file name, whether there is one or not, with the given permission bits. With
// an error the file is as it was; only when the folder cannot be brought to disk at the end may it have the new
// content. The error wraps the system's; a folder that may not be written to is an *fs.PathError with the folder.
func WriteFile(name string, data []byte, mode fs.FileMode) error {
	return act{}.writeFile(name, data, mode)
}

// Create makes a new file with data as its content and the given permission bits. Of several that create one name at
// the same time one succeeds, and nobody ever sees the file in part. The error wraps [fs.ErrExist] where the name is
// taken, by whatever it is, a symbolic link to nothing included; with an error, nothing is left of the new file.
//
// On a file system that has neither exclusive renaming nor hard links, a kill may leave an empty file.
func Create(name string, data []byte, mode fs.FileMode) error { return act{}.create(name, data, mode) }

// act is one operation. The zero act is one in earnest.
type act struct {
	// at is for tests, which stop the process or let the disk fail there.
	at func(moment) error
}

// moment is a point between two steps of an operation.
type moment string

const (
	made    moment = "made"    // the temporary file is there, and empty
	half    moment = "half"    // it has half its content
	written moment = "written" // it has its content, which is not on disk yet
	synced  moment = "synced"  // its content is on disk
	moved   moment = "moved"   // one of many has its new name, or is gone
	placed  moment = "placed"  // it has its final name, which is not on disk yet
	settled moment = "settled" // all is on disk
)

func (a act) reach(m moment) error {
	if a.at == nil {
		return nil
	}
	return a.at(m)
}

func (a act) writeFile(name string, data []byte, mode fs.FileMode) error {
	if _, err := a.put(name, data, mode, move); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

func (a act) create(name string, data []byte, mode fs.FileMode) error {
	// A shortcut: what decides is moveNew.
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("creating %s: %w", name, fs.ErrExist)
	}
	inPlace, err := a.put(name, data, mode, moveNew)
	if err != nil {
		// The caller takes it that there is no such file.
		if inPlace {
			_ = os.Remove(name)
		}
		return fmt.Errorf("creating %s: %w", name, err)
	}
	return nil
}

// put stages data and has it placed under its name. With an error it tells whether it came so far.
func (a act) put(name string, data []byte, mode fs.FileMode, place func(from, to string) error) (inPlace bool, err error) {
	dir, err := openFolder(filepath.Dir(name))
	if err != nil {
		return false, err
	}
	defer dir.Close()
	t, err := a.stage(dir, filepath.Base(name), suffix, data, mode)
	if err != nil {
		return false, err
	}
	if err := t.place(name, place); err != nil {
		return false, t.discard(err)
	}
	return true, a.settle(dir)
}

// settle brings the names in a folder to disk.
func (a act) settle(dir *folder) error {
	if err := a.reach(placed); err != nil {
		return err
	}
	if err := dir.sync(); err != nil {
		return err
	}
	return a.reach(settled)
}
