package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// folder is an open folder, in which names change. It is opened before anything is written, so that a folder that
// cannot be brought to disk in the end refuses the whole operation at its start.
type folder struct{ *os.File }

func openFolder(dir string) (*folder, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, &fs.PathError{Op: "opening", Path: dir, Err: cause(err)}
	}
	return &folder{f}, nil
}

func (d *folder) sync() error {
	if err := flush(d.File); err != nil {
		return &fs.PathError{Op: "syncing", Path: d.Name(), Err: cause(err)}
	}
	return nil
}

// SyncDir brings the names in a folder to disk: which files it has, not what is in them. On Windows it does nothing,
// and neither does it on a file system that cannot do this. The error is an *fs.PathError.
func SyncDir(dir string) error {
	d, err := openFolder(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.sync()
}

// Rename gives a file or a folder another name, also in another folder of the same file system, and replaces a file of
// that name. It brings the names to disk, not the content: that has to be there already. The error wraps the system's.
func Rename(oldpath, newpath string) error { return act{}.rename(oldpath, newpath) }

// RenameNew is [Rename] to a name that is free, for anything that has a name: a folder, a link itself, a pipe. The error
// wraps [fs.ErrExist] where the name is taken.
func RenameNew(oldpath, newpath string) error { return act{}.renameNew(oldpath, newpath) }

func (a act) renameNew(oldpath, newpath string) error {
	if _, err := os.Lstat(newpath); err == nil {
		return fmt.Errorf("renaming %s to %s: %w", oldpath, newpath, fs.ErrExist)
	}
	// A folder has no second name, which is how some file systems rename exclusively; and it never replaces a file.
	if info, err := os.Lstat(oldpath); err == nil && info.IsDir() {
		return a.rename(oldpath, newpath)
	}
	return a.renameBy(oldpath, newpath, moveNew)
}

func (a act) rename(oldpath, newpath string) error { return a.renameBy(oldpath, newpath, move) }

func (a act) renameBy(oldpath, newpath string, move func(from, to string) error) error {
	wrap := func(err error) error { return fmt.Errorf("renaming %s to %s: %w", oldpath, newpath, err) }
	to, err := openFolder(filepath.Dir(newpath))
	if err != nil {
		return wrap(err)
	}
	defer to.Close()
	from := to
	if filepath.Dir(oldpath) != filepath.Dir(newpath) {
		if from, err = openFolder(filepath.Dir(oldpath)); err != nil {
			return wrap(err)
		}
		defer from.Close()
	}
	if err := move(oldpath, newpath); err != nil {
		return wrap(cause(err))
	}
	// The new name first: a power failure between the two leaves both, never none.
	if err := a.settle(to); err != nil {
		return wrap(err)
	}
	if from != to {
		if err := from.sync(); err != nil {
			return wrap(err)
		}
	}
	return nil
}

// Remove removes a file or an empty folder. One that is not there is no error, and neither is a missing folder around
// it. The error is an *fs.PathError.
func Remove(name string) error { return act{}.remove(name) }

func (a act) remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &fs.PathError{Op: "removing", Path: name, Err: cause(err)}
	}
	// Also where there was nothing to remove: a kill may have come between the removal and this.
	dir, err := openFolder(filepath.Dir(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		defer dir.Close()
		err = a.settle(dir)
	}
	if err != nil {
		return fmt.Errorf("removing %s: %w", name, err)
	}
	return nil
}

// Mkdir makes one folder with the given permission bits, whatever the umask. The error wraps [fs.ErrExist] where the
// name is taken.
func Mkdir(dir string, mode fs.FileMode) error { return act{}.mkdir(dir, mode) }

func (a act) mkdir(name string, mode fs.FileMode) error {
	wrap := func(err error) error { return fmt.Errorf("making the folder %s: %w", name, err) }
	parent, err := openFolder(filepath.Dir(filepath.Clean(name)))
	if err != nil {
		return wrap(err)
	}
	defer parent.Close()
	if err := os.Mkdir(name, mode.Perm()); err != nil {
		if errors.Is(err, fs.ErrPermission) {
			err = &fs.PathError{Op: "creating a folder in", Path: parent.Name(), Err: cause(err)}
		} else {
			err = cause(err)
		}
		return wrap(err)
	}
	if err := a.furnish(parent, name, mode); err != nil {
		_ = os.Remove(name)
		return wrap(err)
	}
	return nil
}

// furnish gives a new folder its owner and its mode, and brings its name to disk.
func (a act) furnish(parent *folder, name string, mode fs.FileMode) error {
	if err := a.reach(made); err != nil {
		return err
	}
	if err := adapt(parent, name, mode.Perm()); err != nil {
		return err
	}
	return a.settle(parent)
}
