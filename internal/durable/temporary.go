package durable

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	suffix      = ".tmp"
	tokenLength = 10
)

// temporary is a file that is not in place yet. It stays open, and so locked, until it is: that tells Sweep that its
// process lives.
type temporary struct {
	file *os.File
	name string
}

// stage makes a temporary file in dir that is to become base, with all its content on disk.
func (a act) stage(dir *folder, base, suffix string, data []byte, mode fs.FileMode) (*temporary, error) {
	t, err := newTemporary(dir, base, suffix, mode)
	if err != nil {
		return nil, err
	}
	if err := a.fill(t, data); err != nil {
		return nil, t.discard(err)
	}
	return t, nil
}

func newTemporary(dir *folder, base, suffix string, mode fs.FileMode) (*temporary, error) {
	name := filepath.Join(dir.Name(), "."+base+"."+rand.Text()[:tokenLength]+suffix)
	f, err := newFile(dir, name, mode.Perm())
	if err != nil {
		return nil, err
	}
	t := &temporary{file: f, name: name}
	if err := lock(f); err != nil {
		return nil, t.discard(err)
	}
	if err := own(f, dir, mode.Perm()); err != nil {
		return nil, t.discard(err)
	}
	return t, nil
}

// newFile opens a new file in dir, with its mode at once: whoever opened a key while it was readable could read it for
// ever. The error is [fs.ErrExist] where the name is taken.
func newFile(dir *folder, name string, mode fs.FileMode) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, fs.ErrExist
	case err != nil:
		return nil, &fs.PathError{Op: "creating a file in", Path: dir.Name(), Err: cause(err)}
	}
	return f, nil
}

// own gives a new file the owner that it shall have, and what the umask took from its mode.
func own(f *os.File, dir *folder, mode fs.FileMode) error {
	if err := follow(f, dir); err != nil {
		return err
	}
	return unmask(f, mode)
}

func (a act) fill(t *temporary, data []byte) error {
	if err := a.write(t.file, data); err != nil {
		return err
	}
	return a.sync(t.file)
}

// write gives a new file its content.
func (a act) write(f *os.File, data []byte) error {
	if err := a.reach(made); err != nil {
		return err
	}
	// In two parts only where a test looks between them.
	if a.at != nil {
		if _, err := f.Write(data[:len(data)/2]); err != nil {
			return cause(err)
		}
		if err := a.at(half); err != nil {
			return err
		}
		data = data[len(data)/2:]
	}
	if _, err := f.Write(data); err != nil {
		return cause(err)
	}
	return a.reach(written)
}

// sync brings a file's content to disk.
func (a act) sync(f *os.File) error {
	if err := f.Sync(); err != nil {
		return cause(err)
	}
	return a.reach(synced)
}

// place gives the file its final name.
func (t *temporary) place(name string, move func(from, to string) error) error {
	if closeBeforeMove {
		if err := t.file.Close(); err != nil {
			return cause(err)
		}
	}
	if err := move(t.name, name); err != nil {
		return cause(err)
	}
	// All of it is on disk: closing has nothing left to say.
	_ = t.file.Close()
	return nil
}

// discard removes the file and returns err, which made that necessary.
func (t *temporary) discard(err error) error {
	_ = t.file.Close()
	if left := os.Remove(t.name); left != nil && !errors.Is(left, fs.ErrNotExist) {
		return fmt.Errorf("%w (and %s is left behind: %v)", err, t.name, cause(left))
	}
	return err
}

// isTemporary tells whether a base name is one that newTemporary makes.
func isTemporary(base string) bool {
	rest, ok := strings.CutSuffix(base, suffix)
	if !ok || !strings.HasPrefix(base, ".") || len(rest) < len(".n.")+tokenLength {
		return false
	}
	token := rest[len(rest)-tokenLength:]
	return rest[len(rest)-tokenLength-1] == '.' && strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// Sweep removes the temporary files that killed processes left in the folder dir. Those of live processes, and those of
// other accounts that this one may not touch, stay. A folder that is not there holds none.
func Sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sweeping %s: %w", dir, cause(err))
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !isTemporary(e.Name()) {
			continue
		}
		if err := removeDead(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("sweeping %s: removing %s: %w", dir, e.Name(), cause(err))
		}
	}
	return nil
}

// cause takes away what package os adds to the system's error, where the words around it say as much.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		return e.Err
	}
	return err
}
