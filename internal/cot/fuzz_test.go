package cot_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/ftsca/ftsca/internal/cot"
)

// FuzzParse: no panic, and whatever is accepted is one event for other readers too, however loosely they read, and by
// itself.
func FuzzParse(f *testing.F) {
	for _, piece := range seeds(f) {
		f.Add(piece)
	}
	for _, c := range append(slices.Clone(malformed), forbidden...) {
		f.Add([]byte(c.piece))
	}
	for _, c := range append(slices.Clone(wellFormed), onlyHere...) {
		f.Add([]byte(c.piece))
	}
	for _, c := range addressed {
		f.Add([]byte(with(c.details)))
	}
	for _, c := range ambiguous {
		f.Add([]byte(ambiguousEvent(c.piece)))
	}
	f.Fuzz(func(t *testing.T, piece []byte) {
		event, err := cot.Parse(piece)
		if err != nil {
			if event.Raw != nil {
				t.Fatal("an event with an error")
			}
			return
		}
		checkRaw(t, piece, event.Raw)
		sameFacts(t, event)
		again, err := cot.Parse(event.Raw)
		if err != nil {
			t.Fatal(err)
		}
		sameEvent(t, event, again)
	})
}

// FuzzFramer: any cut of the stream gives what the whole stream gives, nothing is too long, what is held is bounded.
// The stream is repeated so that short inputs reach the limit.
func FuzzFramer(f *testing.F) {
	for _, event := range seeds(f) {
		f.Add(event, []byte{1, 100, 0}, uint16(3))
	}
	f.Add([]byte("<event></even"), []byte{7}, uint16(6000))
	f.Add([]byte(" \n"), []byte{255, 255, 1}, uint16(40000))
	f.Add([]byte("\n</event>"), []byte{0}, uint16(1))
	f.Fuzz(func(t *testing.T, part, cuts []byte, times uint16) {
		stream := []byte(repeat(string(part), min(int(times), 200_000/max(1, len(part)))))
		sizes := []int{4096}
		for _, c := range cuts {
			sizes = append(sizes, 1+int(c)*int(c)/16)
		}
		want, wantErr := cut(string(stream))
		for _, sizes := range [][]int{{max(1, len(stream))}, sizes} {
			got, err := feed(t, stream, sizes...)
			if !errors.Is(err, wantErr) || !slices.Equal(got, want) {
				t.Fatalf("cut by %v: %d pieces and %v, not %d and %v", sizes, len(got), err, len(want), wantErr)
			}
		}
	})
}
