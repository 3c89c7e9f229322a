package crl_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{documented, string(crl.NewList().Bytes()), "\ufeff{\"revoked_certificates\":[]}",
		"{\r\n\"x\": [1, {\"y\": null}], \"revoked_certificates\": [ {\"serial_number\": \"0x00:aB\", \"issuer\": \"0C\", \"revocation_date\": \"2024-03-04\"}\r\n ] }",
		`{"revoked_certificates": [{"serial\u005fnumber": "1\u0041", "reason": "lost"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		kept := bytes.Clone(data)
		l, err := crl.Parse(data)
		streamed, streamedErr := crl.ReadEntries(bytes.NewReader(data), int64(len(data)))
		if (err == nil) != (streamedErr == nil) {
			t.Errorf("Parse says %v, ReadEntries %v", err, streamedErr)
		}
		if err != nil {
			var at *crl.SyntaxError
			if !errors.As(err, &at) || at.Line < 1 || at.Column < 1 || at.Line > 1+bytes.Count(data, []byte{'\n'}) || at.Column > 1+len(data) {
				t.Errorf("the error has no place: %v", err)
			}
			return
		}
		if got := l.Bytes(); !bytes.Equal(got, kept) || l.Len() != len(l.Entries()) {
			t.Errorf("%q, untouched, became %q", kept, got)
		}
		if got := crl.Salvage(data); !sameEntries(got, l.Entries()) {
			t.Errorf("of a whole list Salvage reads %v, Parse %v", got, l.Entries())
		}
		entries := l.Entries()
		if !slices.Equal(streamed, entries) {
			t.Errorf("ReadEntries reads %v, Parse %v", streamed, entries)
		}
		for _, e := range additions(t) {
			l.Add(e)
			if !l.Contains(e.Serial, e.Issuer) || l.Add(e) {
				t.Errorf("%v was added and is not there", e)
			}
		}
		checkAdded(t, kept, l.Bytes(), entries, additions(t))
	})
}

func FuzzSalvage(f *testing.F) {
	f.Add([]byte(documented))
	f.Add([]byte(documented[:200]))
	f.Add(toUTF16(documented))
	f.Add(fixture(f, "v1.pem"))
	f.Add([]byte(`{"serial_number":"1A" "issuer":'0c',revocation_date="2024-03-04"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries := crl.Salvage(data)
		// Each entry needs some text, or no list could be bounded.
		if len(entries) > len(data) {
			t.Errorf("%d entries in %d octets", len(entries), len(data))
		}
		for _, e := range entries {
			if !e.Date.IsZero() && e.Date.Year() < 1950 || e.Reason < 0 || e.Reason > 10 {
				t.Errorf("got %+v", e)
			}
		}
		l := crl.NewList()
		for _, e := range entries {
			l.Add(e)
		}
		again, err := crl.Parse(l.Bytes())
		if err != nil {
			t.Fatalf("what was salvaged cannot be read: %v", err)
		}
		if missing := crl.Missing(again.Entries(), entries); len(missing) > 0 {
			t.Errorf("%v went missing", missing)
		}
	})
}

func FuzzParseX509(f *testing.F) {
	for _, name := range []string{"v1.pem", "v1_empty.pem", "v2.der", "some.pem", "indirect.pem", "delta.pem", "unknown.pem", "bundle.pem"} {
		data := fixture(f, name)
		f.Add(data)
		if block, _ := pem.Decode(data); block != nil {
			f.Add(block.Bytes)
		}
	}
	ca := opensslCA(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := crl.ParseX509(data)
		if err != nil {
			return
		}
		// An entry takes 20 octets of DER at least.
		if 20*(len(x.Entries)+x.Skipped) > len(data) {
			t.Errorf("%d entries in %d octets", len(x.Entries)+x.Skipped, len(data))
		}
		if x.CheckSignature(ca) == nil && x.Number != nil && x.Number.Cmp(big.NewInt(0x1000)) != 0 {
			t.Errorf("it passes for the authority's: %+v", x)
		}
		// Where the standard library reads it too, it reads the same.
		block, _ := pem.Decode(data)
		if block != nil {
			return
		}
		theirs, err := x509.ParseRevocationList(data)
		if err != nil {
			return
		}
		listed := crl.NewChecker(x.Entries)
		for _, e := range theirs.RevokedCertificateEntries {
			if !listed.Revoked(ca, e.SerialNumber) {
				t.Errorf("the standard library finds %v on it", e.SerialNumber)
			}
		}
	})
}

func FuzzParseSerial(f *testing.F) {
	for _, seed := range []string{"1A2B3C4D5E6F", "0x00:1a:2B", " 1a 2b", "1:2:3", "0", "\u200e1a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := crl.ParseSerial(s)
		if err != nil {
			return
		}
		again, err := crl.ParseSerial(got.String())
		if err != nil || again != got || crl.SerialOf(got.Big()) != got {
			t.Errorf("%q is %s, which is %s, %v", s, got, again, err)
		}
		if n := len(got.String()); n%2 != 0 || n > 64 {
			t.Errorf("%q is %s", s, got)
		}
	})
}

// The dates of a list are read the same whatever becomes of them on the way.
func FuzzDate(f *testing.F) {
	for _, seed := range []string{"2024-03-04T10:00:00Z", "2024-03-04 10:00:00.123+01:00", "2024-03-04", "2024-03-04T10:00:00+00:00Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		entries := crl.Salvage([]byte(`{"revoked_certificates": [, {"serial_number": "1A", "revocation_date": '` + s + `'`))
		if len(entries) == 0 {
			return
		}
		e := entries[0]
		l := crl.NewList()
		l.Add(e)
		again, err := crl.Parse(l.Bytes())
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if got := again.Entries()[0].Date; !got.Equal(e.Date.Truncate(time.Second)) {
			t.Errorf("%q is %v, then %v", s, e.Date, got)
		}
	})
}
