package store_test

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

// BenchmarkRevokeAndSign revokes one certificate more and signs the list anew, with that many on it already.
func BenchmarkRevokeAndSign(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := newDesk(b)
			list := crl.NewList()
			for i := range n {
				serial := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(int64(i)*7919+1), 90), big.NewInt(int64(i)))
				list.Add(crl.Entry{Serial: crl.SerialOf(serial), Date: d.now, Reason: crl.KeyCompromise})
			}
			if err := os.WriteFile(filepath.Join(d.Endpoint(), "FTS_CRL.json"), list.Bytes(), 0o644); err != nil {
				b.Fatal(err)
			}
			d.sign(store.Signing{})
			b.ReportAllocs()
			for i := int64(1); b.Loop(); i++ {
				d.revoke(entryOf(i, d.now))
				d.sign(store.Signing{})
			}
		})
	}
}
