package transfer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// maxEntries is what is listed of a folder: the files of two manifests, as many that a kill left, and some strays.
const maxEntries = 4*MaxItems + 1000

// folder is the folder of a transfer, open, and what it holds.
type folder struct {
	root      *os.Root
	manifests map[Kind]bool
	items     map[Kind][]string // files with the names of items, whether a manifest names them or not
	leftovers map[Kind][]string // temporary files of items and manifests
	others    []string          // what is neither, nor a stray
	irregular error             // says which name of ours is that of no regular file
}

func open(dir string) (*folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, cause(err)
	}
	f := newFolder(root)
	if err := f.list(maxEntries); err != nil {
		_ = root.Close()
		return nil, err
	}
	return f, nil
}

func newFolder(root *os.Root) *folder {
	return &folder{root: root, manifests: map[Kind]bool{}, items: map[Kind][]string{}, leftovers: map[Kind][]string{}}
}

func (f *folder) Close() error { return f.root.Close() }

func (f *folder) list(most int) error {
	dir, err := f.root.Open(".")
	if err != nil {
		return cause(err)
	}
	defer dir.Close()
	entries, err := dir.ReadDir(most + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return cause(err)
	}
	if len(entries) > most {
		return fmt.Errorf("it holds more than %d files: use another folder", most)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return bytes.Compare([]byte(a.Name()), []byte(b.Name())) })
	for _, e := range entries {
		f.sort(e)
	}
	return nil
}

// sort puts an entry where it belongs.
func (f *folder) sort(e fs.DirEntry) {
	name := e.Name()
	becomes, temporary := temporaryOf(name)
	for _, of := range []Kind{Request, Answer} {
		switch {
		case name == manifestName(of):
			f.manifests[of] = true
		case isItemOf(of, name):
			f.items[of] = append(f.items[of], name)
		case temporary && (becomes == manifestName(of) || isItemOf(of, becomes)):
			f.leftovers[of] = append(f.leftovers[of], name)
		default:
			continue
		}
		if reason := irregular(e.Type()); reason != "" && f.irregular == nil {
			f.irregular = &TamperedError{name, reason}
		}
		return
	}
	if !isStray(name) {
		f.others = append(f.others, name)
	}
}

// irregular says what a file is that is no regular one, else "".
func irregular(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "it is a symbolic link"
	case !mode.IsRegular():
		return "it is no regular file"
	}
	return ""
}

// foreign refuses a folder that has what no transfer has.
func (f *folder) foreign() error {
	if len(f.others) > 0 {
		return &ExtraError{f.others}
	}
	return f.irregular
}

// unnamed returns the files of one kind that are none of m's.
func (f *folder) unnamed(of Kind, m Manifest) []string {
	named := map[string]bool{}
	for _, it := range m.Items {
		named[it.File] = true
	}
	left := slices.Clone(f.leftovers[of])
	for _, name := range f.items[of] {
		if !named[name] {
			left = append(left, name)
		}
	}
	return left
}

// read returns the content of a regular file of at most so many octets. Where there is none that is a *MissingError,
// and a *TamperedError where it is something else.
func (f *folder) read(name string, most int64) ([]byte, error) {
	// A link that leads to another file of the folder would have one item stand for two.
	before, err := f.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &MissingError{name}
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, cause(err))
	}
	if reason := irregular(before.Mode()); reason != "" {
		return nil, &TamperedError{name, reason}
	}
	if before.Size() > most {
		return nil, &TamperedError{name, fmt.Sprintf("it has %d octets, more than %d", before.Size(), most)}
	}
	// A pipe that takes its place does not hold it up.
	file, err := f.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, cause(err))
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !os.SameFile(before, info) {
		return nil, &TamperedError{name, "it changes while it is read"}
	}
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, cause(err))
	}
	if int64(len(data)) != before.Size() {
		return nil, &TamperedError{name, "it changes while it is read"}
	}
	return data, nil
}

// manifest reads a manifest of one kind, and returns its text with it.
func (f *folder) manifest(of Kind) (Manifest, []byte, error) {
	name := manifestName(of)
	if !f.manifests[of] {
		return Manifest{}, nil, &NoneError{of}
	}
	data, err := f.read(name, MaxManifest)
	if err != nil {
		return Manifest{}, nil, err
	}
	m, err := Parse(data)
	if err == nil && m.Kind != of {
		err = &FormError{fmt.Sprintf("it is the manifest of the other kind, %q", m.Kind)}
	}
	if err != nil {
		return Manifest{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, data, nil
}

// cause takes away what package os adds to the system's error, where the words around it say as much.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
