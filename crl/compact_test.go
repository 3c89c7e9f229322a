package crl_test

import (
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
)

func TestCompactEntries(t *testing.T) {
	id := "0123456789abcdef0123456789abcdef01234567"
	entries := []crl.Entry{
		{Serial: crl.SerialOf(big.NewInt(0))},
		{Serial: serial(t, "0a"), Reason: crl.KeyCompromise, Date: time.Date(2026, 3, 4, 10, 0, 0, 123456789, time.UTC), Issuer: id},
		{Serial: serial(t, "0b"), Reason: crl.AACompromise, Date: time.Date(2400, 3, 4, 10, 0, 0, 0, time.UTC), Issuer: id},
		{Serial: serial(t, "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), Date: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	data := crl.AppendEntries(nil, entries)
	got, err := crl.ParseEntries(data)
	if err != nil || !slices.Equal(got, entries) {
		t.Errorf("%v, %v; want %v", got, err, entries)
	}
	for n := range data {
		// What is cut short between two entries is a list of its own.
		got, err := crl.ParseEntries(data[:n])
		if len(got) >= len(entries) || !slices.Equal(got, entries[:len(got)]) {
			t.Errorf("the first %d octets are read as %v", n, got)
		}
		if whole := len(crl.AppendEntries(nil, got)) == n; whole != (err == nil) {
			t.Errorf("the first %d octets: %v", n, err)
		}
	}
}

func FuzzParseEntries(f *testing.F) {
	f.Add(crl.AppendEntries(nil, many(3)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, _ := crl.ParseEntries(data)
		again, err := crl.ParseEntries(crl.AppendEntries(nil, entries))
		if err != nil || len(again) != len(entries) {
			t.Errorf("%v and %v: %v", entries, again, err)
		}
	})
}
