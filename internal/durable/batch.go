package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// File is a file to make.
type File struct {
	Name string
	Data []byte
	Mode fs.FileMode // permission bits
}

// Stage makes new files and has them all on disk, content and names, when it returns. For many it costs a fraction of
// what [Create] does, and it promises less: a file can be seen in part, and a kill may leave any of them, whole or in
// part. So their names are such as nobody looks for but who staged them; [RenameAll] gives them the names that they are
// made for. With an error none of them is left. It wraps [fs.ErrExist] where a name is taken, which stays as it was.
func Stage(files []File) error { return act{}.stageAll(files) }

// WriteFiles is [WriteFile] for several files: all content is on disk before the first file is in place, and the names in
// each folder are brought to disk once. Each file has the old content or the new, whole; with an error or a kill, those
// that come first may have the new one.
func WriteFiles(files []File) error { return act{}.writeFiles(files) }

// Move is a new name for a file.
type Move struct{ From, To string }

// RenameAll is [Rename] for many files: the names in each folder are brought to disk once. With an error or a kill some
// may have their new names, and the others have their old ones.
func RenameAll(moves []Move) error { return act{}.renameAll(moves) }

// RemoveAll is [Remove] for many files: the names in each folder are brought to disk once. An error names each that is
// left, and the others are gone.
func RemoveAll(names []string) error { return act{}.removeAll(names) }

func (a act) writeFiles(files []File) (err error) {
	f := folders{}
	defer f.close()
	var staged []*temporary
	defer func() {
		for _, t := range staged {
			err = t.discard(err)
		}
	}()
	wrap := func(file File, err error) error { return fmt.Errorf("writing %s: %w", file.Name, err) }
	for _, file := range files {
		dir := filepath.Dir(file.Name)
		if err := f.open(dir); err != nil {
			return wrap(file, err)
		}
		t, err := a.stage(f.at(dir), filepath.Base(file.Name), suffix, file.Data, file.Mode)
		if err != nil {
			return wrap(file, err)
		}
		staged = append(staged, t)
	}
	for _, file := range files {
		if err := staged[0].place(file.Name, move); err != nil {
			return wrap(file, err)
		}
		staged = staged[1:]
		if err := a.reach(moved); err != nil {
			return wrap(file, err)
		}
	}
	return a.settleAll(f)
}

// openAtOnce bounds how many files Stage has open.
const openAtOnce = 128

func (a act) stageAll(files []File) (err error) {
	f := folders{}
	defer f.close()
	for _, file := range files {
		if err := f.open(filepath.Dir(file.Name)); err != nil {
			return fmt.Errorf("creating %s: %w", file.Name, err)
		}
	}
	var made []string
	defer func() {
		if err == nil {
			return
		}
		for _, name := range made {
			if left := os.Remove(name); left != nil && !errors.Is(left, fs.ErrNotExist) {
				err = fmt.Errorf("%w (and %s is left behind: %v)", err, name, cause(left))
			}
		}
	}()
	for some := range slices.Chunk(files, openAtOnce) {
		if err := a.stageSome(&f, some, &made); err != nil {
			return err
		}
	}
	return a.settleAll(f)
}

// stageSome writes files, and only then brings them to disk: many share what the file system has to write besides. It
// adds to made what it has made.
func (a act) stageSome(f *folders, files []File, made *[]string) error {
	var open []*os.File
	defer func() {
		for _, o := range open {
			_ = o.Close()
		}
	}()
	wrap := func(file File, err error) error { return fmt.Errorf("creating %s: %w", file.Name, err) }
	for _, file := range files {
		dir := f.at(filepath.Dir(file.Name))
		o, err := newFile(dir, file.Name, file.Mode.Perm())
		if err != nil {
			return wrap(file, err)
		}
		open, *made = append(open, o), append(*made, file.Name)
		if err := own(o, dir, file.Mode.Perm()); err != nil {
			return wrap(file, err)
		}
		if err := a.write(o, file.Data); err != nil {
			return wrap(file, err)
		}
	}
	for i, file := range files {
		if err := a.sync(open[i]); err != nil {
			return wrap(file, err)
		}
	}
	return nil
}

func (a act) renameAll(moves []Move) error {
	f := folders{}
	defer f.close()
	wrap := func(m Move, err error) error { return fmt.Errorf("renaming %s to %s: %w", m.From, m.To, err) }
	// The new names come to disk first: a power failure between the two leaves both, never none.
	for _, m := range moves {
		if err := f.open(filepath.Dir(m.To)); err != nil {
			return wrap(m, err)
		}
	}
	for _, m := range moves {
		if err := f.open(filepath.Dir(m.From)); err != nil {
			return wrap(m, err)
		}
	}
	for _, m := range moves {
		err := move(m.From, m.To)
		if err == nil {
			err = a.reach(moved)
		}
		if err != nil {
			return wrap(m, cause(err))
		}
	}
	return a.settleAll(f)
}

func (a act) removeAll(names []string) error {
	f := folders{}
	defer f.close()
	var errs []error
	for _, name := range names {
		err := os.Remove(name)
		if err == nil {
			err = a.reach(moved)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, &fs.PathError{Op: "removing", Path: name, Err: cause(err)})
		}
		// Also where there was nothing to remove: a kill may have come between the removal and this.
		if err := f.open(filepath.Dir(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, a.settleAll(f))...)
}

// settleAll is settle for several folders.
func (a act) settleAll(f folders) error {
	if err := a.reach(placed); err != nil {
		return err
	}
	var errs []error
	for _, d := range f.inOrder {
		errs = append(errs, d.sync())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return a.reach(settled)
}

// folders are open folders, each once, in the order in which they were opened.
type folders struct {
	inOrder []*folder
	byPath  map[string]*folder
}

func (f *folders) open(dir string) error {
	if f.at(dir) != nil {
		return nil
	}
	d, err := openFolder(dir)
	if err != nil {
		return err
	}
	if f.byPath == nil {
		f.byPath = map[string]*folder{}
	}
	f.inOrder, f.byPath[dir] = append(f.inOrder, d), d
	return nil
}

func (f *folders) at(dir string) *folder { return f.byPath[dir] }

func (f *folders) close() {
	for _, d := range f.inOrder {
		_ = d.Close()
	}
}
