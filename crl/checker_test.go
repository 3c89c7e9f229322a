package crl_test

import (
	"crypto/x509"
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/testpki"
)

func TestCheckerMindsIssuerAndSerial(t *testing.T) {
	ca, other := testpki.NewRoot(t, "Valley CA"), testpki.NewRoot(t, "Hill CA")
	unnamed := testpki.NewRoot(t, "FreeTAKServer's CA", testpki.NoKeyID())
	c := crl.NewChecker([]crl.Entry{
		{Serial: serial(t, "0")},
		{Serial: serial(t, "1A")},
		{Serial: serial(t, "1B"), Issuer: crl.KeyID(ca.Cert)},
		{Serial: serial(t, "1C"), Issuer: strings.ToUpper(crl.KeyID(ca.Cert))},
		{Serial: serial(t, "1D"), Issuer: "Valley CA"},
		{Serial: serial(t, "1E"), Issuer: crl.KeyID(unnamed.Cert)},
		{Serial: serial(t, "1A"), Reason: crl.Superseded},
		{Serial: serial(t, "1F"), Reason: crl.RemoveFromCRL, Date: time.Now().AddDate(1, 0, 0)},
		{Serial: serial(t, strings.Repeat("fe", 32))},
	})
	for _, test := range []struct {
		serial string
		by     []*testpki.Authority
	}{
		{"0", []*testpki.Authority{ca, other, unnamed}},
		{"1A", []*testpki.Authority{ca, other, unnamed}},
		{"1B", []*testpki.Authority{ca}},
		{"1C", []*testpki.Authority{ca}},
		{"1D", []*testpki.Authority{ca, other, unnamed}},
		{"1E", []*testpki.Authority{unnamed}},
		{"1F", []*testpki.Authority{ca, other, unnamed}},
		{"20", nil},
		{"011A", nil},
		{strings.Repeat("fe", 32), []*testpki.Authority{ca, other, unnamed}},
		{strings.Repeat("fe", 31), nil},
	} {
		for _, issuer := range []*testpki.Authority{ca, other, unnamed} {
			want := slices.Contains(test.by, issuer)
			if got := c.Revoked(issuer.Cert, serial(t, test.serial).Big()); got != want {
				t.Errorf("%s of %s: got %v", test.serial, issuer.Cert.Subject, got)
			}
		}
	}
	if c.Len() != 8 {
		t.Errorf("it has %d revocations, want 8", c.Len())
	}
}

// Serials of every length, many of which begin alike or are alike, in no order.
func TestCheckerFindsEverySerialAndNoOther(t *testing.T) {
	ca := testpki.NewRoot(t, "Valley CA")
	random := rand.New(rand.NewPCG(1, 2))
	listed := map[string]bool{}
	var entries []crl.Entry
	for range 20_000 {
		octets := make([]byte, random.IntN(33))
		for i := range octets {
			octets[i] = byte(random.IntN(2)) // so that many begin alike
		}
		serial := new(big.Int).SetBytes(octets)
		listed[serial.String()] = true
		entries = append(entries, crl.Entry{Serial: crl.SerialOf(serial)})
	}
	c := crl.NewChecker(entries)
	if c.Len() != len(listed) {
		t.Errorf("it has %d revocations, want %d", c.Len(), len(listed))
	}
	for _, e := range entries {
		for _, by := range []int64{-1, 0, 1} {
			serial := new(big.Int).Add(e.Serial.Big(), big.NewInt(by))
			if want := listed[serial.String()] || serial.Sign() < 0; c.Revoked(ca.Cert, serial) != want {
				t.Fatalf("%x is revoked: %v, want %v", serial, !want, want)
			}
		}
	}
}

func TestCheckerFailsClosed(t *testing.T) {
	ca := testpki.NewRoot(t, "Valley CA").Cert
	empty := crl.NewChecker(nil)
	limited := crl.NewChecker([]crl.Entry{{Serial: serial(t, "1A"), Issuer: "0c"}})
	var none *crl.Checker
	for _, test := range []struct {
		name    string
		checker *crl.Checker
		issuer  *x509.Certificate
		serial  *big.Int
		want    bool
	}{
		{"an empty list", empty, ca, big.NewInt(7), false},
		{"nil", none, ca, big.NewInt(7), true},
		{"zero", new(crl.Checker), ca, big.NewInt(7), true},
		{"no issuer", empty, nil, big.NewInt(7), true},
		{"no serial", empty, ca, nil, true},
		{"a negative serial", empty, ca, big.NewInt(-7), true},
		{"a serial of 33 octets", empty, ca, new(big.Int).Lsh(big.NewInt(1), 256), true},
		{"an issuer without a key", limited, &x509.Certificate{}, big.NewInt(7), true},
	} {
		if got := test.checker.Revoked(test.issuer, test.serial); got != test.want {
			t.Errorf("%s: got %v", test.name, got)
		}
	}
	if none.Len() != 0 {
		t.Errorf("nil has %d revocations", none.Len())
	}
}

// many returns n entries, each with a serial of 16 octets.
func many(n int) []crl.Entry {
	source := rand.New(rand.NewPCG(1, 2))
	date := time.Date(2026, 6, 20, 12, 0, 0, 0, time.UTC)
	entries := make([]crl.Entry, n)
	for i := range entries {
		octets := binary.BigEndian.AppendUint64(nil, source.Uint64()|1<<63)
		octets = binary.BigEndian.AppendUint64(octets, source.Uint64())
		entries[i] = crl.Entry{Serial: crl.SerialOf(new(big.Int).SetBytes(octets)), Date: date, Reason: crl.KeyCompromise}
	}
	return entries
}

func TestLookingUpAllocatesNothing(t *testing.T) {
	entries := many(1000)
	entries[1].Issuer = "0c"
	c := crl.NewChecker(entries)
	listed, unlisted := entries[0].Serial.Big(), entries[1].Serial.Big()
	for name, ca := range map[string]*x509.Certificate{
		"named":   testpki.NewRoot(t, "Valley CA").Cert,
		"unnamed": testpki.NewRoot(t, "FreeTAKServer's CA", testpki.NoKeyID()).Cert,
	} {
		n := testing.AllocsPerRun(100, func() {
			if !c.Revoked(ca, listed) || c.Revoked(ca, unlisted) {
				t.Fatal("wrong")
			}
		})
		if n != 0 {
			t.Errorf("with a %s authority: %v allocations", name, n)
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAHundredThousandEntriesAreSmall(t *testing.T) {
	const n = 100_000
	before := heap()
	text := asText(many(n))
	l, err := crl.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	c := crl.NewChecker(l.Entries())
	all := heap() - before
	runtime.KeepAlive(l)
	l, text = nil, nil
	alone := heap() - before
	if c.Len() != n {
		t.Errorf("it has %d revocations", c.Len())
	}
	t.Logf("text, list and checker %d KiB, checker alone %d KiB", all>>10, alone>>10)
	if all > 40<<20 || alone > 4<<20 {
		t.Errorf("text, list and checker take %d KiB, the checker alone %d KiB", all>>10, alone>>10)
	}
}

func asText(entries []crl.Entry) []byte {
	l := crl.NewList()
	for _, e := range entries {
		l.Add(e)
	}
	return l.Bytes()
}

func BenchmarkRevoked(b *testing.B) {
	ca := testpki.NewRoot(b, "Valley CA").Cert
	for _, size := range []struct {
		name string
		n    int
	}{{"none", 0}, {"1e5", 100_000}, {"1e6", 1_000_000}} {
		b.Run(size.name, func(b *testing.B) {
			c, asked := crl.NewChecker(many(size.n)), many(size.n + 1000)[size.n:]
			serials := make([]*big.Int, len(asked))
			for i, e := range asked {
				serials[i] = e.Serial.Big()
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.Revoked(ca, serials[i%len(serials)])
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"1e5", 100_000}, {"1e6", 1_000_000}} {
		text := asText(many(size.n))
		b.Run(size.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := crl.Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewChecker(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"1e5", 100_000}, {"1e6", 1_000_000}} {
		entries := many(size.n)
		b.Run(size.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				crl.NewChecker(entries)
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	ca := testpki.NewRoot(b, "Valley CA")
	this := time.Date(2026, 6, 21, 12, 0, 0, 0, time.UTC)
	for _, size := range []struct {
		name string
		n    int
	}{{"1e5", 100_000}, {"1e6", 1_000_000}} {
		t := crl.Template{Entries: many(size.n), Number: big.NewInt(1), ThisUpdate: this, NextUpdate: this.AddDate(1, 0, 0)}
		b.Run(size.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := crl.Sign(t, ca.Cert, ca.Key); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Of entries that cover each other in every way, Covers says what Missing does.
func TestCheckerCoversWhatMissingDoesNotMiss(t *testing.T) {
	one, two := strings.Repeat("ab", 20), strings.Repeat("cd", 20)
	var some []crl.Entry
	for n := range int64(4) {
		for _, issuer := range []string{"", one, two, strings.ToUpper(one), "no hex"} {
			some = append(some, crl.Entry{Serial: crl.SerialOf(big.NewInt(n)), Issuer: issuer})
		}
	}
	for mask := range 1 << 10 {
		var have []crl.Entry
		for i := range 10 {
			if mask>>i&1 == 1 {
				have = append(have, some[i*2])
			}
		}
		c := crl.NewChecker(have)
		for _, e := range some {
			if missing := len(crl.Missing(have, []crl.Entry{e})) == 1; c.Covers(e) == missing {
				t.Fatalf("%v covers %v: %v, and missing: %v", have, e, c.Covers(e), missing)
			}
		}
	}
}
