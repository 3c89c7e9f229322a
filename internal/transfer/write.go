package transfer

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ftsca/ftsca/internal/durable"
)

// The modes of what is written, on a file system that has some: the account that reads it elsewhere is another one, and
// nothing of it is secret.
const (
	folderMode = 0o755
	fileMode   = 0o644
)

// Write writes a request, or an answer beside its request, into a folder, and returns the SHA-256 of the manifest's
// text. It completes m by [Complete]. When it returns, all is on disk. The folder is made if it is not there.
//
// Of what is in the folder, a request replaces an earlier request of the same store (by its key), and what a kill left
// of any. Nothing else is replaced or removed: the error wraps an *[ExtraError] where there is something else, a
// *[ForeignError] where there is another store's request, and an *[AnswerWaitingError] where there is another answer.
// An answer needs its request: the error wraps a *[NoneError], a *[StaleError] or an *[UnaskedError] where that is not
// in the folder, is another one, or does not ask for it. A manifest that is there and cannot be read is in the way,
// too.
//
// Writing the same again changes nothing, and mends what has been changed. With an error the folder has what it had
// before, or, where the end of the manifest's writing failed, all that is new. A kill leaves the one or the other, too,
// or what [Read] calls unfinished and the next Write replaces.
func Write(dir string, m Manifest, contents [][]byte) (sum [32]byte, err error) {
	return act{}.write(dir, m, contents)
}

// act is one Write. The zero act is one in earnest.
type act struct {
	// before is for tests, which break off there: it is told the file that is about to be written or removed.
	before func(name string) error
}

func (a act) reach(name string) error {
	if a.before == nil {
		return nil
	}
	return a.before(name)
}

func (a act) write(dir string, m Manifest, contents [][]byte) ([32]byte, error) {
	kind := m.Kind
	wrap := func(err error) ([32]byte, error) {
		return [32]byte{}, fmt.Errorf("writing the %s to %s: %w", kind, dir, err)
	}
	m, err := Complete(m, contents)
	if err != nil {
		return wrap(err)
	}
	text, err := m.Bytes()
	if err != nil {
		return wrap(err)
	}
	if err := makeFolder(dir); err != nil {
		return wrap(err)
	}
	f, err := open(dir)
	if err != nil {
		return wrap(err)
	}
	defer f.Close()
	same, err := f.admits(m, text)
	if err != nil {
		return wrap(err)
	}
	if err := a.put(dir, f, m, contents, text, same); err != nil {
		return wrap(err)
	}
	return sha256.Sum256(text), nil
}

func makeFolder(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil // What is wrong with it shows when it is opened.
	}
	if err := durable.Mkdir(dir, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// admits tells whether the folder may take a manifest, and whether it has it already.
func (f *folder) admits(m Manifest, text []byte) (same bool, err error) {
	if err := f.foreign(); err != nil {
		return false, err
	}
	if m.Kind == Answer {
		request, _, err := f.manifest(Request)
		if err != nil {
			return false, err
		}
		if err := CheckAnswer(request, m); err != nil {
			return false, err
		}
	} else if f.manifests[Request] {
		earlier, there, err := f.manifest(Request)
		switch {
		case err != nil:
			return false, err
		case bytes.Equal(there, text):
			return true, nil
		case earlier.From.Key != m.From.Key:
			return false, &ForeignError{earlier.From}
		}
	}
	if !f.manifests[Answer] {
		return false, nil
	}
	there, err := f.read(manifestName(Answer), MaxManifest)
	if err != nil {
		return false, err
	}
	if m.Kind == Answer && bytes.Equal(there, text) {
		return true, nil
	}
	return false, &AnswerWaitingError{sha256.Sum256(there)}
}

// put writes the items, then the manifest, and removes what no manifest names any more.
func (a act) put(dir string, f *folder, m Manifest, contents [][]byte, text []byte, same bool) error {
	var written []string // what was not there before
	undo := func(err error) error {
		for _, name := range written {
			if left := durable.Remove(filepath.Join(dir, name)); left != nil {
				return fmt.Errorf("%w (and %s is left behind)", err, name)
			}
		}
		return err
	}
	for i, it := range m.Items {
		if it.Refused != "" {
			continue
		}
		_, err := f.content(it)
		if err == nil {
			continue
		}
		if err := a.file(dir, it.File, contents[i]); err != nil {
			return undo(err)
		}
		if _, missing := errors.AsType[*MissingError](err); missing && !same {
			written = append(written, it.File)
		}
	}
	if !same {
		if err := a.file(dir, manifestName(m.Kind), text); err != nil {
			// Not if the manifest is there nevertheless, and names them.
			if there, _ := f.read(manifestName(m.Kind), MaxManifest); !bytes.Equal(there, text) {
				return undo(err)
			}
			return err
		}
	}
	left := f.unnamed(m.Kind, m)
	if m.Kind == Request && !f.manifests[Answer] {
		left = append(left, f.unnamed(Answer, Manifest{})...)
	}
	return a.remove(dir, left)
}

func (a act) file(dir, name string, content []byte) error {
	if err := a.reach(name); err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(dir, name), content, fileMode)
}

func (a act) remove(dir string, names []string) error {
	for _, name := range names {
		if err := a.reach(name); err != nil {
			return err
		}
		if err := durable.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
