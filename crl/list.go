package crl

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A SyntaxError says why a list cannot be read, and where.
type SyntaxError struct {
	Line   int    // from 1
	Column int    // from 1, in characters as an editor counts them; a byte order mark is none
	Msg    string // what is wrong, lower case, without a full stop
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// A List is a revocation list in the JSON form of FreeTAKServer's documents: an object whose revoked_certificates is an
// array of objects with serial_number, revocation_date, reason and, where only one authority is meant, issuer. [NewList]
// and [Parse] make one. It is not safe for concurrent use.
type List struct {
	text    []byte // as it was read
	end     int    // in text: after the last entry, or after the opening bracket when there is none
	close   int    // in text: the closing bracket
	entries []Entry
	read    int      // how many of entries stand in text
	unzoned int      // how many dates in text name no zone
	known   entrySet // of entries; nil until it is asked for
}

// NewList returns a list without entries.
func NewList() *List {
	const before, after = "{\n  \"" + arrayKey + "\": [", "]\n}\n"
	return &List{text: []byte(before + after), end: len(before), close: len(before)}
}

// Parse reads a list, and keeps data, which must not be changed any more. Its error is a *[SyntaxError].
//
// Serials are read as [ParseSerial] does. A serial that is a JSON number is refused, since it might be meant as decimal
// or as hex. Dates are RFC 3339, with or without fraction and zone (UTC without). A date or reason that is missing or
// null is none, and a reason that says nothing to us is [Unspecified]: it must not make the list unreadable. Names that
// come twice in an object are refused, and so are dates before 1990 and a list without revoked_certificates, since a
// slip in that name must not readmit everybody. An entry that is there twice stays so.
func Parse(data []byte) (*List, error) {
	text := bytes.TrimPrefix(data, byteOrderMark)
	mark := int64(len(data) - len(text))
	l := &List{text: data, entries: make([]Entry, 0, bytes.Count(text, []byte(serialKey)))}
	if err := foreignForm(data); err != nil {
		return nil, &SyntaxError{Line: 1, Column: 1, Msg: err.Error()}
	}
	end := int64(-1)
	w := newWalker(text, false, func(e Entry, at *place) {
		l.entries = append(l.entries, e)
		end = at.end
	})
	if err := w.walk(); err != nil {
		return nil, position(text, err)
	}
	if end < 0 {
		end = w.open
	}
	l.end, l.close, l.read = int(mark+end), int(mark+w.close), len(l.entries)
	l.unzoned = w.zoneless
	return l, nil
}

var byteOrderMark = []byte("\ufeff")

// foreignForm knows what often lies where the list should be.
func foreignForm(data []byte) error {
	switch {
	case len(bytes.TrimSpace(bytes.TrimPrefix(data, byteOrderMark))) == 0:
		return errors.New("the list is empty")
	case isUTF16(data):
		return errors.New("the list is in UTF-16, as some Windows programs write it: it must be UTF-8")
	case bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN")):
		return errors.New("this is PEM, as FreeTAKServer loads it, and not the list in JSON")
	}
	return nil
}

func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff})
}

// position tells line and column of a fault.
func position(text []byte, err error) error {
	var f *fault
	if !errors.As(err, &f) {
		return err
	}
	before := text[:min(max(f.offset, 0), int64(len(text)))]
	line := bytes.LastIndexByte(before, '\n') + 1
	e := &SyntaxError{Line: 1 + bytes.Count(before, []byte{'\n'}), Column: 1 + utf8.RuneCount(before[line:]), Msg: f.msg}
	// The commonest slips have a plainer name.
	switch {
	case f.msg == "invalid character ',' at start of value":
		e.Msg = "a comma too many"
	case strings.HasPrefix(f.msg, `invalid character '\n' in string`), strings.HasPrefix(f.msg, `invalid character '\r' in string`):
		e.Msg = "a string does not end on its line: a quote is missing"
	}
	return e
}

// Entries returns the entries in the order of the list, those added last. It must not be changed.
func (l *List) Entries() []Entry { return slices.Clip(l.entries) }

// Len returns the number of entries.
func (l *List) Len() int { return len(l.entries) }

// Zoneless returns how many dates of the list, as it was read, name no zone, and were taken as UTC.
func (l *List) Zoneless() int { return l.unzoned }

// Contains tells whether the list has the serial for that issuer, a key identifier as [KeyID] returns it, or for every
// issuer. With an empty issuer only the latter counts. A serial longer than 32 octets counts as listed.
func (l *List) Contains(s Serial, issuer string) bool {
	if l.known == nil {
		l.known = setOf(l.entries)
	}
	return s.unlistable() || l.known.covers(s, issuer)
}

// Add puts an entry at the end of the list, and returns false when Contains tells that it has it. A date before 1990 is
// written as none.
func (l *List) Add(e Entry) bool {
	e.Issuer = canonical(e.Issuer)
	if !e.Reason.valid() {
		e.Reason = Unspecified
	}
	if l.Contains(e.Serial, e.Issuer) {
		return false
	}
	l.entries = append(l.entries, e)
	l.known.add(e)
	return true
}

// Bytes returns the list as text, which must not be changed. A list without additions is returned as it was read.
// Otherwise all that was read is still there, and additions follow the last entry, in the documents' form and
// indented by two: serial in lower-case hex, date in UTC and whole seconds.
func (l *List) Bytes() []byte {
	l.settle()
	return slices.Clip(l.text)
}

// settle makes text of what was added.
func (l *List) settle() {
	added := l.entries[l.read:]
	if len(added) == 0 {
		return
	}
	newline := "\n"
	if i := bytes.IndexByte(l.text, '\n'); i > 0 && l.text[i-1] == '\r' {
		newline = "\r\n"
	}
	b := make([]byte, 0, len(l.text)+len(added)*160)
	b = append(b, l.text[:l.end]...)
	for i, e := range added {
		if l.read > 0 || i > 0 {
			b = append(b, ',')
		}
		b = appendEntry(b, e, newline)
	}
	if bytes.IndexByte(l.text[l.end:l.close], '\n') < 0 {
		b = append(append(b, newline...), "  "...)
	}
	b = append(b, l.text[l.end:]...)
	l.close += len(b) - len(l.text)
	// Behind the last entry, only blanks stand before the bracket.
	l.text, l.end, l.read = b, len(bytes.TrimRight(b[:l.close], " \t\r\n")), len(l.entries)
}

func appendEntry(b []byte, e Entry, newline string) []byte {
	b = append(append(b, newline...), "    {"...)
	separator := ""
	member := func(name, value string) {
		// No value needs escaping: hex, a date, or a reason's name.
		b = append(append(b, separator...), newline...)
		b = append(append(append(b, `      "`...), name...), `": "`...)
		b = append(append(b, value...), '"')
		separator = ","
	}
	member(serialKey, e.Serial.String())
	if date := formatDate(e.Date); date != "" {
		member(dateKey, date)
	}
	member(reasonKey, e.Reason.String())
	if e.Issuer != "" {
		member(issuerKey, e.Issuer)
	}
	return append(append(b, newline...), "    }"...)
}
