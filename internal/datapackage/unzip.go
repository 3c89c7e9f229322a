package datapackage

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode"
)

const (
	maxPackage = 8 << 20 // bytes of the zip
	maxEntry   = 4 << 20 // bytes of one file, unpacked; of all files four are
	maxEntries = 64
)

// unzipped is a zip whose names are judged. Its files are unpacked when they are asked for.
type unzipped struct{ entries []*zip.File }

// unzip judges what stands in the directory of a zip, and believes none of its sizes.
func unzip(data []byte) (*unzipped, error) {
	const directoryEntry = "PK\x01\x02"
	if len(data) > maxPackage {
		return nil, fmt.Errorf("it has %d bytes: a package has at most %d", len(data), maxPackage)
	}
	// The library makes an object of some hundred bytes of each before they can be counted.
	if bytes.Count(data, []byte(directoryEntry)) > maxEntries {
		return nil, fmt.Errorf("it holds more than %d files", maxEntries)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, errors.New("it is no zip, or is cut short")
	}
	z := &unzipped{}
	seen := map[string]bool{}
	for _, f := range r.File {
		if f.FileInfo().IsDir() {
			continue
		}
		if err := vetEntry(f); err != nil {
			return nil, fmt.Errorf("%.300q in it %w", f.Name, err)
		}
		// Devices do not tell upper from lower case.
		lower := strings.ToLower(f.Name)
		if seen[lower] {
			return nil, fmt.Errorf("%.300q is in it twice", f.Name)
		}
		seen[lower] = true
		z.entries = append(z.entries, f)
	}
	return z, nil
}

func vetEntry(f *zip.File) error {
	const encrypted = 1 // APPNOTE.TXT, 4.4.4
	switch {
	case !fs.ValidPath(f.Name) || strings.ContainsAny(f.Name, `\:`) || strings.ContainsFunc(f.Name, unprintable):
		return errors.New("is no path within a package")
	case !f.Mode().IsRegular():
		return errors.New("is no regular file")
	case f.Flags&encrypted != 0:
		return errors.New("is encrypted by the zip itself, which devices do not read: pack it without")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return fmt.Errorf("is packed by method %d, where only stored and deflated files are read", f.Method)
	}
	return nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// read unpacks a file, and measures it meanwhile.
func (z *unzipped) read(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: it is damaged", f.Name)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxEntry+1))
	switch {
	case len(data) > maxEntry:
		return nil, fmt.Errorf("%s: it takes more than %d bytes unpacked", f.Name, maxEntry)
	case err != nil:
		return nil, fmt.Errorf("%s: it is damaged", f.Name)
	}
	return data, nil
}

// named returns the one file of that name, whatever folder it stands in and whether in upper or lower case; devices put
// all of them into one. It returns nil where there is none.
func (z *unzipped) named(name string) (*zip.File, error) {
	return z.one(fmt.Sprintf("%.100q", name), func(base string) bool { return strings.EqualFold(base, name) })
}

// ending returns the one file with that ending, or nil.
func (z *unzipped) ending(ending string) (*zip.File, error) {
	return z.one("*"+ending, func(base string) bool { return strings.HasSuffix(strings.ToLower(base), ending) })
}

func (z *unzipped) one(what string, is func(base string) bool) (*zip.File, error) {
	var found *zip.File
	for _, f := range z.entries {
		if !is(f.Name[strings.LastIndexByte(f.Name, '/')+1:]) {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("two files in it are %s, %.300q and %.300q: a device would take either", what, found.Name, f.Name)
		}
		found = f
	}
	return found, nil
}
