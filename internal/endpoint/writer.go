package endpoint

import "sync"

// recordSize is what one TLS record holds at most (RFC 8446, 5.1). Writes are gathered up to it: sealing and sending
// a record costs far more than copying the events into it.
const recordSize = 16 << 10

var records = sync.Pool{New: func() any { return new([recordSize]byte) }}

// A writer is the state of an outbox's writer while it runs: what it has taken to write, and how far it came.
type writer struct {
	first, backlog, queue lane
	speaks                encoding
	current               *parcel // begun, and to be ended before anything else: what follows starts at an event's edge
	form                  []byte  // current, as the peer reads it
	offset                int     // of what remains of form
	charged               bool    // current came from the queue
	buffer                *[recordSize]byte
}

// A record is what goes out in one write.
type record struct {
	bytes   []byte
	all     load // the parcels that end in it
	charged load // those of them that were charged to the queue's limit
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
	if w.current != nil {
		return true
	}
	for _, l := range []*lane{&w.first, &w.backlog, &w.queue} {
		if p := l.shift(); p != nil {
			w.current, w.form, w.offset, w.charged = p, p.in(w.speaks), 0, l == &w.queue
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
	r.all.add(w.current)
	if d := w.current.delivery; d != nil {
		d.land()
	}
	if w.charged {
		r.charged.add(w.current)
	}
	if w.current.turns {
		w.speaks = inProtobuf
	}
	w.current, w.form = nil, nil
}

// rest is the number of parcels behind current.
func (w *writer) rest() int { return w.first.len() + w.backlog.len() + w.queue.len() }

func (w *writer) empty() bool { return w.current == nil && w.rest() == 0 }

// release gives back what the writer borrowed.
func (w *writer) release() {
	if w.buffer != nil {
		records.Put(w.buffer)
		w.buffer = nil
	}
}

// A lane is parcels in the order in which they go out.
type lane struct {
	parcels []*parcel
	head    int
}

func (l *lane) len() int { return len(l.parcels) - l.head }

// shift takes out the next parcel; nil when there is none.
func (l *lane) shift() *parcel {
	if l.head == len(l.parcels) {
		return nil
	}
	p := l.parcels[l.head]
	l.parcels[l.head] = nil // or the lane would keep it in memory
	l.head++
	return p
}

// spare is the memory of an empty lane, for others to go on with.
func (l *lane) spare() []*parcel {
	if l.len() > 0 {
		return nil
	}
	return l.parcels[:0]
}

// refill exchanges an empty lane for what waits in from, whose memory both go on using in turns.
func (l *lane) refill(from *[]*parcel) {
	if l.len() > 0 || len(*from) == 0 {
		return
	}
	l.parcels, *from, l.head = *from, l.parcels[:0], 0
}
