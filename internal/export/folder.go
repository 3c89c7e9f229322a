package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ftsca/ftsca/internal/durable"
)

// state is what lies under a file's name.
type state struct {
	there   bool
	regular bool
	sum     string
	mode    fs.FileMode
}

// folder is an exported folder, opened so that no link leads out of it.
type folder struct {
	path string
	root *os.Root
}

// openFolder opens a folder that is there. One that is not may be a disk that is not mounted, and is not made.
func openFolder(path string) (*folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("opening the folder: %w", err)
	}
	return &folder{path: path, root: root}, nil
}

func (f *folder) close() { _ = f.root.Close() }

func (f *folder) join(name string) string { return filepath.Join(f.path, filepath.FromSlash(name)) }

// state looks at a name of the folder.
func (f *folder) state(name string) (state, error) {
	info, err := f.root.Lstat(filepath.FromSlash(name))
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, err
	}
	s := state{there: true, regular: info.Mode().IsRegular(), mode: info.Mode().Perm()}
	if info.IsDir() {
		return state{}, fmt.Errorf("%s is a folder", f.join(name))
	}
	if s.regular {
		data, err := f.read(name)
		if err != nil {
			return state{}, err
		}
		s.sum = sumOf(data)
	}
	return s, nil
}

// read reads a regular file of the folder.
func (f *folder) read(name string) ([]byte, error) {
	data, err := f.root.ReadFile(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.join(name), err)
	}
	return data, nil
}

// sweep removes what killed processes have left under hidden names, here and among the packages.
func (f *folder) sweep() error {
	for _, dir := range []string{f.path, f.join(packagesFolder)} {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("looking for what was left behind: %w", err)
		}
		var left []string
		for _, e := range entries {
			if e.Type().IsRegular() && strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(e.Name(), stagedSuffix) {
				left = append(left, filepath.Join(dir, e.Name()))
			}
		}
		if err := errors.Join(durable.RemoveAll(left), durable.Sweep(dir)); err != nil {
			return fmt.Errorf("removing what was left behind: %w", err)
		}
	}
	return nil
}
