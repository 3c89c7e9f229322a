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
		event, err := cot.Parse(piece)
		if err != nil {
			t.Fatal(err)
		}
		if event.Dests != nil {
			want++
		}
		if event.Chat.Members != nil {
			want++
		}
		if got := testing.AllocsPerRun(100, func() { cot.Parse(piece) }); got > want {
			t.Errorf("%s: %v allocations, want %v", name, got, want)
		}
	}
}

func TestEventWithoutMartiCostsOneAllocation(t *testing.T) {
	event := accepted(t, seeds(t)["file-transfer"])
	if got := testing.AllocsPerRun(100, func() { event.WithoutMarti() }); got > 1 {
		t.Errorf("%v allocations", got)
	}
	event = accepted(t, seeds(t)["position-atak"])
	if got := testing.AllocsPerRun(100, func() { event.WithoutMarti() }); got > 0 {
		t.Errorf("%v allocations where there is none", got)
	}
}

func TestFramingAllocatesNothing(t *testing.T) {
	stream := append(seeds(t)["position-atak"], '\n')
	var f cot.Framer
	got := testing.AllocsPerRun(100, func() { pieces(t, &f, stream, 100) })
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

func TestFramingMessagesAllocatesNothing(t *testing.T) {
	stream := frameOf(t, seeds(t)["position-atak"])
	var f cot.MessageFramer
	got := testing.AllocsPerRun(100, func() { pieces(t, &f, stream, 100) })
	if got > 0 {
		t.Errorf("%v allocations", got)
	}
}

func TestConversionsCostOneAllocation(t *testing.T) {
	for name, piece := range seeds(t) {
		event, err := cot.Parse(piece)
		if err != nil {
			t.Fatal(err)
		}
		want := 1.0 // the text of all strings
		if name == "position-no-detail" {
			want = 2 // its stale time has an offset, for which a Location is made
		}
		frame := frameOf(t, piece)
		if got := testing.AllocsPerRun(100, func() { event.AppendFrame(frame[:0]) }); got > want {
			t.Errorf("%s to a frame: %v allocations, want %v", name, got, want)
		}
		message, err := cot.ParseMessage(frame)
		if err != nil {
			t.Fatal(err)
		}
		back := message.AppendXML(nil)
		if got := testing.AllocsPerRun(100, func() { message.AppendXML(back[:0]) }); got > 0 {
			t.Errorf("%s to XML: %v allocations", name, got)
		}
	}
}

// Each message within the message is allocated, and each string.
func TestPositionInProtobufCostsOneAllocationForEachPart(t *testing.T) {
	frame := encode(t, fullMessage())
	if got := testing.AllocsPerRun(100, func() { cot.ParseMessage(frame) }); got > 9+20 {
		t.Errorf("%v allocations", got)
	}
}
