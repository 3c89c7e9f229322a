package reload

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxFile bounds what is read of one file. A list of a million revocations takes half of it.
const maxFile = 256 << 20

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
	if err == nil {
		data, err = readRegular(s.path, info)
	}
	sum := sha256.Sum256(data)
	if s.began && sum == s.sum && message(err) == message(s.err) {
		return
	}
	s.began, s.sum, s.err = true, sum, err
	s.data, s.changed = data, true
}

// isStill tells whether the file still says the same, without holding all of it.
func (s *source) isStill() bool {
	f, err := os.Open(s.path)
	if err != nil {
		return false
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, io.LimitReader(f, maxFile+1))
	return err == nil && [sha256.Size]byte(h.Sum(nil)) == s.sum
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
		return nil, fmt.Errorf("%s has more than %d MiB", path, maxFile>>20)
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
			return nil, fmt.Errorf("%s has more than %d MiB", path, maxFile>>20)
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)] // it grew while we read
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
