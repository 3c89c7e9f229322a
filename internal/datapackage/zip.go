package datapackage

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"time"
)

// file is an entry of the zip.
type file struct {
	path string
	data []byte
}

// archive writes the files in order. They are stored, not packed: a .p12 does not shrink, and the packer's output may
// differ from one release of Go to the next. Their sizes stand in front of them, since Java's ZipInputStream takes no
// stored file whose size follows it.
func archive(files []file, modified time.Time) ([]byte, error) {
	day, clock := dosTime(modified)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		size := uint64(len(f.data))
		h := &zip.FileHeader{
			Name: f.path, Method: zip.Store, CRC32: crc32.ChecksumIEEE(f.data),
			CompressedSize64: size, UncompressedSize64: size,
			CreatorVersion: 20, ReaderVersion: 20,
		}
		//lint:ignore SA1019 CreateRaw writes these two and does not look at Modified
		h.ModifiedDate, h.ModifiedTime = day, clock
		// Unpacked by hand on a shared machine, a key is its owner's alone.
		h.SetMode(0o600)
		entry, err := w.CreateRaw(h)
		if err == nil {
			_, err = entry.Write(f.data)
		}
		if err != nil {
			return nil, fmt.Errorf("packing %s: %w", f.path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing: %w", err)
	}
	return b.Bytes(), nil
}

// dosTime returns the date and the time of day in the form of the zip format (APPNOTE.TXT, 4.4.6).
func dosTime(t time.Time) (day, clock uint16) {
	t = t.UTC()
	switch {
	case t.Year() < 1980:
		t = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)
	case t.Year() > 2107:
		t = time.Date(2107, time.December, 31, 23, 59, 58, 0, time.UTC)
	}
	day = uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day())
	clock = uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
	return day, clock
}
