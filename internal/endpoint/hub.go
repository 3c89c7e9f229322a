package endpoint

import (
	"sync"
	"sync/atomic"
	"time"
)

// A member takes part in the exchange. Its methods are called under the hub's lock, so they must neither wait nor
// call the hub.
type member interface {
	// welcome hands over everyone's last position, once, before anything is delivered.
	welcome(last []*parcel)
	// deliver hands over what another member published.
	deliver(p *parcel)
	// speaks is how the member is spoken to; it changes under the hub's lock alone.
	speaks() encoding
	// turn has it spoken to in protobuf, which it returns.
	turn() encoding
}

// The hub is where events come in and go out. Publishing and delivering are one step under the reading side of the
// lock, joining and leaving are steps under the writing side: so a newcomer's last positions are exactly those
// published before it joined, and what is delivered to it exactly what was published since.
type hub struct {
	now  func() time.Time
	last *positions

	mu      sync.RWMutex
	members []member
	index   map[member]int
	closed  bool
	speak   [2]atomic.Int32 // how many members are spoken to in each encoding
}

func newHub(now func() time.Time, last *positions) *hub {
	return &hub{now: now, last: last, index: make(map[member]int)}
}

// join makes m a member; a closed hub takes none.
func (h *hub) join(m member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	m.welcome(h.last.last(h.now()))
	h.index[m] = len(h.members)
	h.members = append(h.members, m)
	h.speak[m.speaks()].Add(1)
}

// turn counts m, who is spoken to in protobuf from now on, there.
func (h *hub) turn(m member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, in := h.index[m]; in {
		h.speak[m.speaks()].Add(-1)
		h.speak[m.turn()].Add(1)
	}
}

// needs tells whether somebody is spoken to in an encoding.
func (h *hub) needs(e encoding) bool { return h.speak[e].Load() > 0 }

// publish delivers p, with the sightings in it, to all members but from. It does nothing and returns false when from
// is no member (any more), so nothing comes from one that was cut, and when the hub is closed.
func (h *hub) publish(from member, p *parcel, seen []sighting) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if _, in := h.index[from]; !in || h.closed {
		return false
	}
	for _, s := range seen {
		h.last.see(from, s, p)
	}
	for _, m := range h.members {
		if m != from {
			m.deliver(p)
		}
	}
	if p.delivery != nil {
		p.delivery.expect(len(h.members) - 1)
	}
	return true
}

// leave ends m's membership and tells the rest that those whom m announced are gone. Leaving twice is no error.
func (h *hub) leave(m member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, in := h.index[m]
	if !in {
		return
	}
	end := len(h.members) - 1
	h.members[i] = h.members[end]
	h.index[h.members[i]] = i
	h.members[end] = nil
	h.members = h.members[:end]
	delete(h.index, m)
	h.speak[m.speaks()].Add(-1)
	gone := h.last.drop(m, h.now())
	if gone == nil || h.closed {
		return
	}
	for _, other := range h.members {
		other.deliver(gone)
	}
}

// close ends the exchange: nothing is published from now on, and who leaves is not announced, since it is the
// endpoint that goes.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}
