package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/ftsca/ftsca/internal/durable"
)

// packagesFolder is where a folder has the client packages.
const packagesFolder = "clientPackages"

// packagesMode lets the group of the server's account look at what is there, as FreeTAKServer's documents have it.
const packagesMode = 0o750

// boxes is what has to be done to the packages of a folder. They are many, and none ever changes in place: two of one name
// and size, of which the copy is the younger, are the same.
type boxes struct {
	copy  []Package
	drop  []string // names within the folder
	all   []string // names of the packages, when all is done
	make  bool     // the folder of the packages is to be made
	moves []durable.Move
}

func (b boxes) names() []string {
	var names []string
	for _, p := range b.copy {
		names = append(names, path.Join(packagesFolder, p.Name))
	}
	return names
}

// known joins the packages that were ours with those that will be.
func (b boxes) known(before []string) []string {
	all := slices.Clone(b.all)
	for _, name := range before {
		if !slices.Contains(b.all, name) {
			all = append(all, name)
		}
	}
	return all
}

func (e *Export) planPackages(f *folder, packages []Package) (boxes, error) {
	var b boxes
	info, err := f.root.Lstat(packagesFolder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		b.make = true
	case err != nil:
		return b, err
	case !info.IsDir():
		return b, fmt.Errorf("%s is no folder", f.join(packagesFolder))
	}
	for _, p := range packages {
		b.all = append(b.all, p.Name)
		have, err := f.root.Lstat(path.Join(packagesFolder, p.Name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
		source, sourceErr := os.Stat(p.Path)
		if sourceErr != nil {
			return b, fmt.Errorf("looking at a client package: %w", sourceErr)
		}
		if err == nil && have.Mode().IsRegular() && have.Size() == source.Size() && !have.ModTime().Before(source.ModTime()) {
			continue
		}
		b.copy = append(b.copy, p)
	}
	// Each holds a client's key: who purged it from the store wants it gone.
	for _, name := range e.Packages {
		if !slices.Contains(b.all, name) {
			b.drop = append(b.drop, path.Join(packagesFolder, name))
		}
	}
	return b, nil
}

// stage copies the packages under hidden names, a few at a time.
func (b *boxes) stage(f *folder) error {
	if b.make {
		if err := durable.Mkdir(f.join(packagesFolder), packagesMode); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(b.copy, 128) {
		var files []durable.File
		for _, p := range some {
			data, err := os.ReadFile(p.Path)
			if err != nil {
				return fmt.Errorf("copying a client package: %w", err)
			}
			name := f.join(path.Join(packagesFolder, stagedName(p.Name)))
			files = append(files, durable.File{Name: name, Data: data, Mode: secretMode})
			b.moves = append(b.moves, durable.Move{From: name, To: f.join(path.Join(packagesFolder, p.Name))})
		}
		if err := durable.Stage(files); err != nil {
			return fmt.Errorf("staging: %w", err)
		}
	}
	return nil
}
