package endpoint

import (
	"container/list"
	"context"
	"net"
	"sync"
	"time"
)

// handshakes are the connections whose handshake is in progress, bounded in number. When all places are taken, the
// next connection waits; but a handshake that has taken longer than patience makes room for it, so that peers who
// connect and say nothing cannot hold up the others for the whole of their deadline.
type handshakes struct {
	limit    int
	patience time.Duration

	mu     sync.Mutex
	order  list.List // of *place, the oldest first
	freed  chan struct{}
	closed bool
}

// A place is one handshake's.
type place struct {
	conn    net.Conn
	since   time.Time
	element *list.Element
	crowded bool // cut to make room; guarded by handshakes.mu
}

// enter takes a place for conn, waiting for one if need be. It returns false when ctx was done first.
func (h *handshakes) enter(ctx context.Context, conn net.Conn) (*place, bool) {
	for {
		p, wait, freed := h.try(conn)
		if p != nil {
			return p, true
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, false
		case <-freed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// try takes a place if there is one or the oldest handshake has had its time. Otherwise it returns how long that one
// still has, and what is closed when a place becomes free.
func (h *handshakes) try(conn net.Conn) (p *place, wait time.Duration, freed <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.order.Len() >= h.limit {
		oldest := h.order.Front().Value.(*place)
		if wait = h.patience - time.Since(oldest.since); wait > 0 {
			if h.freed == nil {
				h.freed = make(chan struct{})
			}
			return nil, wait, h.freed
		}
		oldest.crowded = true
		_ = oldest.conn.Close()
		h.remove(oldest)
	}
	p = &place{conn: conn, since: time.Now()}
	if h.closed {
		_ = conn.Close()
	}
	p.element = h.order.PushBack(p)
	return p, 0, nil
}

// leave gives a place back.
func (h *handshakes) leave(p *place) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(p)
	if h.freed != nil {
		close(h.freed)
		h.freed = nil
	}
}

// remove takes p out, if it is still in; mu is held.
func (h *handshakes) remove(p *place) {
	if p.element != nil {
		h.order.Remove(p.element)
		p.element = nil
	}
}

// madeRoom tells whether p's handshake was cut to make room.
func (h *handshakes) madeRoom(p *place) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return p.crowded
}

// close ends all handshakes in progress and any that may still begin.
func (h *handshakes) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for e := h.order.Front(); e != nil; e = e.Next() {
		_ = e.Value.(*place).conn.Close()
	}
}
