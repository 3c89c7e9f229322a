package roster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// readJSON reads an array of objects. Only what is no JSON ends the reading: all else is told, and passed over.
func (s *sheet) readJSON(text []byte) {
	// Two members of one name are told as two columns that mean the same are.
	j := &reader{Decoder: jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true)), sheet: s,
		text: text, line: 1, column: 1}
	if err := j.array(); err != nil && !errors.Is(err, errFull) {
		j.syntax(err)
	}
}

// errFull ends the reading where the sheet has been told why.
var errFull = errors.New("no more is read")

// reader goes through the text once. Its methods return the errors of the decoder, or errFull.
type reader struct {
	*jsontext.Decoder
	*sheet
	text []byte

	offset, line, column int // the place that was last asked for
}

func (j *reader) array() error {
	start, kind := j.next()
	if kind != jsontext.KindBeginArray {
		j.tell(start, fmt.Errorf("a roster in JSON is an array of objects, not %s", named(kind)))
		return errFull
	}
	if _, err := j.ReadToken(); err != nil {
		return err
	}
	for {
		start, kind := j.next()
		switch kind {
		case jsontext.KindBeginObject:
			r, err := j.object(start)
			if err != nil {
				return err
			}
			if !j.add(r) {
				return errFull
			}
			continue
		case jsontext.KindEndArray:
			if _, err := j.ReadToken(); err != nil {
				return err
			}
			return j.end()
		}
		if err := j.SkipValue(); err != nil {
			return err
		}
		j.tell(start, fmt.Errorf("a row must be an object, not %s", named(kind)))
	}
}

func (j *reader) end() error {
	start, _ := j.next()
	if _, err := j.ReadToken(); !errors.Is(err, io.EOF) {
		j.tell(start, errors.New("there is something after the end of the array"))
	}
	return nil
}

// object reads a row.
func (j *reader) object(start int64) (record, error) {
	r := record{}
	r.line, _ = j.at(start)
	if _, err := j.ReadToken(); err != nil {
		return r, err
	}
	var first [columns]string // the name that means the column
	for {
		start, kind := j.next()
		token, err := j.ReadToken()
		if err != nil || kind == jsontext.KindEndObject {
			return r, err
		}
		name := token.String()
		c, ok := columnOf(name)
		switch {
		case !ok:
			j.tell(start, unknown(name))
		case first[c] != "":
			j.tell(start, twice(first[c], name))
		default:
			first[c] = name
			if err := j.value(&r, c); err != nil {
				return r, err
			}
			continue
		}
		if err := j.SkipValue(); err != nil {
			return r, err
		}
	}
}

// value reads what a member has: a string, which is a cell, an array of strings, a number of days, or null.
func (j *reader) value(r *record, c column) error {
	kind := j.PeekKind()
	if kind == jsontext.KindBeginArray && c.several() {
		return j.values(r, c)
	}
	raw, err := j.ReadValue()
	if err != nil {
		return err
	}
	switch {
	case kind == jsontext.KindNull:
	case kind == jsontext.KindString:
		cell, err := jsontext.AppendUnquote(nil, []byte(raw))
		if err != nil {
			return err
		}
		r.set(c, len(cell), c.values(string(cell)))
	case kind == jsontext.KindNumber && c == daysColumn:
		r.set(c, len(raw), []string{string(raw)})
	default:
		r.refuse(c, fmt.Errorf("%s: want a string, not %s", c, named(kind)))
	}
	return nil
}

// values reads an array of strings.
func (j *reader) values(r *record, c column) error {
	if _, err := j.ReadToken(); err != nil {
		return err
	}
	var values []string
	size := 0
	for {
		kind := j.PeekKind()
		if kind != jsontext.KindString && kind != jsontext.KindEndArray {
			if err := j.SkipValue(); err != nil {
				return err
			}
			r.refuse(c, fmt.Errorf("%s: want strings in the array, not %s", c, named(kind)))
			continue
		}
		token, err := j.ReadToken()
		if err != nil {
			return err
		}
		if kind == jsontext.KindEndArray {
			if r.given[c] == nil { // no refusal of something in the array
				r.set(c, size, values)
			}
			return nil
		}
		s := token.String()
		if size += len(s); size <= maxCell && len(values) <= maxValues {
			values = appendValue(values, s)
		}
	}
}

// next tells where the next token starts and what it is, and reads nothing.
func (j *reader) next() (int64, jsontext.Kind) {
	kind := j.PeekKind()
	start := j.InputOffset()
	// Between two tokens there is nothing else.
	for start < int64(len(j.text)) && strings.IndexByte(" \t\r\n,:", j.text[start]) >= 0 {
		start++
	}
	return start, kind
}

// at returns the line and column of an offset. It goes forwards from the last one, so that all calls together read the
// text once.
func (j *reader) at(offset int64) (line, column int) {
	end := min(int(offset), len(j.text))
	if end < j.offset {
		j.offset, j.line, j.column = 0, 1, 1
	}
	passed := j.text[j.offset:end]
	if last := bytes.LastIndexByte(passed, '\n'); last >= 0 {
		j.line += bytes.Count(passed, []byte{'\n'})
		j.column = 1
		passed = passed[last+1:]
	}
	j.column += utf8.RuneCount(passed)
	j.offset = end
	return j.line, j.column
}

func (j *reader) tell(offset int64, err error) {
	line, column := j.at(offset)
	j.faults.add(Fault{Line: line, Column: column, Err: err})
}

// syntax tells where the text stops being JSON. The commonest slips have a plainer name than the decoder's.
func (j *reader) syntax(err error) {
	var at *jsontext.SyntacticError
	if !errors.As(err, &at) {
		j.tell(j.InputOffset(), err)
		return
	}
	msg := strings.TrimPrefix(at.Err.Error(), "jsontext: ")
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		msg = "the array breaks off"
	case strings.HasPrefix(msg, "invalid character ',' at start of "):
		msg = "a comma too many"
	case strings.HasPrefix(msg, `invalid character '\n' in string`), strings.HasPrefix(msg, `invalid character '\r' in string`):
		msg = "a string does not end on its line: a quote is missing"
	}
	j.tell(at.ByteOffset, errors.New(msg))
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
