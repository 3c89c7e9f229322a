package endpoint

import (
	"container/list"
	"strings"
	"sync"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

// positionOverhead is charged for each position kept beside its bytes: map entry, list element, headers.
const positionOverhead = 300

// A sighting is what an event says about where somebody is.
type sighting struct {
	uid, kind, callsign string
	own                 bool // it names a contact endpoint: the sender speaks of itself
	stale               time.Time
	bytes               []byte // the event as it came, within the parcel it travels in
	other               []byte // the same in the other encoding, where the parcel was made with both
}

// positions holds the last position of everyone, bounded in number and bytes, for all and for each member. When it is
// full, a member's new position displaces that member's own oldest: nobody can push another off the map.
type positions struct {
	mu      sync.Mutex
	limit   room
	each    room
	used    room
	byUID   map[string]*position
	holders map[member]*holding
}

// room is a number of positions and the bytes they take.
type room struct{ count, bytes int }

func (r *room) add(bytes int)       { r.count++; r.bytes += bytes }
func (r *room) sub(bytes int)       { r.count--; r.bytes -= bytes }
func (r room) within(max room) bool { return r.count <= max.count && r.bytes <= max.bytes }

type position struct {
	uid, kind, callsign string
	own                 bool
	stale               time.Time
	parcel              *parcel
	size                int
	holder              *holding
	place               *list.Element // in holder.order
}

// A holding is what one member put on the map, oldest first.
type holding struct {
	order list.List
	used  room
}

func newPositions(all, each room) *positions {
	return &positions{limit: all, each: each, byUID: make(map[string]*position), holders: make(map[member]*holding)}
}

// see keeps s as the last position of its uid, held by m. p is the parcel in which it travels.
func (t *positions) see(m member, s sighting, p *parcel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.holders[m]
	if h == nil {
		h = &holding{}
		t.holders[m] = h
	}
	old := t.byUID[s.uid]
	if old != nil && old.holder != h && old.own && !s.own {
		return // who is here speaks for itself, whatever a gateway repeats of it
	}
	if old != nil && old.holder != h {
		t.remove(old)
		old = nil
	}
	p = p.alone(s.bytes, s.other)
	now := old
	if now == nil {
		now = &position{uid: strings.Clone(s.uid), holder: h}
		now.place = h.order.PushBack(now)
		t.byUID[now.uid] = now
	} else {
		h.order.MoveToBack(now.place)
		h.used.sub(now.size)
		t.used.sub(now.size)
	}
	now.keep(s, p)
	h.used.add(now.size)
	t.used.add(now.size)
	for h.order.Len() > 0 && !(h.used.within(t.each) && t.used.within(t.limit)) {
		t.remove(h.order.Front().Value.(*position))
	}
}

// keep takes over what s says, without holding on to the memory that s points into.
func (n *position) keep(s sighting, p *parcel) {
	if n.kind != s.kind {
		n.kind = strings.Clone(s.kind)
	}
	if n.callsign != s.callsign {
		n.callsign = strings.Clone(s.callsign)
	}
	n.own = n.own || s.own
	n.stale = s.stale
	n.parcel = p
	n.size = len(n.uid) + len(n.kind) + len(n.callsign) + len(p.bytes) + positionOverhead
	if p.made {
		n.size += len(p.other)
	}
}

func (t *positions) remove(p *position) {
	p.holder.order.Remove(p.place)
	p.holder.used.sub(p.size)
	t.used.sub(p.size)
	delete(t.byUID, p.uid)
}

// last returns the last position of everyone. One that was only repeated by a gateway ends when it goes stale; who is
// connected itself stays on the map.
func (t *positions) last(now time.Time) []*parcel {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*parcel, 0, len(t.byUID))
	for _, p := range t.byUID {
		if !p.own && !p.stale.IsZero() && now.After(p.stale) {
			t.remove(p)
			continue
		}
		all = append(all, p.parcel)
	}
	return all
}

// drop forgets all that m holds, and returns the parting events of those that m announced as its own; nil if none.
func (t *positions) drop(m member, now time.Time) *parcel {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.holders[m]
	if h == nil {
		return nil
	}
	delete(t.holders, m)
	gone := &parcel{}
	for h.order.Len() > 0 {
		p := h.order.Front().Value.(*position)
		if p.own {
			if notice := cot.Gone(p.uid, p.kind, p.callsign, now); notice != nil {
				gone.bytes = append(gone.bytes, notice...)
				gone.events++
			}
		}
		t.remove(p)
	}
	if gone.events == 0 {
		return nil
	}
	return gone
}

func (t *positions) size() room {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.used
}
