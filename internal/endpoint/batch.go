package endpoint

import (
	"bytes"

	"github.com/ftsca/ftsca/internal/cot"
)

// A batch gathers events that came one after the other, for the same receivers, into one parcel.
type batch struct {
	came   encoding
	both   bool          // somebody is spoken to in the other encoding
	to     []destination // nil: everyone in the sender's groups
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
	if s, is := sightingOf(e); is && b.to == nil {
		b.seen = append(b.seen, s)
		b.spans = append(b.spans, span{extent{from, len(b.parcel.bytes)}, extent{other, other}})
	}
}

// sightingOf returns what an event that goes to everyone says about what is on the map.
func sightingOf(e cot.Event) (s sighting, is bool) {
	switch {
	case e.IsDelete() && e.Link != "":
		return sighting{uid: e.Link, gone: true}, true
	case keeps(e.Type) && e.UID != "":
		own := e.IsPosition() && e.Endpoint != ""
		return sighting{uid: e.UID, kind: e.Type, callsign: e.Callsign, team: e.Team, own: own, stale: e.Stale}, true
	}
	return sighting{}, false
}

// said notes that the other form of what was added last stands in the parcel.
func (b *batch) said() {
	if n := len(b.spans) - 1; n >= 0 && b.spans[n].came.to == len(b.parcel.bytes) {
		b.spans[n].other.to = len(b.parcel.other)
	}
}

// finish returns the parcel, in no more memory than about what it needs.
func (b *batch) finish() *parcel {
	p := b.parcel
	p.bytes, p.other = fitting(p.bytes), fitting(p.other)
	for i, s := range b.spans {
		b.seen[i].bytes, b.seen[i].other = s.came.of(p.bytes), s.other.of(p.other)
	}
	return p
}

// fitting is form in memory of at most twice its size.
func fitting(form []byte) []byte {
	if cap(form) > 2*len(form) {
		return bytes.Clone(form)
	}
	return form
}
