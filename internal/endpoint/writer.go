package endpoint

import "sync"

// recordSize is what one TLS record holds at most (RFC 8446, 5.1). Writes are gathered up to it: sealing and sending
// a record costs far more than copying the events into it.
const recordSize = 16 << 10

var records = sync.Pool{New: func() any { return new([recordSize]byte) }}

// A writer is the state of an outbox's writer while it runs: what it has taken to write, and how far it came.
type writer struct {
	first, queue lane
	speaks       encoding
	current      entry  // begun, and to be ended before anything else: what follows starts at an event's edge
	form         []byte // current, as the peer reads it
	offset       int    // of what remains of form
	buffer       *[recordSize]byte
}

// A record is what goes out in one write.
type record struct {
	bytes  []byte
	events int         // that end in it
	ended  [kinds]load // the parcels that do, those that the peer's encoding has no form for too
}

// gather returns the next record, full where there is enough to fill it. It is valid until the next call.
func (w *writer) gather() record {
	var r record
	w.pick()
	// What fills a record by itself, or is all there is, goes out as it stands.
	if left := len(w.form) - w.offset; left >= recordSize || w.rest() == 0 {
		from := w.offset
		size := min(left, recordSize)
		r.bytes = w.form[from : from+size]
		w.advance(&r, size)
		return r
	}
	if w.buffer == nil {
		w.buffer = records.Get().(*[recordSize]byte)
	}
	used := 0
	for used < recordSize && w.pick() {
		n := copy(w.buffer[used:], w.form[w.offset:])
		used += n
		w.advance(&r, n)
	}
	r.bytes = w.buffer[:used]
	return r
}

// pick makes sure that there is a current parcel; false when none is left.
func (w *writer) pick() bool {
	if w.current.parcel != nil {
		return true
	}
	for _, l := range []*lane{&w.first, &w.queue} {
		if l.len() > 0 {
			w.current = l.shift()
			w.form, w.offset = w.current.parcel.in(w.speaks), 0
			return true
		}
	}
	return false
}

// advance notes that n more bytes of current are in r.
func (w *writer) advance(r *record, n int) {
	w.offset += n
	if w.offset < len(w.form) {
		return
	}
	p := w.current.parcel
	r.ended[w.current.kind].add(p)
	if len(w.form) > 0 {
		r.events += p.events
	}
	if d := p.delivery; d != nil {
		d.land()
	}
	if p.turns {
		w.speaks = inProtobuf
	}
	w.current, w.form = entry{}, nil
}

// rest is the number of parcels behind current.
func (w *writer) rest() int { return w.first.len() + w.queue.len() }

func (w *writer) empty() bool { return w.current.parcel == nil && w.rest() == 0 }

// release gives back what the writer borrowed.
func (w *writer) release() {
	if w.buffer != nil {
		records.Put(w.buffer)
		w.buffer = nil
	}
}

// A lane is what waits, in the order in which they go out.
type lane struct {
	entries []entry
	head    int
}

func (l *lane) len() int { return len(l.entries) - l.head }

// shift takes out the next one, where there is one.
func (l *lane) shift() entry {
	e := l.entries[l.head]
	l.entries[l.head] = entry{} // or the lane would keep it in memory
	l.head++
	return e
}

// spare is the memory of an empty lane, for others to go on with.
func (l *lane) spare() []entry {
	if l.len() > 0 {
		return nil
	}
	return l.entries[:0]
}

// refill exchanges an empty lane for what waits in from, whose memory both go on using in turns.
func (l *lane) refill(from *[]entry) {
	if l.len() > 0 || len(*from) == 0 {
		return
	}
	l.entries, *from, l.head = *from, l.entries[:0], 0
}
