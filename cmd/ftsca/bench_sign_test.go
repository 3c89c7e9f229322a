package main_test

import (
	"crypto/rand"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
)

// BenchmarkSign holds the memory and the time that signing a long list takes against what they may be: a list that
// another hand has just put there, one that is signed already, and one to which a revocation is added.
func BenchmarkSign(b *testing.B) {
	for _, of := range []struct {
		name    string
		n       int
		memory  float64 // MB
		seconds float64 // to revoke and sign
	}{
		{"100000", 100_000, 150, 2},
		{"1000000", 1_000_000, 600, 20},
	} {
		b.Run(of.name, func(b *testing.B) {
			w := newWorkbench(b)
			empty, list := w.found("ecdsa-p256"), crl.NewList()
			for range of.n {
				list.Add(crl.Entry{Serial: w.serial(), Date: time.Now(), Reason: crl.KeyCompromise})
			}
			for b.Loop() {
				store := w.copied(empty)
				if err := os.WriteFile(filepath.Join(store, "endpoint", "FTS_CRL.json"), list.Bytes(), 0o644); err != nil {
					b.Fatal(err)
				}
				sign := func() usage { return w.run(w.ftsca, "crl", "sign", "--store", store) }
				first, again := sign(), sign()
				var revoked []usage
				for range 5 {
					revoked = append(revoked, w.run(w.ftsca, "revoke", "--serial", w.serial().String(), "--store", store))
				}
				after := sign()
				for name, u := range map[string]usage{"first": first, "again": again, "after": after} {
					b.Logf("%s: %d MB, wall %v, CPU %v", name, u.memory/1e6, rounded(u.wall), rounded(u.cpu))
				}
				b.Logf("revoke and sign: wall %s, CPU %s", spread(revoked, wall), spread(revoked, cpu))
				most := slices.Max([]int64{first.memory, again.memory, after.memory})
				limit(b, "sign-MB", float64(most)/1e6, of.memory)
				limit(b, "revoke-s", median(revoked, wall).Seconds(), of.seconds)
				if err := os.RemoveAll(store); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// serial returns a random serial.
func (w workbench) serial() crl.Serial {
	w.b.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		w.b.Fatal(err)
	}
	return crl.SerialOf(n)
}
