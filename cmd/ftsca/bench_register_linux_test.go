package main_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/ftsca/ftsca/ca/store"
)

// BenchmarkRegister measures what it costs to know the generations of so many certificates: the time to read them all, and
// what stays in memory.
func BenchmarkRegister(b *testing.B) {
	w := newWorkbench(b)
	for _, n := range []int{many, 10 * many} {
		b.Run(fmt.Sprintf("certificates=%d", n), func(b *testing.B) {
			w := w.sub(b)
			dir := w.withServer(0)
			w.listMany(dir, n)
			s, err := store.Open(dir, store.Options{Now: time.Now, By: "bench"})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				var all []usage
				for range rounds {
					before := heap()
					r, start, busy := s.Register(), time.Now(), ownCPU(b)
					if err := r.Load(b.Context()); err != nil {
						b.Fatal(err)
					}
					u := usage{wall: time.Since(start), cpu: ownCPU(b) - busy}
					u.memory = heap() - before
					all = append(all, u)
					if unknown := r.Unknown([]string{"client-000000", fmt.Sprintf("client-%06d", n-1), "nobody"}); len(unknown) != 1 {
						b.Errorf("unknown are %q", unknown)
					}
				}
				b.Logf("to read %d: wall %s, CPU %s", n, spread(all, wall), spread(all, cpu))
				limit(b, "s", median(all, cpu).Seconds(), float64(n)/many)
				limit(b, "MB", float64(all[len(all)-1].memory)/1e6, 20*float64(n)/many)
			}
		})
	}
}

// ownCPU is the CPU time that this process has used.
func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// heap is what is in use, in octets.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
