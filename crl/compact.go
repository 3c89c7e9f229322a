package crl

import (
	"encoding/binary"
	"errors"
	"time"
)

// AppendEntries appends entries to b in a form for programs to keep, in a sixth of the octets that [List.Bytes] takes.
// [ParseEntries] reads it. Nothing that an entry says is lost.
func AppendEntries(b []byte, entries []Entry) []byte {
	issuer := ""
	for i := range entries {
		e := &entries[i]
		b = binary.AppendUvarint(b, uint64(len(e.Serial.octets)))
		b = append(append(b, e.Serial.octets...), byte(e.Reason))
		if formatDate(e.Date) == "" {
			b = binary.AppendUvarint(b, 0)
		} else {
			// Not zero: it is after firstYear.
			b = binary.AppendUvarint(b, uint64(e.Date.Unix()))
			b = binary.AppendUvarint(b, uint64(e.Date.Nanosecond()))
		}
		// Zero is the issuer of the entry before.
		if of := canonical(e.Issuer); of != issuer || i == 0 {
			issuer = of
			b = append(binary.AppendUvarint(b, 1+uint64(len(issuer))), issuer...)
		} else {
			b = binary.AppendUvarint(b, 0)
		}
	}
	return b
}

// ParseEntries reads what [AppendEntries] wrote. With an error it returns the entries before what cannot be read.
func ParseEntries(data []byte) ([]Entry, error) {
	const entry = 24 // as a serial of 16 octets, and a date in whole seconds, take
	entries := make([]Entry, 0, len(data)/entry)
	r, issuer := compactReader{rest: data}, ""
	for len(r.rest) > 0 {
		e := Entry{Serial: Serial{string(r.octets(r.number()))}}
		if code := r.octets(1); len(code) == 1 {
			e.Reason = Reason(code[0])
		}
		if seconds := r.number(); seconds != 0 {
			e.Date = time.Unix(int64(seconds), int64(r.number())).UTC()
		}
		if n := r.number(); n > 0 {
			issuer = string(r.octets(n - 1))
		}
		e.Issuer = issuer
		if r.broken || !e.Reason.valid() || e.Serial.unlistable() || canonical(issuer) != issuer {
			return entries, errors.New("the kept revocation list is damaged")
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// compactReader takes pieces off a text, and nothing once it is broken.
type compactReader struct {
	rest   []byte
	broken bool
}

func (r *compactReader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if r.broken = r.broken || size <= 0; r.broken {
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *compactReader) octets(n uint64) []byte {
	if r.broken = r.broken || n > uint64(len(r.rest)); r.broken {
		return nil
	}
	octets := r.rest[:n]
	r.rest = r.rest[n:]
	return octets
}
