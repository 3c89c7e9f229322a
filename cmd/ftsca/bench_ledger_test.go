package main_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
)

// many is how many certificates a large ledger holds; one in expiring lapses within a month.
const (
	many     = 100_000
	expiring = 100
)

// BenchmarkLedger holds what a command costs beside a large ledger against what it may.
func BenchmarkLedger(b *testing.B) {
	w := newWorkbench(b)
	small, large := w.found("ecdsa-p256"), w.large()
	b.Run("list", func(b *testing.B) {
		w := w.sub(b)
		var asJSON, asCSV, lapsing bytes.Buffer
		list := func(out *bytes.Buffer, args ...string) func() usage {
			return func() usage {
				out.Reset()
				return w.runTo(out, w.ftsca, append([]string{"list", "--store", large}, args...)...)
			}
		}
		for b.Loop() {
			ways := []contestant{
				{"json", list(&asJSON, "--json")},
				{"csv", list(&asCSV, "--csv")},
				{"expiring", list(&lapsing, "--expiring", "30d", "--json")},
			}
			r := race(rounds, ways...)
			if n := elements(b, asJSON.Bytes()); n != many+1 {
				b.Errorf("--json lists %d certificates", n)
			}
			if rows, err := csv.NewReader(&asCSV).ReadAll(); err != nil || len(rows) != many+2 {
				b.Errorf("--csv has %d rows, %v", len(rows), err)
			}
			if n := elements(b, lapsing.Bytes()); n != many/expiring-1 {
				b.Errorf("--expiring finds %d certificates", n)
			}
			for i, way := range ways {
				b.Logf("list %s of %d: wall %s, CPU %s", way.name, many, spread(r[i], wall), spread(r[i], cpu))
				limit(b, way.name+"-s", median(r[i], lesser).Seconds(), 0.5)
			}
		}
	})
	b.Run("issue", func(b *testing.B) {
		w := w.sub(b)
		for b.Loop() {
			r := race(4*rounds,
				contestant{"small", func() usage { return w.issue(small) }},
				contestant{"large", func() usage { return w.issue(large) }})
			b.Logf("CPU of a client: beside an empty ledger %s, beside one of %d %s", spread(r[0], cpu), many, spread(r[1], cpu))
			limit(b, "x-empty", ratio(r[1], r[0]), 1.1)
		}
	})
}

func elements(b *testing.B, data []byte) int {
	b.Helper()
	var rows []json.RawMessage
	if err := json.Unmarshal(data, &rows); err != nil {
		b.Fatal(err)
	}
	return len(rows)
}

// large makes a store with many certificates.
func (w workbench) large() string {
	w.b.Helper()
	start := time.Now()
	store := w.found("ecdsa-p256")
	fill(w.b, store, many)
	w.b.Logf("filled a store with %d certificates in %v", many, rounded(time.Since(start)))
	return store
}

// fill enters certificates into a store by its own interface. One is issued; the others differ from it in their serial
// and in what the index says of them.
func fill(b *testing.B, dir string, n int) {
	b.Helper()
	s, err := store.Open(dir, store.Options{Now: time.Now, By: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	pattern := issueOne(b, s)
	var claims []ca.Claim
	for i := 1; i < n; i++ {
		claims = append(claims, ca.Claim{Name: fmt.Sprintf("client-%06d", i)})
	}
	for group := range slices.Chunk(claims, 32) {
		reserved, err := s.Reserve(b.Context(), group)
		if err != nil {
			b.Fatal(err)
		}
		var deliveries []ca.Delivery
		for _, r := range reserved {
			e := ca.Entry{Certificate: renumbered(pattern), Name: r.Name, Generation: r.Generation, Purpose: ca.Client, IssuedAt: time.Now(),
				Groups: []string{"blue"}, Hosts: []string{"h.example.org:8089"}, Contact: "radio@example.org"}
			if strings.HasSuffix(r.Name, "00") {
				e.Certificate.NotAfter = time.Now().AddDate(0, 0, 20)
			}
			deliveries = append(deliveries, ca.Delivery{Reservation: r, Entry: e})
		}
		if err := s.Commit(b.Context(), deliveries); err != nil {
			b.Fatal(err)
		}
	}
}

func issueOne(b *testing.B, s *store.Store) *x509.Certificate {
	b.Helper()
	kept, err := s.Authorities(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	key, err := keyfile.Load(s.KeyFile(kept, kept.Current), nil)
	if err != nil {
		b.Fatal(err)
	}
	a, err := s.Authority(kept, kept.Current, key)
	if err != nil {
		b.Fatal(err)
	}
	own, err := keyfile.Generate(keyfile.ECDSAP256)
	if err != nil {
		b.Fatal(err)
	}
	request, err := csr.New(own.Public(), csr.Subject{CommonName: "client-000000"}, nil)
	if err != nil {
		b.Fatal(err)
	}
	e, err := a.Issue(b.Context(), ca.Order{Purpose: ca.Client, Request: request})
	if err != nil {
		b.Fatal(err)
	}
	return e.Certificate
}

// renumbered is a certificate with another serial, as long as its own. Nobody checks its signature.
func renumbered(pattern *x509.Certificate) *x509.Certificate {
	before := pattern.SerialNumber.Bytes()
	after := bytes.Clone(before)
	rand.Read(after[1:])
	c := *pattern
	c.SerialNumber = new(big.Int).SetBytes(after)
	c.Raw = bytes.Replace(pattern.Raw, before, after, 1)
	return &c
}
