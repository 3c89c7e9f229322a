package endpoint

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A member takes part in the exchange. Its methods are called under the hub's lock, so they must neither wait nor
// call the hub.
type member interface {
	// welcome hands over everyone's last position and what they have put on the map, before anything that is delivered
	// later. However much that is, it is not too much.
	welcome(last []*parcel)
	// hand hands over what has waited for the member while it was away. While it is owed some of that, it is handed no
	// more, for nothing else bounds it.
	hand(letters []*parcel)
	owed() bool
	// deliver hands over what another member published.
	deliver(p *parcel)
	// speaks is how the member is spoken to; it changes under the hub's lock alone.
	speaks() encoding
	// turn has it spoken to in protobuf, which it returns.
	turn() encoding
}

// The hub is where events come in and go out. Publishing and delivering are one step under the reading side of the
// lock, joining, leaving and moving are steps under the writing side: so a newcomer's last positions are exactly those
// published before it joined, and what is delivered to it exactly what was published since. Who floods delivers in more
// steps than one, to those who were there at the first.
type hub struct {
	now   func() time.Time
	items *items
	held  *held

	mu     sync.RWMutex
	seats  []author // of every member
	index  map[member]int
	joined int // how many members there have been
	shut   bool
	speak  [2]atomic.Int32 // how many members are spoken to in each encoding
}

func newHub(now func() time.Time, items *items, held *held) *hub {
	return &hub{now: now, items: items, held: held, index: make(map[member]int)}
}

// join makes a.member a member, and returns in which groups; a closed hub takes none. They are asked for in the same step:
// who has them change moves all members then, and this one is among them, or joins with the new ones.
func (h *hub) join(a author, groups func() *groupSet) *groupSet {
	h.mu.Lock()
	defer h.mu.Unlock()
	a.groups = groups()
	if h.shut {
		return a.groups
	}
	h.joined++
	a.number = h.joined
	a.member.welcome(h.items.visible(a, nil, h.now()))
	h.index[a.member] = len(h.seats)
	h.seats = append(h.seats, a)
	h.speak[a.member.speaks()].Add(1)
	return a.groups
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

// A published is what became of what a member published.
type published struct {
	taken    bool     // false where it is no member (any more), and where the hub is closed: nothing happened
	replaced []member // those whose device has come anew; the publisher itself may be one
	namesake string   // somebody else who has the same callsign
}

// publish delivers p, with the sightings in it, to all members in from's groups but from. Where each is not nil, it does
// so a handful at a time, and calls each after each of them, without the hub's lock, with how many have had it so far.
func (h *hub) publish(from member, p *parcel, seen []sighting, each func(receivers int)) (done published) {
	to, done := h.enter(from, p, seen, each == nil)
	receivers := 0
	for few := range slices.Chunk(to, handful) {
		delivered, is := h.deliver(from, p, few)
		if !is {
			break
		}
		receivers += delivered
		each(receivers)
	}
	return done
}

// enter takes what from says about the map and, in the same step, delivers it or returns those who are to have it: who
// joins after that is welcomed with what is on the map by then, and would be sent it twice.
func (h *hub) enter(from member, p *parcel, seen []sighting, deliver bool) (to []member, done published) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	i, in := h.index[from]
	if !in || h.shut {
		return nil, published{}
	}
	a := h.seats[i]
	done.taken = true
	for _, s := range seen {
		r := h.items.see(a, s, p)
		if r.replaced != nil {
			done.replaced = append(done.replaced, r.replaced)
		}
		if r.namesake != "" {
			done.namesake = r.namesake
		}
		if r.here && !from.owed() {
			from.hand(h.held.claim(a, s.uid, s.callsign, h.now()))
		}
	}
	receivers := 0
	for k := range h.seats {
		m := &h.seats[k]
		switch {
		case m.member == from || !m.groups.shares(a.groups):
		case deliver:
			m.member.deliver(p)
			receivers++
		default:
			to = append(to, m.member)
		}
	}
	if len(to) == 0 {
		p.expect(receivers)
	}
	return to, done
}

// deliver hands p, which from has published, to a few, and returns to how many: they may have gone meanwhile, or be in
// other groups. It returns false where from itself has gone: nothing of what it said may come after that it is.
func (h *hub) deliver(from member, p *parcel, few []member) (receivers int, is bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	i, in := h.index[from]
	if !in {
		return 0, false
	}
	for _, m := range few {
		if k, in := h.index[m]; in && h.seats[k].groups.shares(h.seats[i].groups) {
			m.deliver(p)
			receivers++
		}
	}
	return receivers, true
}

// send delivers p, of one event, to those of its destinations who are in from's groups, and keeps it for those who are
// away. It returns false where from is no member, and where the hub is closed.
func (h *hub) send(from member, p *parcel, to []destination) (taken bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	i, in := h.index[from]
	if !in || h.shut {
		return false
	}
	a := h.seats[i]
	receivers, asked := make(map[member]bool), make(map[destination]bool)
	var kept []*letter
	for _, d := range to {
		if asked[d] {
			continue
		}
		asked[d] = true
		found, away := h.find(a, d)
		for _, m := range found {
			receivers[m] = true
		}
		if !away {
			continue
		}
		if l := h.held.put(d, p, a, h.now()); l != nil {
			kept = append(kept, l)
		}
	}
	h.handOver(a, kept, receivers)
	delete(receivers, from)
	delivered := 0
	for m := range receivers {
		if k, in := h.index[m]; in && h.seats[k].groups.shares(a.groups) {
			m.deliver(p)
			delivered++
		}
	}
	p.expect(delivered)
	return true
}

// handOver adds to the receivers of a's event those who have come since they were found to be away. They may have asked
// what waits for them before the letters were there, or after that: then they have it, and are no receivers.
func (h *hub) handOver(a author, kept []*letter, receivers map[member]bool) {
	var have []member
	for _, l := range kept {
		come, _ := h.find(a, l.to)
		for _, m := range come {
			i, in := h.index[m]
			if !in {
				continue
			}
			handed, had := h.held.hand(l, h.seats[i])
			if handed {
				receivers[m] = true
			}
			if had {
				have = append(have, m)
			}
		}
	}
	for _, m := range have {
		delete(receivers, m)
	}
}

// find returns who a destination is, and whether that is a device that is away.
func (h *hub) find(from author, d destination) (found []member, away bool) {
	switch d.kind {
	case toUID:
		if m := h.items.withUID(d.value, from.groups); m != nil {
			found = []member{m}
		}
		return found, len(found) == 0
	case toCallsign:
		found = h.items.withCallsign(d.value, from.groups)
		return found, len(found) == 0
	case toTeam:
		return h.items.inTeam(d.value), false
	}
	// Nobody speaks to a group that he is not in.
	if from.groups.has(d.value) {
		for _, s := range h.seats {
			if s.groups.has(d.value) {
				found = append(found, s.member)
			}
		}
	}
	return found, false
}

// leave ends m's membership and tells those in its groups that whom m announced is gone. Leaving twice is no error.
func (h *hub) leave(m member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, in := h.index[m]
	if !in {
		return
	}
	a := h.seats[i]
	end := len(h.seats) - 1
	h.seats[i] = h.seats[end]
	h.index[h.seats[i].member] = i
	h.seats[end] = author{}
	h.seats = h.seats[:end]
	delete(h.index, m)
	h.speak[m.speaks()].Add(-1)
	now := h.now()
	own := h.items.drop(a)
	for _, p := range own {
		h.held.left(p.item, now)
	}
	gone := farewells(own, now)
	if len(gone) == 0 || h.shut {
		return
	}
	for _, s := range h.seats {
		if s.groups.shares(a.groups) {
			tell(s.member, s.groups, gone)
		}
	}
}

// move has m be in other groups, with what its name has put on the map.
func (h *hub) move(m member, to *groupSet) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, in := h.index[m]
	if !in || h.shut {
		return
	}
	a := h.seats[i]
	before := a.groups
	if before == to {
		return
	}
	a.groups = to
	h.seats[i] = a
	now := h.now()
	own, news := h.items.partings(a), h.items.visible(a, before, now)
	gone := farewells(own, now)
	where := make([]*parcel, len(own))
	for k, p := range own {
		where[k] = p.parcel
	}
	brought := h.items.regroup(a, now)
	for _, s := range h.seats {
		had := s.groups
		if s.member == m {
			had = before
		}
		heard, hears := had.shares(before), s.groups.shares(to)
		for was, things := range brought {
			if hears && !was.shares(had) {
				s.member.welcome(things)
			}
		}
		switch {
		case heard == hears:
		case hears:
			s.member.welcome(where)
		default:
			tell(s.member, s.groups, gone)
			tell(m, to, farewells(h.items.partings(s), now))
		}
	}
	m.welcome(news)
}

// pass waits until nobody is in a step of the exchange.
func (h *hub) pass() {
	h.mu.Lock()
	defer h.mu.Unlock()
}

// close ends the exchange: nothing is published from now on, and who leaves is not announced, since it is the
// endpoint that goes.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.shut = true
}
