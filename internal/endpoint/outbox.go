package endpoint

import (
	"net"
	"sync"
	"time"
)

// maxPongs bounds the answers that wait for a peer which pings and does not read.
const maxPongs = 8

// spareQueue is the queue's length, in parcels, up to which its memory is kept for the next time.
const spareQueue = 64

// An outbox holds what waits for one peer and writes it, in bounded memory and without ever making the sender wait.
// Its writer is a goroutine that exists only while something waits.
type outbox struct {
	conn    net.Conn
	limit   load
	timeout time.Duration // for one write
	owner   outboxOwner
	running *sync.WaitGroup // counts the writer

	mu        sync.Mutex
	first     []entry // answers: ahead of everything
	queue     []entry
	waiting   [kinds]load // what the writer has taken but not yet written included
	writing   bool
	finishing bool
	closed    bool

	speaks encoding // how the peer is spoken to; the writer's own
	writer func()   // write, made once: go would make it anew for each event that finds the peer idle
}

// An outboxOwner is told, by the writer's goroutine, what became of what was put in.
type outboxOwner interface {
	wrote(events, bytes int, in encoding) // how many events ended in one write, and its size
	failed(err error)                     // a write failed; nothing more will be written
	flushed()                             // after finish: all is written
}

// A load is a number of events and their bytes.
type load struct{ events, bytes int }

func (l *load) add(p *parcel) { l.events += p.events; l.bytes += p.size() }
func (l *load) sub(m load)    { l.events -= m.events; l.bytes -= m.bytes }

// An entry is a parcel that waits, and what it is.
type entry struct {
	parcel *parcel
	kind   kind
}

// A kind of what waits.
type kind uint8

const (
	asLive    kind = iota // what is published: it alone is charged to the limit
	asWelcome             // what is on the map
	asLetter              // what has waited for the peer while it was away
	asAnswer              // ahead of everything
	kinds
)

// put queues p. It returns false, and closes the outbox, when p would exceed the limit; one parcel always fits in an
// empty queue. What is put in a closed outbox is forgotten.
func (o *outbox) put(p *parcel) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.finishing {
		return true
	}
	after := o.waiting[asLive]
	after.add(p)
	if o.waiting[asLive].events > 0 && (after.events > o.limit.events || after.bytes > o.limit.bytes) {
		o.shut()
		return false
	}
	o.waiting[asLive] = after
	o.queue = append(o.queue, entry{p, asLive})
	o.wake()
	return true
}

// putFirst queues p ahead of everything. A peer that lets many of them wait is given no more.
func (o *outbox) putFirst(p *parcel) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.finishing || len(o.first) >= maxPongs {
		return
	}
	o.waiting[asAnswer].add(p)
	o.first = append(o.first, entry{p, asAnswer})
	o.wake()
}

// answer is putFirst for what the peer waits for, and does not go on without.
func (o *outbox) answer(p *parcel) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.finishing {
		return
	}
	o.waiting[asAnswer].add(p)
	o.first = append(o.first, entry{p, asAnswer})
	o.wake()
}

// preload queues what is not charged to the limit, of this kind: there may be more of it than of what is live, and the peer
// has a right to all. It stands in its turn, for what is said of the same things before and after it counts by its place.
func (o *outbox) preload(all []*parcel, of kind) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.finishing || len(all) == 0 {
		return
	}
	for _, p := range all {
		o.waiting[of].add(p)
		o.queue = append(o.queue, entry{p, of})
	}
	o.wake()
}

// depth is what waits, of this kind.
func (o *outbox) depth(of kind) load {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.waiting[of]
}

// finish takes nothing more and has flushed called once all that waits is written.
func (o *outbox) finish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.finishing {
		return
	}
	o.finishing = true
	o.wake()
}

// close forgets all that waits. A write in progress goes on until its connection is closed.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shut()
}

// shut is close for who holds mu.
func (o *outbox) shut() {
	o.closed = true
	o.first, o.queue = nil, nil
}

// wake sees to it that there is a writer; mu is held.
func (o *outbox) wake() {
	if o.writing {
		return
	}
	o.writing = true
	o.running.Add(1)
	if o.writer == nil {
		o.writer = o.write
	}
	go o.writer()
}

// write is the writer.
func (o *outbox) write() {
	defer o.running.Done()
	w := writer{speaks: o.speaks}
	defer w.release()
	var done [kinds]load
	for o.next(&w, done) {
		in := w.speaks
		record := w.gather()
		o.speaks = w.speaks
		if err := o.send(record.bytes); err != nil {
			o.close()
			o.owner.failed(err)
			return
		}
		o.owner.wrote(record.events, len(record.bytes), in)
		done = record.ended
	}
}

// send writes one record; an empty one is of events that the peer's encoding has no form for.
func (o *outbox) send(record []byte) error {
	if len(record) == 0 {
		return nil
	}
	// The connection takes a deadline as well when it is closed: then the write fails, and says so.
	_ = o.conn.SetWriteDeadline(time.Now().Add(o.timeout))
	_, err := o.conn.Write(record)
	return err
}

// next settles what was written and hands w what there is to write. It returns false when there is nothing, and the writer
// is to end.
func (o *outbox) next(w *writer, written [kinds]load) bool {
	o.mu.Lock()
	for of := range o.waiting {
		o.waiting[of].sub(written[of])
	}
	if !o.closed {
		w.first.refill(&o.first)
		w.queue.refill(&o.queue)
		if !w.empty() {
			o.mu.Unlock()
			return true
		}
	}
	o.writing = false
	if o.queue == nil {
		o.queue = w.queue.spare()
	}
	if cap(o.queue) > spareQueue {
		o.queue = nil
	}
	flushed := o.finishing && !o.closed
	o.closed = o.closed || flushed
	o.mu.Unlock()
	if flushed {
		o.owner.flushed()
	}
	return false
}
