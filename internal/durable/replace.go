package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	patience = 500 * time.Millisecond // how long Replace waits for a displaced content to become whole
	pause    = 2 * time.Millisecond   // between two looks at it

	// displacedSuffix is not that of other temporary files: what a kill leaves of a Replace may be the one copy of
	// what somebody wrote, and Sweep must not take it.
	displacedSuffix = ".old"
)

// Replace is [WriteFile] for a file that others write without a lock: it returns what the new content has displaced,
// nil where there was no such file, so that the caller can see whether that is what it had read before and take up
// what it is not. On Linux and macOS the two change places in one act, and nothing that anybody wrote is lost between
// a look and the act. On other systems, and file systems that cannot do this, a write in place still shows, but one
// that renames a file of its own into place at the same instant may be lost.
//
// Somebody may be writing into the displaced file still. Where whole is given, and says no to what it holds or the file
// is [BeingWritten], Replace looks again for up to 500 ms, and then returns what there is, and leaves the file under its
// hidden name: on a disk that stalls, the rest of what somebody wrote may come later, and the caller has to look again.
// A kill between the exchange and the return leaves it there too. The name is ".NAME.RANDOM.old", which [Sweep] leaves.
//
// What is displaced is read only where it is a regular file; a link goes, unread, and counts as empty.
//
// With an error the file is as it was, unless the error comes after the new content took its place: while the folder
// was brought to disk, or the displaced content read.
func Replace(name string, data []byte, mode fs.FileMode, whole func([]byte) bool) (displaced []byte, err error) {
	return act{}.replace(name, data, mode, whole)
}

func (a act) replace(name string, data []byte, mode fs.FileMode, whole func([]byte) bool) (displaced []byte, err error) {
	displaced, err = a.displace(name, data, mode, whole, means{swap: exchange, link: os.Link})
	if err != nil {
		return nil, fmt.Errorf("replacing %s: %w", name, err)
	}
	return displaced, nil
}

// means are what a file system may have for a replacement, or lack: swap exchanges two files, link gives one a second name.
type means struct{ swap, link func(one, other string) error }

// displace is replace with the file system's means as a parameter.
func (a act) displace(name string, data []byte, mode fs.FileMode, whole func([]byte) bool, m means) ([]byte, error) {
	dir, err := openFolder(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if info, err := os.Lstat(name); err == nil && info.IsDir() {
		return nil, errors.New("it is a folder")
	}
	t, err := a.stage(dir, filepath.Base(name), displacedSuffix, data, mode)
	if err != nil {
		return nil, err
	}
	var old predecessor
	err = t.place(name, func(from, to string) error {
		old, err = m.putInPlaceOf(from, to)
		return err
	})
	if err != nil {
		return nil, t.discard(err)
	}
	if err := a.settle(dir); err != nil {
		if old.name != "" {
			err = fmt.Errorf("%w (what was displaced is kept as %s)", err, old.name)
		}
		return nil, err
	}
	return old.take(whole)
}

// predecessor is the file that was displaced: under a hidden name where the file system could do that, else what was
// read of it just before.
type predecessor struct {
	name    string
	content []byte
}

// putInPlaceOf gives the file from the name to, and keeps what had that name.
func (m means) putInPlaceOf(from, to string) (predecessor, error) {
	// Again only where others make and remove the file between two steps.
	for range 100 {
		old, err := predecessor{name: from}, m.swap(from, to)
		if errors.Is(err, errors.ErrUnsupported) {
			old, err = m.putOver(from, to)
		}
		if err == nil {
			return old, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return predecessor{}, err
		}
		if err := moveNew(from, to); !errors.Is(err, fs.ErrExist) {
			return predecessor{}, err
		}
	}
	return predecessor{}, errors.New("it comes and goes")
}

// putOver is putInPlaceOf where nothing exchanges two files.
func (m means) putOver(from, to string) (predecessor, error) {
	second := from + displacedSuffix
	switch err := m.link(to, second); {
	case err == nil:
		if err := move(from, to); err != nil {
			_ = os.Remove(second)
			return predecessor{}, err
		}
		return predecessor{name: second}, nil
	case errors.Is(err, fs.ErrNotExist):
		return predecessor{}, err
	}
	content, err := os.ReadFile(to)
	if err != nil {
		return predecessor{}, err
	}
	return predecessor{content: content}, move(from, to)
}

// take returns what was displaced and removes its file, unless somebody seems to be writing into it still.
func (p predecessor) take(whole func([]byte) bool) ([]byte, error) {
	if p.name == "" {
		return p.content, nil
	}
	var content []byte
	var done bool
	for end := time.Now().Add(patience); ; time.Sleep(pause) {
		info, err := os.Lstat(p.name)
		if done = err == nil && !info.Mode().IsRegular(); done {
			// A link that somebody put there could have root read, and the caller keep, what is not theirs.
			break
		}
		// Asked before the reading: who is done in between has written what is read.
		writing := whole != nil && BeingWritten(p.name)
		if content, err = os.ReadFile(p.name); err != nil {
			return nil, fmt.Errorf("reading what was displaced, kept as %s: %w", p.name, cause(err))
		}
		if done = whole == nil || whole(content) && !writing; done || time.Now().After(end) {
			break
		}
	}
	if !done {
		return content, nil
	}
	if err := os.Remove(p.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("removing what was displaced, kept as %s: %w", p.name, cause(err))
	}
	return content, nil
}
