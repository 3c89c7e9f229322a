package crl

import (
	"bufio"
	"bytes"
	"io"
)

// ReadEntries returns what the [List.Entries] of a list in the JSON form are, reading it to its end without ever holding
// its text. size is about how many octets it has, and saves memory where it is right. The error says that it cannot be
// read or is no such list; what is wrong with one, and where, [Parse] knows.
func ReadEntries(list io.Reader, size int64) ([]Entry, error) {
	// As the documents write an entry; one in fewer octets makes the slice grow.
	const entry = 140
	entries := make([]Entry, 0, max(0, size)/entry)
	buffered := bufio.NewReaderSize(list, 64<<10)
	if mark, _ := buffered.Peek(len(byteOrderMark)); bytes.Equal(mark, byteOrderMark) {
		_, _ = buffered.Discard(len(mark))
	}
	w := newReadingWalker(buffered, false, func(e Entry, _ *place) { entries = append(entries, e) })
	if err := w.walk(); err != nil {
		return nil, err
	}
	return entries, nil
}
