package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File is a file to make.
type File struct {
	Name string
	Data []byte
	Mode fs.FileMode // permission bits
}

// CreateAll is [Create] for many files at once: the names in each folder are brought to disk once and not for every
// file, which takes most of the time. With an error, none of the files is left.
func CreateAll(files []File) error {
	folders := folders{}
	defer folders.close()
	for i, f := range files {
		err := folders.create(f)
		if err != nil {
			for _, made := range files[:i] {
				err = errors.Join(err, Remove(made.Name))
			}
			return fmt.Errorf("creating %s: %w", f.Name, err)
		}
	}
	return folders.sync()
}

// Move is a new name for a file.
type Move struct{ From, To string }

// RenameAll is [Rename] for many files at once. With an error, some may have their new names.
func RenameAll(moves []Move) error {
	folders := folders{}
	defer folders.close()
	for _, m := range moves {
		wrap := func(err error) error { return fmt.Errorf("renaming %s to %s: %w", m.From, m.To, err) }
		for _, name := range []string{m.From, m.To} {
			if _, err := folders.open(filepath.Dir(name)); err != nil {
				return wrap(err)
			}
		}
		if err := move(m.From, m.To); err != nil {
			return wrap(cause(err))
		}
	}
	return folders.sync()
}

// RemoveAll is [Remove] for many files at once.
func RemoveAll(names []string) error {
	folders := folders{}
	defer folders.close()
	var errs []error
	for _, name := range names {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, &fs.PathError{Op: "removing", Path: name, Err: cause(err)})
		}
		if _, err := folders.open(filepath.Dir(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, folders.sync())...)
}

// folders are open folders by path.
type folders map[string]*folder

func (f folders) open(dir string) (*folder, error) {
	if d, ok := f[dir]; ok {
		return d, nil
	}
	d, err := openFolder(dir)
	if err == nil {
		f[dir] = d
	}
	return d, err
}

func (f folders) create(file File) error {
	// A shortcut: what decides is moveNew.
	if _, err := os.Lstat(file.Name); err == nil {
		return fs.ErrExist
	}
	dir, err := f.open(filepath.Dir(file.Name))
	if err != nil {
		return err
	}
	t, err := act{}.stage(dir, filepath.Base(file.Name), suffix, file.Data, file.Mode)
	if err != nil {
		return err
	}
	if err := t.place(file.Name, moveNew); err != nil {
		return t.discard(err)
	}
	return nil
}

func (f folders) sync() error {
	var errs []error
	for _, d := range f {
		errs = append(errs, d.sync())
	}
	return errors.Join(errs...)
}

func (f folders) close() {
	for _, d := range f {
		d.Close()
	}
}
