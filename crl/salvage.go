package crl

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"unicode/utf16"
)

// What is left of an entry in a text that is no JSON any more: a name, with quotes of some kind or none, and a value in
// quotes on the same line.
const looseValue = `\b["']?\s*[:=]\s*["']([^"'\r\n]*)["']`

var (
	looseSerial = regexp.MustCompile(`\b` + serialKey + looseValue)
	looseMember = regexp.MustCompile(`\b(` + dateKey + `|` + reasonKey + `|` + issuerKey + `)` + looseValue)
)

// Salvage returns every entry of a broken list that can still be read: those before the break, and after it whatever has
// a serial_number, even where the date or the reason is lost. It errs towards revoking. Of a list that is whole it
// returns all entries; it reads UTF-16, and an X.509 list where the JSON should be, without regard to its signature. It
// takes time and memory in proportion to data.
func Salvage(data []byte) []Entry {
	if x, err := ParseX509(data); err == nil {
		return x.Entries
	}
	text := bytes.TrimPrefix(toUTF8(data), byteOrderMark)
	var entries []Entry
	read := int64(0)
	w := newWalker(text, true, func(e Entry, at *place) {
		entries = append(entries, e)
		read = at.end
	})
	if err := w.walk(); err == nil {
		return entries
	}
	return append(entries, scavenge(text[read:])...)
}

// scavenge looks for entries in a text without structure.
func scavenge(text []byte) []Entry {
	var entries []Entry
	found := looseSerial.FindAllSubmatchIndex(text, -1)
	last := 0
	for i, at := range found {
		next := len(text)
		if i+1 < len(found) {
			next = found[i+1][0]
		}
		serial, err := parseSerial(string(text[at[2]:at[3]]))
		if err == nil {
			e := Entry{Serial: serial}
			// Only what its own braces hold is the entry's: another one's issuer would let it in elsewhere.
			before, after := text[last:at[0]], text[at[1]:next]
			before = before[max(bytes.LastIndexAny(before, "{}"), 0):]
			if len(before) == 0 || before[0] != '{' {
				before = nil
			}
			if shut := bytes.IndexAny(after, "{}"); shut >= 0 {
				after = after[:shut]
			}
			e.scavenge(before)
			e.scavenge(after)
			entries = append(entries, e)
		}
		last = at[1]
	}
	return entries
}

func (e *Entry) scavenge(text []byte) {
	for _, m := range looseMember.FindAllSubmatch(text, -1) {
		switch value := string(m[2]); string(m[1]) {
		case dateKey:
			if date, err := parseDate(value); err == nil {
				e.Date = date
			}
		case reasonKey:
			e.Reason, _ = reasonOf(value)
		case issuerKey:
			if issuer, err := parseIssuer(value); err == nil {
				e.Issuer = issuer
			}
		}
	}
}

// toUTF8 turns UTF-16, as Windows PowerShell redirects its output, into UTF-8.
func toUTF8(data []byte) []byte {
	if !isUTF16(data) {
		return data
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 0xfe {
		order = binary.BigEndian
	}
	units := make([]uint16, 0, len(data)/2)
	for ; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	return []byte(string(utf16.Decode(units)))
}
