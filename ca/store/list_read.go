package store

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ftsca/ftsca/crl"
)

var errIrregular = errors.New("it is no regular file")

// sum is the SHA-256 of a text. A list of a million entries has 150 MB, so its copies are told by their sums, and none
// is held that is not to be written.
type sum [sha256.Size]byte

// List reads FTS_CRL.json with all that is written in it. A list that cannot be read is a *[BrokenListError].
func (s *Store) List() (*crl.List, error) {
	path := s.endpoint(jsonFile)
	data, err := readRegular(path)
	if err == nil {
		var list *crl.List
		if list, err = crl.Parse(data); err == nil {
			return list, nil
		}
	}
	return nil, &BrokenListError{Path: path, Err: err}
}

// openRegular opens a file of the endpoint room, whose owner may be a service's account, and follows no link there: else
// that account could have root read, and keep for all to see, what only root may.
func openRegular(path string) (f *os.File, size int64, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: %w", path, errIrregular)
	}
	// Were a link put there since, it could still not lead out of the room.
	f, err = os.OpenInRoot(filepath.Dir(path), filepath.Base(path))
	return f, info.Size(), err
}

// readRegular reads a file as openRegular opens it.
func readRegular(path string) ([]byte, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	b.Grow(int(size) + bytes.MinRead)
	_, err = b.ReadFrom(f)
	return b.Bytes(), err
}

// sumOf is the sum of what a file as openRegular opens it holds.
func sumOf(path string) (of sum, err error) {
	f, _, err := openRegular(path)
	if err != nil {
		return of, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return of, err
	}
	return sum(h.Sum(nil)), nil
}

// readEntries reads the entries of a file with a list, and the sum of what they were read from. Where it is broken, the
// error is that of [crl.Parse], and the entries are those that can be salvaged.
func readEntries(path string) (entries []crl.Entry, of sum, err error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, of, err
	}
	defer f.Close()
	h := sha256.New()
	if entries, err = crl.ReadEntries(io.TeeReader(f, h), size); err == nil {
		return entries, sum(h.Sum(nil)), nil
	}
	data, err := readRegular(path)
	if err != nil {
		return nil, of, err
	}
	list, err := crl.Parse(data)
	if err != nil {
		return crl.Salvage(data), sha256.Sum256(data), err
	}
	return list.Entries(), sha256.Sum256(data), nil
}

// holds tells whether a file as openRegular opens it has just that content.
func holds(path string, data []byte) bool {
	f, size, err := openRegular(path)
	if err != nil || size != int64(len(data)) {
		return false
	}
	defer f.Close()
	chunk := make([]byte, min(64<<10, size+1))
	for rest := data; ; {
		n, err := f.Read(chunk)
		if !bytes.HasPrefix(rest, chunk[:n]) {
			return false
		}
		if rest = rest[n:]; err != nil {
			return err == io.EOF && len(rest) == 0
		}
	}
}
