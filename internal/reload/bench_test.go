package reload_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/testpki"
)

// BenchmarkLoad loads a folder with that many revocations in each of its four lists.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{0, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := newFolder(b)
			list := crl.NewList()
			entries := make([]crl.Entry, n)
			for i := range entries {
				serial := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(int64(i)*7919+1), 90), big.NewInt(int64(i)))
				entries[i] = crl.Entry{Serial: crl.SerialOf(serial), Date: yesterday, Reason: crl.KeyCompromise}
				list.Add(entries[i])
			}
			der, err := crl.Sign(crl.Template{Entries: entries, Number: big.NewInt(1), ThisUpdate: yesterday,
				NextUpdate: nextYear}, f.issuing.Cert, f.issuing.Key)
			if err != nil {
				b.Fatal(err)
			}
			signed := crl.EncodePEM(der)
			f.write("FTS_CRL.json", list.Bytes())
			f.write(".FTS_CRL.last", list.Bytes())
			f.write("FTS_CRL.pem", signed)
			f.write("ca.pem", append(testpki.CertPEM(f.issuing.Cert, f.root.Cert), signed...))
			b.ReportAllocs()
			for b.Loop() {
				if _, report, err := f.files().Load(time.Now(), nil); err != nil || len(report.Entries) != n {
					b.Fatalf("%d entries: %v", len(report.Entries), err)
				}
			}
		})
	}
}
