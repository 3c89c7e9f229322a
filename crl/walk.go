package crl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The names of the JSON form that have a meaning. All others are left alone.
const (
	arrayKey  = "revoked_certificates"
	serialKey = "serial_number"
	dateKey   = "revocation_date"
	reasonKey = "reason"
	issuerKey = "issuer"
)

// fault is what makes a list unreadable, and where, in octets from the start of the text.
type fault struct {
	offset int64
	msg    string
}

func (f *fault) Error() string { return f.msg }

// errEnd says that no text is left.
var errEnd = errors.New("the list is empty")

// span is a piece of the text, in octets from its start; the zero span is none.
type span struct{ start, end int64 }

// place is where an entry stands in the text.
type place struct {
	span           // of its object
	values [4]span // of its members by valueOf; of one that came twice, the last
	member int64   // where the name of its last member starts, 0 when it has none
	tail   int64   // after that member's value
}

// valueOf returns the index in place.values of a member with a meaning, and -1 of any other.
func valueOf(name string) int {
	return slices.Index([]string{serialKey, dateKey, reasonKey, issuerKey}, name)
}

// walker goes through a list once, in the order of the text, holding no more of it than one value.
type walker struct {
	dec *jsontext.Decoder
	// salvaging passes over values that cannot be right, instead of stopping at them.
	salvaging bool
	// visit is told each entry, and where it stands; the place is good until visit returns.
	visit func(e Entry, at *place)

	found       bool  // the array was there
	open, close int64 // after its opening bracket, before its closing one
	zoneless    int   // dates that name no zone

	entry  Entry
	at     place
	serial bool   // entry has one
	issuer string // the last one seen, shared by the entries that have the same
}

func newWalker(text []byte, salvaging bool, visit func(e Entry, at *place)) *walker {
	// The reader of JSON makes no copy of what is in a buffer.
	return newReadingWalker(bytes.NewBuffer(text), salvaging, visit)
}

// newReadingWalker is newWalker for a text that is nowhere as a whole.
func newReadingWalker(text io.Reader, salvaging bool, visit func(e Entry, at *place)) *walker {
	// A note in another encoding is no reason to leave a stolen device on the network.
	opts := []jsontext.Options{jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(salvaging)}
	return &walker{dec: jsontext.NewDecoder(text, opts...), salvaging: salvaging, visit: visit}
}

// walk reads a whole list. Its error is a *fault, or errEnd for an empty text.
func (w *walker) walk() error {
	kind, _, start, err := w.next()
	if err != nil {
		return err
	}
	if kind != jsontext.KindBeginObject {
		return &fault{start, fmt.Sprintf("the list must be an object that has %q, not %s", arrayKey, named(kind))}
	}
	for w.dec.PeekKind() != jsontext.KindEndObject {
		name, _, err := w.name()
		if err != nil {
			return err
		}
		if name != arrayKey {
			err = w.skip()
		} else {
			err = w.array()
		}
		if err != nil {
			return err
		}
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return w.syntax(err)
	}
	if !w.found {
		return &fault{start, fmt.Sprintf("the list has no %q, and may not be taken for an empty one", arrayKey)}
	}
	return w.nothingMore()
}

func (w *walker) nothingMore() error {
	_, _, start, err := w.next()
	var f *fault
	switch {
	case errors.Is(err, errEnd):
		return nil
	case errors.As(err, &f):
		start = f.offset
	}
	return &fault{start, "there is something after the end of the list"}
}

// array reads the value of revoked_certificates.
func (w *walker) array() error {
	kind, _, start, err := w.next()
	if err != nil {
		return err
	}
	if kind != jsontext.KindBeginArray {
		if w.salvaging {
			return w.rest(kind)
		}
		return &fault{start, fmt.Sprintf("%q must be an array, not %s", arrayKey, named(kind))}
	}
	w.found, w.open = true, w.dec.InputOffset()
	for w.dec.PeekKind() != jsontext.KindEndArray {
		kind, _, start, err := w.next()
		if err != nil {
			return err
		}
		if kind != jsontext.KindBeginObject {
			if !w.salvaging {
				return &fault{start, fmt.Sprintf("an entry must be an object that has %q, not %s", serialKey, named(kind))}
			}
			if err := w.rest(kind); err != nil {
				return err
			}
			continue
		}
		if err := w.object(start); err != nil {
			return err
		}
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return w.syntax(err)
	}
	w.close = w.dec.InputOffset() - 1
	return nil
}

// object reads an entry, whose opening brace was read.
func (w *walker) object(start int64) error {
	w.entry, w.serial, w.at = Entry{}, false, place{span: span{start: start}}
	var others []Serial
	for w.dec.PeekKind() != jsontext.KindEndObject {
		name, at, err := w.name()
		if err != nil {
			return err
		}
		before, had := w.entry.Serial, w.serial
		if err := w.member(name); err != nil {
			return err
		}
		w.at.member, w.at.tail = at, w.dec.InputOffset()
		if had && w.entry.Serial != before {
			others = append(others, before)
		}
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return w.syntax(err)
	}
	w.at.end = w.dec.InputOffset()
	if w.serial {
		w.visit(w.entry, &w.at)
	} else if !w.salvaging {
		return &fault{start, fmt.Sprintf("the entry has no %q", serialKey)}
	}
	for _, serial := range others {
		w.entry.Serial = serial
		w.visit(w.entry, &w.at)
	}
	return nil
}

// member reads one value of an entry.
func (w *walker) member(name string) error {
	if name == "" || name == arrayKey {
		return w.skip()
	}
	kind, raw, start, err := w.next()
	if err != nil {
		return err
	}
	if kind == jsontext.KindBeginObject || kind == jsontext.KindBeginArray {
		if name != reasonKey && !w.salvaging {
			return &fault{start, fmt.Sprintf("%q must be a string, not %s", name, named(kind))}
		}
		if err := w.rest(kind); err != nil {
			return err
		}
		w.at.values[valueOf(name)] = span{start, w.dec.InputOffset()}
		return nil
	}
	w.at.values[valueOf(name)] = span{start, start + int64(len(raw))}
	if err := w.set(name, kind, raw); err != nil && !w.salvaging {
		return &fault{start, err.Error()}
	}
	return nil
}

func (w *walker) set(name string, kind jsontext.Kind, raw jsontext.Value) error {
	text, err := unquoted(kind, raw)
	switch {
	case name == reasonKey:
		// A reason that means nothing to us must not make the list unreadable.
		w.entry.Reason, _ = reasonOf(string(text))
		return nil
	case name == serialKey && kind == jsontext.KindNumber:
		return fmt.Errorf("%q is the number %s, which may be meant as decimal or as hex: write it in hex, and in quotes",
			serialKey, cut(string(raw)))
	case name != serialKey && kind == jsontext.KindNull:
		return nil
	case kind != jsontext.KindString:
		return fmt.Errorf("%q must be a string, not %s", name, named(kind))
	case err != nil:
		return fmt.Errorf("%q: %w", name, err)
	}
	// A conversion for the one call costs no memory; a string that is kept for the error would, in each of a million entries.
	switch name {
	case serialKey:
		serial, err := parseSerial(string(text))
		if err != nil {
			return fmt.Errorf("%q %s is no serial number in hex: %w", name, quote(string(text)), err)
		}
		w.entry.Serial, w.serial = serial, true
	case dateKey:
		date, err := parseDate(string(text))
		if err != nil {
			return fmt.Errorf("%q %s: %w", name, quote(string(text)), err)
		}
		w.entry.Date = date
		if !bytes.HasSuffix(text, []byte("Z")) && !hasZone(string(text)) {
			w.zoneless++
		}
	case issuerKey:
		issuer, err := parseIssuer(string(text))
		if err != nil {
			return fmt.Errorf("%q %s: %w", name, quote(string(text)), err)
		}
		if issuer != w.issuer {
			w.issuer = issuer
		}
		w.entry.Issuer = w.issuer
	}
	return nil
}

// name reads the name of a member, returns those with a meaning only, and tells where it starts.
func (w *walker) name() (name string, start int64, err error) {
	_, raw, start, err := w.next()
	if err != nil {
		return "", 0, err
	}
	text := []byte(raw[1 : len(raw)-1])
	if bytes.IndexByte(text, '\\') >= 0 {
		// One in another encoding comes out as something else, and means nothing to us either way.
		text, _ = jsontext.AppendUnquote(nil, []byte(raw))
	}
	for _, known := range [...]string{serialKey, dateKey, reasonKey, issuerKey, arrayKey} {
		if string(text) == known {
			return known, start, nil
		}
	}
	return "", start, nil
}

// next reads an opening bracket or brace, or a whole value that is neither, and tells where it starts.
func (w *walker) next() (kind jsontext.Kind, raw jsontext.Value, start int64, err error) {
	kind = w.dec.PeekKind()
	if kind == jsontext.KindBeginObject || kind == jsontext.KindBeginArray {
		if _, err := w.dec.ReadToken(); err != nil {
			return kind, nil, 0, w.syntax(err)
		}
		return kind, nil, w.dec.InputOffset() - 1, nil
	}
	if raw, err = w.dec.ReadValue(); err != nil {
		return kind, nil, 0, w.syntax(err)
	}
	return kind, raw, w.dec.InputOffset() - int64(len(raw)), nil
}

// rest passes over what is left of a value that next began.
func (w *walker) rest(kind jsontext.Kind) error {
	if kind != jsontext.KindBeginObject && kind != jsontext.KindBeginArray {
		return nil
	}
	for depth := w.dec.StackDepth(); w.dec.StackDepth() >= depth; {
		if _, err := w.dec.ReadToken(); err != nil {
			return w.syntax(err)
		}
	}
	return nil
}

func (w *walker) skip() error {
	if err := w.dec.SkipValue(); err != nil {
		return w.syntax(err)
	}
	return nil
}

// syntax turns an error of the JSON reader into a fault.
func (w *walker) syntax(err error) error {
	var at *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF):
		return errEnd
	case !errors.As(err, &at):
		return &fault{w.dec.InputOffset(), err.Error()}
	case errors.Is(err, jsontext.ErrDuplicateName):
		return &fault{at.ByteOffset, fmt.Sprintf("the name %s comes twice in one object", quote(at.JSONPointer.LastToken()))}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &fault{at.ByteOffset, "the list breaks off"}
	}
	return &fault{at.ByteOffset, strings.TrimPrefix(at.Err.Error(), "jsontext: ")}
}

func unquote(kind jsontext.Kind, raw jsontext.Value) (string, error) {
	text, err := unquoted(kind, raw)
	return string(text), err
}

// unquoted returns the content of a string, which may lie in raw, and nothing of another value.
func unquoted(kind jsontext.Kind, raw jsontext.Value) ([]byte, error) {
	if kind != jsontext.KindString {
		return nil, nil
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	return jsontext.AppendUnquote(nil, []byte(raw))
}

func cut(s string) string {
	if q := quote(s); strings.HasSuffix(q, "…") {
		return strings.ReplaceAll(q, `"`, "")
	}
	return s
}

func named(kind jsontext.Kind) string {
	switch kind {
	case jsontext.KindNull:
		return "null"
	case jsontext.KindFalse, jsontext.KindTrue:
		return "true or false"
	case jsontext.KindString:
		return "a string"
	case jsontext.KindNumber:
		return "a number"
	case jsontext.KindBeginObject:
		return "an object"
	}
	return "an array"
}
