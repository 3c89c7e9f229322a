//go:build !race

// The race detector makes sync.Pool drop things at random, which is allocation that a product does not have.

package cot_test

import (
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

func TestOrdinaryEventCostsOneAllocation(t *testing.T) {
	for name, piece := range seeds(t) {
		want := 1.0
		if name == "position-no-detail" {
			want = 2 // its stale time has an offset, for which a Location is made
		}
		cot.Parse(piece)
		if got := testing.AllocsPerRun(100, func() { cot.Parse(piece) }); got > want {
			t.Errorf("%s: %v allocations, want %v", name, got, want)
		}
	}
}

func TestFramingAllocatesNothing(t *testing.T) {
	stream := append(seeds(t)["position-atak"], '\n')
	var f cot.Framer
	got := testing.AllocsPerRun(100, func() {
		for chunk := range chunks(stream, 100) {
			f.Feed(chunk)
			for {
				if _, ok, err := f.Next(); !ok || err != nil {
					break
				}
			}
		}
	})
	if got > 0 {
		t.Errorf("%v allocations", got)
	}
}

func TestPongIsMadeWithOneAllocation(t *testing.T) {
	now := time.Now()
	if got := testing.AllocsPerRun(100, func() { cot.Pong(now) }); got > 1 {
		t.Errorf("%v allocations", got)
	}
}
