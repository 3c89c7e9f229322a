package endpoint

import (
	"bytes"

	"github.com/ftsca/ftsca/internal/cot"
)

// A batch gathers the events of one read into one parcel.
type batch struct {
	came   encoding
	both   bool // somebody is spoken to in the other encoding
	parcel *parcel
	seen   []sighting
	spans  []span
}

// A span is where a sighting's event stands in the parcel, in each of its forms.
type span struct{ came, other extent }

type extent struct{ from, to int }

func (e extent) of(form []byte) []byte { return form[e.from:e.to] }

// add appends an event as it came. behind is the number of bytes that may still hold events of the same batch. Where both
// forms are needed, the caller appends the other one to the parcel's, and calls said.
func (b *batch) add(e cot.Event, raw []byte, behind int) {
	if b.parcel == nil {
		b.parcel = &parcel{came: b.came, bytes: make([]byte, 0, len(raw)+behind), made: b.both}
		if b.both {
			b.parcel.other = make([]byte, 0, len(raw)+behind)
		}
	}
	from, other := len(b.parcel.bytes), len(b.parcel.other)
	b.parcel.bytes = append(b.parcel.bytes, raw...)
	b.parcel.events++
	if e.IsPosition() && e.UID != "" {
		b.seen = append(b.seen, sighting{
			uid: e.UID, kind: e.Type, callsign: e.Callsign, own: e.Endpoint != "", stale: e.Stale,
		})
		b.spans = append(b.spans, span{extent{from, len(b.parcel.bytes)}, extent{other, other}})
	}
}

// said notes that the other form of what was added last stands in the parcel.
func (b *batch) said() {
	if n := len(b.spans) - 1; n >= 0 && b.spans[n].came.to == len(b.parcel.bytes) {
		b.spans[n].other.to = len(b.parcel.other)
	}
}

// finish returns the parcel, in no more memory than about what it needs.
func (b *batch) finish() *parcel {
	if cap(b.parcel.bytes) > 2*len(b.parcel.bytes) {
		b.parcel.bytes = bytes.Clone(b.parcel.bytes)
	}
	for i, s := range b.spans {
		b.seen[i].bytes, b.seen[i].other = s.came.of(b.parcel.bytes), s.other.of(b.parcel.other)
	}
	return b.parcel
}
