package reload

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/ftsca/ftsca/crl"
)

// maxFile bounds what is read of one file. A list of a million revocations takes half of it.
const maxFile = 256 << 20

// large is a file whose content is not held from the look that finds it changed to when it is wanted, but read again: of a
// list of a million revocations, the text alone would take half of the memory that loading it may.
const large = 8 << 20

// unsettledLooks is for how many looks after a change a file is read though it seems unchanged. Some file systems keep
// times to two seconds only, and a second change of the same length within them leaves no other trace.
const unsettledLooks = 5

// source is one file: what it looked like, what it said, and whether that changed.
type source struct {
	path string

	info      fs.FileInfo // as of before the last reading; nil when there was none
	sum       [sha256.Size]byte
	err       error // of the last reading
	unsettled int
	began     bool

	changed bool   // the last reading found something else than the one before
	touched bool   // there was reason to think so
	data    []byte // as long as it is not forgotten
}

// read reads the file if it seems changed, or if forced, and sets changed when it says something else than before.
func (s *source) read(force bool) {
	s.data, s.changed, s.touched = nil, false, false
	info, err := os.Stat(s.path)
	switch {
	case force || !same(info, s.info):
		s.unsettled, s.touched = unsettledLooks, true
	case s.err != nil && !s.missing(): // nothing need show that it can be read again
	case s.unsettled > 0:
		s.unsettled--
		if s.err == nil && s.isStill() {
			return
		}
	default:
		return
	}
	s.info = info
	var data []byte
	sum := sha256.Sum256(nil)
	switch {
	case err != nil:
	case info.Mode().IsRegular() && info.Size() > large:
		sum, err = sumOf(s.path)
	default:
		data, err = readRegular(s.path, info)
		sum = sha256.Sum256(data)
	}
	if s.began && sum == s.sum && message(err) == message(s.err) {
		return
	}
	s.began, s.sum, s.err = true, sum, err
	s.data, s.changed = data, true
}

// isStill tells whether the file still says the same, without holding all of it.
func (s *source) isStill() bool {
	sum, err := sumOf(s.path)
	return err == nil && sum == s.sum
}

// sumOf is the sum of what a file says, of which it never holds all.
func sumOf(path string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, maxFile+1))
	if err == nil && n > maxFile {
		err = tooLong(path)
	}
	return [sha256.Size]byte(h.Sum(nil)), err
}

// pass reads a file whose content is not held, and tells whether that went well and was what the last reading found.
func (s *source) pass(read func(io.Reader) error) bool {
	if s.data != nil || s.err != nil {
		return false
	}
	f, err := os.Open(s.path)
	if err != nil {
		return false
	}
	defer f.Close()
	h := sha256.New()
	return read(io.TeeReader(io.LimitReader(f, maxFile), h)) == nil && [sha256.Size]byte(h.Sum(nil)) == s.sum
}

// lists are the X.509 lists of a file, in DER.
func (s *source) lists() ([][]byte, error) {
	var lists [][]byte
	if s.pass(func(text io.Reader) error {
		blocks, err := crl.ReadBlocks(text, s.info.Size(), func(kind string) bool { return kind == listBlock })
		for _, b := range blocks {
			lists = append(lists, b.Bytes)
		}
		return err
	}) && len(lists) > 0 {
		return lists, nil
	}
	data, err := s.content()
	return slices.Collect(listsIn(data)), err
}

// entries are those of a list in the JSON form.
func (s *source) entries() (entries []crl.Entry, err error) {
	if s.pass(func(text io.Reader) (err error) {
		entries, err = crl.ReadEntries(text, s.info.Size())
		return err
	}) {
		return entries, nil
	}
	// It is small, or broken, or somebody has just written it.
	data, err := s.content()
	if err != nil {
		return nil, err
	}
	list, err := crl.Parse(data)
	if err != nil {
		return nil, err
	}
	return list.Entries(), nil
}

// content returns what the file says, whether or not it changed.
func (s *source) content() ([]byte, error) {
	if s.data != nil || s.err != nil {
		return s.data, s.err
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return nil, err
	}
	return readRegular(s.path, info)
}

// forget lets the content go; it can be had again.
func (s *source) forget() { s.data = nil }

func (s *source) missing() bool { return errors.Is(s.err, fs.ErrNotExist) }

// same tells whether nothing shows that the file was written in between. The mode counts, since a file may have been
// unreadable before.
func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && a.Mode() == b.Mode()
}

// readRegular reads a regular file. Anything else, such as a pipe, might never end.
func readRegular(path string, info fs.FileInfo) ([]byte, error) {
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if info.Size() > maxFile {
		return nil, tooLong(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, 0, info.Size()+512)
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if errors.Is(err, io.EOF) {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
		if len(data) > maxFile {
			return nil, tooLong(path)
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)] // it grew while we read
		}
	}
}

func tooLong(path string) error { return fmt.Errorf("%s has more than %d MiB", path, maxFile>>20) }

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
