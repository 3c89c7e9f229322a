package crl_test

import (
	"fmt"
	"math/big"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/testpki"
)

// sizes are those of a busy store, and of one that nobody should have and that must work all the same.
var sizes = []int{100_000, 1_000_000}

// BenchmarkLoad reads the list in JSON and makes a Checker of it, as an endpoint does.
func BenchmarkLoad(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := asText(many(n))
			measured(b, func() {
				l, err := crl.Parse(text)
				if err != nil {
					b.Fatal(err)
				}
				if c := crl.NewChecker(l.Entries()); c.Len() != n {
					b.Fatalf("%d entries", c.Len())
				}
			})
		})
	}
}

// BenchmarkSignAndReadBack signs a list and reads it back.
func BenchmarkSignAndReadBack(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ca := testpki.NewRoot(b, "Valley CA")
			t := crl.Template{Entries: many(n), Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().AddDate(1, 0, 0)}
			measured(b, func() {
				der, err := crl.Sign(t, ca.Cert, ca.Key)
				if err != nil {
					b.Fatal(err)
				}
				x, err := crl.ParseX509(der)
				if err == nil {
					err = x.CheckSignature(ca.Cert)
				}
				if err != nil || len(x.Entries) != n {
					b.Fatal(len(x.Entries), err)
				}
			})
		})
	}
}

// BenchmarkAdd reads the list in JSON, adds an entry, and writes it.
func BenchmarkAdd(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := asText(many(n))
			measured(b, func() {
				l, err := crl.Parse(text)
				if err != nil || !l.Add(crl.Entry{Serial: serial(b, "feed01")}) || len(l.Bytes()) <= len(text) {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkRemove reads the list in JSON, takes an entry out, and writes it.
func BenchmarkRemove(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			entries := many(n)
			text, gone := asText(entries), entries[n/2].Serial
			measured(b, func() {
				l, err := crl.Parse(text)
				if err != nil || len(l.Remove(func(e crl.Entry) bool { return e.Serial == gone })) != 1 || len(l.Bytes()) >= len(text) {
					b.Fatal(err)
				}
			})
		})
	}
}

// measured runs a benchmark and reports the most memory that it held beyond what it was given, garbage that had not
// been collected yet included, and with what it was given.
func measured(b *testing.B, work func()) {
	b.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	runtime.GC()
	given := inUse()
	most, stop, stopped := given, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				most = max(most, inUse())
			}
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		work()
	}
	close(stop)
	<-stopped
	b.ReportMetric(float64(most-given)/(1<<20), "peak-MiB")
	b.ReportMetric(float64(most)/(1<<20), "all-MiB")
}

func inUse() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
