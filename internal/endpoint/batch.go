package endpoint

import (
	"bytes"

	"github.com/ftsca/ftsca/internal/cot"
)

// A batch gathers the events of one read into one parcel.
type batch struct {
	parcel *parcel
	seen   []sighting
	spans  []span
}

// A span is where a sighting's event stands in the parcel.
type span struct{ from, to int }

// add appends e. behind is the number of bytes that may still hold events of the same batch.
func (b *batch) add(e cot.Event, behind int) {
	if b.parcel == nil {
		b.parcel = &parcel{xml: make([]byte, 0, len(e.Raw)+behind)}
	}
	from := len(b.parcel.xml)
	b.parcel.xml = append(b.parcel.xml, e.Raw...)
	b.parcel.events++
	if e.IsPosition() && e.UID != "" {
		b.seen = append(b.seen, sighting{
			uid: e.UID, kind: e.Type, callsign: e.Callsign, own: e.Endpoint != "", stale: e.Stale,
		})
		b.spans = append(b.spans, span{from, len(b.parcel.xml)})
	}
}

// finish returns the parcel, in no more memory than about what it needs.
func (b *batch) finish() *parcel {
	if cap(b.parcel.xml) > 2*len(b.parcel.xml) {
		b.parcel.xml = bytes.Clone(b.parcel.xml)
	}
	for i, s := range b.spans {
		b.seen[i].xml = b.parcel.xml[s.from:s.to]
	}
	return b.parcel
}
