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
	first     []*parcel // answers: ahead of everything
	backlog   []*parcel // what is on the map: ahead of all that is live, and not charged to the limit
	queue     []*parcel
	waiting   load // in queue, and what the writer has taken of it but not yet written
	writing   bool
	finishing bool
	closed    bool

	speaks encoding // how the peer is spoken to; the writer's own
	writer func()   // write, made once: go would make it anew for each event that finds the peer idle
}

// An outboxOwner is told, by the writer's goroutine, what became of what was put in.
type outboxOwner interface {
	wrote(l load, bytes int, in encoding) // the events whose end, and the bytes that, one write carried
	failed(err error)                     // a write failed; nothing more will be written
	flushed()                             // after finish: all is written
}

// A load is a number of events and their bytes.
type load struct{ events, bytes int }

func (l *load) add(p *parcel) { l.events += p.events; l.bytes += p.size() }

// put queues p. It returns false, and closes the outbox, when p would exceed the limit; one parcel always fits in an
// empty queue. What is put in a closed outbox is forgotten.
func (o *outbox) put(p *parcel) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.finishing {
		return true
	}
	after := o.waiting
	after.add(p)
	if o.waiting.events > 0 && (after.events > o.limit.events || after.bytes > o.limit.bytes) {
		o.shut()
		return false
	}
	o.waiting = after
	o.queue = append(o.queue, p)
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
	o.first = append(o.first, p)
	o.wake()
}

// answer is putFirst for what the peer waits for, and does not go on without.
func (o *outbox) answer(p *parcel) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.finishing {
		return
	}
	o.first = append(o.first, p)
	o.wake()
}

// preload adds to what goes out before everything that is put later.
func (o *outbox) preload(backlog []*parcel) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.finishing || len(backlog) == 0 {
		return
	}
	o.backlog = append(o.backlog, backlog...)
	o.wake()
}

// depth is what waits, and counts towards the limit.
func (o *outbox) depth() load {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.waiting
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
	o.first, o.backlog, o.queue = nil, nil, nil
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
	var done load
	for o.next(&w, done) {
		in := w.speaks
		record := w.gather()
		o.speaks = w.speaks
		if err := o.send(record.bytes); err != nil {
			o.close()
			o.owner.failed(err)
			return
		}
		o.owner.wrote(record.all, len(record.bytes), in)
		done = record.charged
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

// next settles what was written of the queue and hands w what there is to write. It returns false when there is
// nothing, and the writer is to end.
func (o *outbox) next(w *writer, written load) bool {
	o.mu.Lock()
	o.waiting.events -= written.events
	o.waiting.bytes -= written.bytes
	if !o.closed {
		w.first.refill(&o.first)
		w.backlog.refill(&o.backlog)
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
