package crl

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Remove takes out every entry that match says yes to, and returns them. match is asked about each entry once, in the
// order of the list. With an entry goes the comma that it had; all else stays as it was written.
func (l *List) Remove(match func(Entry) bool) []Entry {
	l.settle()
	var removed []Entry
	var lead []byte
	text, first, copied, open := l.body(), true, int64(0), int64(0)
	kept, b := make([]Entry, 0, len(l.entries)), make([]byte, 0, len(text))
	var w *walker
	w = newWalker(text, false, func(e Entry, at *place) {
		if first { // what stands before the first entry stands before whichever comes first afterwards
			open, first = w.open, false
			b, lead, copied = append(b, text[:open]...), text[open:at.start], open
		}
		switch {
		case match(e):
			removed = append(removed, e)
		case len(kept) == 0:
			b = append(append(b, lead...), text[at.start:at.end]...)
			kept = append(kept, e)
		default:
			b = append(b, text[copied:at.end]...)
			kept = append(kept, e)
		}
		copied = at.end
	})
	// It has been read before, so there is no error now.
	if err := w.walk(); err != nil || len(removed) == 0 {
		return nil
	}
	end := len(b)
	l.become(append(b, text[copied:]...), end, w.close+int64(end)-copied, kept)
	return removed
}

// SetReason gives every entry that match says yes to that reason, and returns how many had another one before. match is
// asked about each entry once, in the order of the list. A reason that means the same already stays as it was written.
func (l *List) SetReason(match func(Entry) bool, r Reason) int {
	if !r.valid() {
		return 0
	}
	n := 0
	quoted := `"` + r.String() + `"`
	l.rewrite(func(e *Entry, at *place, put func(span, string)) {
		if !match(*e) || e.Reason == r {
			return
		}
		n++
		e.Reason = r
		if value := at.values[valueOf(reasonKey)]; value != (span{}) {
			put(value, quoted)
			return
		}
		// The new member stands as the last one does: on a line of its own, or behind a blank, or close by.
		text := l.body()
		gap := text[:at.member]
		gap = gap[len(bytes.TrimRight(gap, " \t\r\n")):]
		put(span{at.tail, at.tail}, fmt.Sprintf(`,%s"%s": %s`, gap, reasonKey, quoted))
	})
	return n
}

// Format writes the whole list anew in the documents' form: indented by two, without a byte order mark, serials and
// issuers in lower-case hex, dates in UTC, reasons as [Reason.String] has them. Nothing is lost: fractions of a second,
// reasons that say nothing to us, the documents' own "compromised", other members, the order of all of them and how
// their values are written stay.
func (l *List) Format() error {
	l.rewrite(func(e *Entry, at *place, put func(span, string)) {
		text := l.body()
		value := func(name string) (s span, was string, ok bool) {
			if s = at.values[valueOf(name)]; s == (span{}) || text[s.start] != '"' {
				return s, "", false
			}
			was, err := unquote(jsontext.KindString, text[s.start:s.end])
			return s, was, err == nil
		}
		if s, was, ok := value(serialKey); ok && was != e.Serial.String() {
			put(s, `"`+e.Serial.String()+`"`)
		}
		if s, was, ok := value(dateKey); ok && !isDocumented(was) {
			put(s, `"`+e.Date.Format(time.RFC3339Nano)+`"`)
		}
		if s, was, ok := value(reasonKey); ok {
			if r, known := reasonOf(was); known && was != r.String() && !strings.EqualFold(was, "compromised") {
				put(s, `"`+r.String()+`"`)
			}
		}
		if s, was, ok := value(issuerKey); ok && was != e.Issuer {
			put(s, `"`+e.Issuer+`"`)
		}
	})
	text := jsontext.Value(bytes.Clone(l.body()))
	err := text.Format(jsontext.AllowInvalidUTF8(true), jsontext.PreserveRawStrings(true), jsontext.Multiline(true), jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("writing the revocation list in the documents' form: %w", err)
	}
	formatted, err := Parse(append(text, '\n'))
	if err != nil {
		return fmt.Errorf("reading back the revocation list in the documents' form: %w", err)
	}
	*l = *formatted
	return nil
}

// Text returns the first entry of that serial and issuer as it is written, an object of JSON; nil where there is none. It
// must not be changed.
func (l *List) Text(e Entry) []byte {
	l.settle()
	text, issuer := l.body(), canonical(e.Issuer)
	var found []byte
	w := newWalker(text, false, func(is Entry, at *place) {
		if found == nil && is.Serial == e.Serial && is.Issuer == issuer {
			found = text[at.start:at.end:at.end]
		}
	})
	if err := w.walk(); err != nil {
		return nil
	}
	return found
}

// isDocumented tells of a date in the documents' form, with a fraction of a second or none.
func isDocumented(date string) bool {
	_, err := time.Parse(time.RFC3339, date)
	return err == nil && strings.HasSuffix(date, "Z")
}

// rewrite goes through the entries and replaces pieces of their text.
func (l *List) rewrite(change func(e *Entry, at *place, put func(s span, with string))) {
	type piece struct {
		span
		with string
	}
	l.settle()
	text, copied, i := l.body(), int64(0), 0
	entries := slices.Clone(l.entries)
	b := make([]byte, 0, len(text)+len(text)/8)
	var pieces []piece
	w := newWalker(text, false, func(_ Entry, at *place) {
		pieces = pieces[:0]
		change(&entries[i], at, func(s span, with string) { pieces = append(pieces, piece{s, with}) })
		i++
		slices.SortFunc(pieces, func(a, b piece) int { return cmp.Compare(a.start, b.start) })
		for _, p := range pieces {
			b = append(append(b, text[copied:p.start]...), p.with...)
			copied = p.end
		}
	})
	if err := w.walk(); err != nil || copied == 0 {
		return
	}
	grown := int64(len(b)) - copied
	b = append(b, text[copied:]...)
	l.become(b, l.end-l.mark()+int(grown), w.close+grown, entries)
}

// mark is the length of the byte order mark.
func (l *List) mark() int { return len(l.text) - len(l.body()) }

// body is the text without its byte order mark.
func (l *List) body() []byte { return bytes.TrimPrefix(l.text, byteOrderMark) }

// become gives the list another text, whose places are counted without the byte order mark.
func (l *List) become(text []byte, end int, close int64, entries []Entry) {
	mark := l.text[:l.mark()]
	if l.text = text; len(mark) > 0 {
		l.text = slices.Concat(mark, text)
	}
	l.end, l.close = len(mark)+end, len(mark)+int(close)
	l.entries, l.read, l.known = entries, len(entries), nil
}
