package roster

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// What a roster may hold at most.
const (
	MaxSize = 16 << 20 // octets
	MaxRows = 100_000
)

const (
	maxCell   = 4096   // octets of a cell, or of all the strings of an array
	maxCells  = 10_000 // of a line: more than there are columns, and than a cell has octets
	maxValues = 64     // groups, or hosts, of a row
)

// Read returns the rows of a roster in the order of the file, or a *[Faults] with all that is wrong with it, and then no
// row. An empty cell takes the value of defaults, whose Line and Name do not count and whose hosts, groups and other
// fields are read as a cell's are; a family or key that is nowhere given is [ATAK] and RSA-2048. A default that cannot
// stand is an error of its own, and not a *[Faults].
//
// Two rows of one name are a fault, also where the names differ in the case of their letters alone: with both in the
// field, sooner or later the wrong one is revoked.
func Read(data []byte, defaults Row) ([]Row, error) {
	s, err := newSheet(defaults)
	if err != nil {
		return nil, err
	}
	s.read(data)
	if err := s.faults.err(); err != nil {
		return nil, err
	}
	return s.rows, nil
}

func (s *sheet) read(data []byte) {
	text := bytes.TrimPrefix(data, []byte("\ufeff"))
	if fault := foreign(data); fault.Err != nil {
		s.faults.add(fault)
		return
	}
	if first := bytes.TrimSpace(text); first[0] == '[' || first[0] == '{' {
		s.readJSON(text)
	} else {
		s.readCSV(text)
	}
	if s.count == 0 && len(s.faults.List) == 0 {
		s.faults.add(Fault{Err: errors.New("there is no row in it")})
	}
}

// foreign knows what often lies where a roster should be. Its Err is nil where it finds nothing.
func foreign(data []byte) Fault {
	const save = `save it as text in UTF-8 (in Excel: "CSV UTF-8")`
	whole := func(format string, args ...any) Fault { return Fault{Err: fmt.Errorf(format, args...)} }
	switch {
	case len(data) > MaxSize:
		return whole("the file has more than %d MiB: divide it", MaxSize>>20)
	case len(bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))) == 0:
		return whole("the file is empty")
	case isUTF16(data):
		return whole("the file is in UTF-16, as Excel's \"Unicode Text\" is: %s", save)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")):
		return whole("the file is a spreadsheet program's own and no text: %s", save)
	case !utf8.Valid(data):
		line := 1
		for text := range bytes.Lines(data) {
			if !utf8.Valid(text) {
				break
			}
			line++
		}
		return Fault{Line: line, Err: fmt.Errorf("this is not UTF-8: %s", save)}
	}
	return Fault{}
}

// isUTF16 goes by the byte order mark, or by the zero octet that half of an ASCII letter is.
func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) ||
		len(data) > 1 && (data[0] == 0) != (data[1] == 0)
}
