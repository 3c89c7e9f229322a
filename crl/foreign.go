package crl

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A Form is how a list is written.
type Form string

// The forms that [ParseForeign] reads.
const (
	FormJSON    Form = "json"    // that of [List]
	FormUsers   Form = "fts"     // FreeTAKServer's: an object of users by serials in decimal
	FormSerials Form = "serials" // a serial a line
	FormX509    Form = "x509"    // X.509 lists in PEM, or one in DER
)

// A Foreign is what a list of another program or person says.
type Foreign struct {
	// Form is how it was written.
	Form Form
	// Entries are those of every form but X.509, in the order of the list. Only FormJSON has dates, reasons and issuers.
	Entries []Entry
	// Zoneless is how many dates name no zone, and were taken as UTC.
	Zoneless int
	// Users has the names that FormUsers gives to serials.
	Users map[Serial]string
	// Lists are those of FormX509, whose signatures nobody has checked yet.
	Lists []*X509
}

// ParseForeign reads a list in any form, which it tells by the content. Serials of a plain list are in hex, as
// [ParseSerial] reads them, or with decimal in decimal; empty lines count nothing, nor does what follows a # at the start
// of a line or behind a blank. Errors about JSON and plain lists are a *[SyntaxError].
//
// Of a plain list in hex, a serial of more than 24 digits none of which is a letter is refused: it is likely to be
// decimal (one in hex looks like that once in a hundred thousand), and another certificate would be revoked in its place.
// 0x before it says that it is hex.
func ParseForeign(data []byte, decimal bool) (Foreign, error) {
	text := bytes.TrimPrefix(toUTF8(data), byteOrderMark)
	begin := bytes.TrimSpace(text)
	switch {
	case len(begin) == 0:
		return Foreign{}, &SyntaxError{Line: 1, Column: 1, Msg: "the list is empty"}
	case bytes.Contains(begin, []byte("-----BEGIN ")), begin[0] == 0x30 && bytes.IndexByte(begin, 0) >= 0:
		return parseForeignX509(data)
	case begin[0] != '{':
		return parseSerials(text, decimal)
	}
	users, err := parseUsers(text)
	if err == nil {
		return users, nil
	}
	l, listErr := Parse(text)
	if listErr == nil {
		return Foreign{Form: FormJSON, Entries: l.Entries(), Zoneless: l.Zoneless()}, nil
	}
	if bytes.Contains(text, []byte(`"`+arrayKey+`"`)) {
		return Foreign{}, listErr
	}
	return Foreign{}, position(text, err)
}

// parseForeignX509 reads a list in DER, or all those in a file of PEM blocks.
func parseForeignX509(data []byte) (Foreign, error) {
	f := Foreign{Form: FormX509}
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != pemType {
			continue
		}
		x, err := ParseX509(block.Bytes)
		if err != nil {
			return Foreign{}, err
		}
		f.Lists = append(f.Lists, x)
	}
	if len(f.Lists) == 0 {
		x, err := ParseX509(data)
		if err != nil {
			return Foreign{}, err
		}
		f.Lists = append(f.Lists, x)
	}
	return f, nil
}

// likelyDecimal is for how many digits without a letter a serial in hex is not believed to be one.
const likelyDecimal = 24

func parseSerials(text []byte, decimal bool) (Foreign, error) {
	f := Foreign{Form: FormSerials}
	parse := parseSerial
	if decimal {
		parse = parseDecimal
	}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		word := Uncomment(string(line))
		if word == "" {
			continue
		}
		fail := func(err error) (Foreign, error) {
			kind := "hex"
			if decimal {
				kind = "decimal"
			}
			return Foreign{}, &SyntaxError{Line: number, Column: 1, Msg: fmt.Sprintf("%s is no serial number in %s: %v", quote(word), kind, err)}
		}
		serial, err := parse(word)
		if err != nil {
			return fail(err)
		}
		if !decimal && len(word) > likelyDecimal && !strings.ContainsFunc(word, func(r rune) bool { return r < '0' || r > '9' }) {
			return fail(errors.New("it has no letter, and may be meant as decimal; 0x before it says that it is hex"))
		}
		f.Entries = append(f.Entries, Entry{Serial: serial})
	}
	return f, nil
}

// Uncomment returns what a line of a plain list says: without the blanks around it, and without a # and what follows
// where it stands first or behind a blank. NAME#2 keeps its #.
func Uncomment(line string) string {
	for i := range len(line) {
		if line[i] == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			line = line[:i]
			break
		}
	}
	return strings.TrimFunc(line, blank)
}

// maxDigits are those of the longest serial in decimal.
const maxDigits = 78

func parseDecimal(s string) (Serial, error) {
	s = strings.TrimFunc(s, blank)
	if s == "" {
		return Serial{}, errNoDigits
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return Serial{}, fmt.Errorf("%q is no digit", r)
		}
	}
	if s = strings.TrimLeft(s, "0"); len(s) > maxDigits {
		return Serial{}, errTooLong
	}
	n, _ := new(big.Int).SetString("0"+s, 10) // it has digits only
	if serial := SerialOf(n); !serial.unlistable() {
		return serial, nil
	}
	return Serial{}, errTooLong
}

// parseUsers reads FreeTAKServer's own form, {"<serial in decimal>": "<user>"}. Its error is a *fault.
func parseUsers(text []byte) (Foreign, error) {
	f := Foreign{Form: FormUsers, Users: map[Serial]string{}}
	w := newWalker(text, false, nil)
	if _, _, _, err := w.next(); err != nil {
		return f, err
	}
	for w.dec.PeekKind() != jsontext.KindEndObject {
		kind, raw, start, err := w.next()
		if err != nil {
			return f, err
		}
		name, err := unquote(kind, raw)
		if err != nil {
			return f, &fault{start, err.Error()}
		}
		serial, err := parseDecimal(name)
		if err != nil {
			return f, &fault{start, fmt.Sprintf("%s is no serial number in decimal: %v", quote(name), err)}
		}
		kind, raw, start, err = w.next()
		if err != nil {
			return f, err
		}
		switch kind {
		case jsontext.KindString:
			if f.Users[serial], err = unquote(kind, raw); err != nil {
				return f, &fault{start, err.Error()}
			}
		case jsontext.KindNull:
		default:
			return f, &fault{start, fmt.Sprintf("the user of a serial must be a string, not %s", named(kind))}
		}
		f.Entries = append(f.Entries, Entry{Serial: serial})
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return f, w.syntax(err)
	}
	return f, w.nothingMore()
}
