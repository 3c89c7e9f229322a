package endpoint

import (
	"container/list"
	"crypto/x509"
	"slices"
	"strings"
	"sync"
	"time"
)

// itemOverhead is charged for each item kept beside its bytes: map entries, list element, headers.
const itemOverhead = 300

// An author is who puts something on the map: a member, and what its certificate says of it.
type author struct {
	member member
	name   string
	chains [][]*x509.Certificate // by which it was let in
	groups *groupSet
	number int // the later it joined, the higher
}

// items are what is on the map: the last own positions of everyone who is connected, and the things that they have put
// there, until those go stale. They are bounded in number and bytes, for all and for each name; when there is no room,
// what a name puts there displaces its own oldest: nobody can push another off the map. The last few own positions of
// each session need no room, so nothing displaces them.
//
// Of things, there is one for a uid. An own position is its session's: that of another one with the same uid, and a thing
// of groups that do not meet the session's, stand beside it.
type items struct {
	mu         sync.Mutex
	limit      room
	each       room
	used       room               // of what is bounded by limit
	aside      room               // of what is not
	things     map[string]*item   // by uid
	here       map[string][]*item // own positions by uid, the one that was said last at the end
	byCallsign map[string][]*item // own positions
	holders    map[string]*holding
}

// A holding is what one name put on the map, and its sessions.
type holding struct {
	shelf
	name     string
	chains   [][]*x509.Certificate // of the name's last author
	sessions map[member]*presence
}

type item struct {
	uid, kind, callsign, team string

	own    bool
	stale  time.Time
	parcel *parcel
	size   int
	groups *groupSet // who of them may hear of it
	member member    // who sent it last; nil once that one has left
	holder *holding
	shelf  *shelf
	place  *list.Element // on the shelf
}

func newItems(all, each room) *items {
	return &items{limit: all, each: each, things: map[string]*item{}, here: map[string][]*item{}, byCallsign: map[string][]*item{}, holders: map[string]*holding{}}
}

// A reception is what became of a sighting.
type reception struct {
	here     bool   // it is the author's own position now
	replaced member // whose device has come anew: a.member itself, where the newer session was heard first
	namesake string // somebody else who has the same callsign
}

// see takes what a says in s, in the parcel p.
func (t *items) see(a author, s sighting, p *parcel) reception {
	t.mu.Lock()
	defer t.mu.Unlock()
	own, thing := t.own(a.member, s.uid), t.things[s.uid]
	switch {
	case s.gone:
		// Whoever is here speaks for itself.
		if own != nil {
			t.remove(own)
		}
		if thing != nil && thing.groups.shares(a.groups) {
			t.remove(thing)
		}
		return reception{}
	case s.own || own != nil:
		return t.announce(a, s, p)
	}
	for _, other := range t.here[s.uid] {
		if other.groups.shares(a.groups) {
			return reception{}
		}
	}
	h := t.holding(a.name)
	switch {
	case thing == nil:
	case !thing.groups.shares(a.groups):
		return reception{} // of two that do not know of each other, the first
	case thing.holder != h:
		t.remove(thing)
		thing = nil
	}
	if thing == nil {
		thing = &item{uid: strings.Clone(s.uid), holder: h}
		t.things[thing.uid] = thing
	}
	h.chains = a.chains
	h.put(thing, thing.keep(a, s, p.alone(s.bytes, s.other)))
	t.fit(h)
	return reception{}
}

// fit has a name's oldest make room.
func (t *items) fit(h *holding) {
	for !h.empty() && !(h.used.within(t.each) && t.used.within(t.limit)) {
		t.remove(h.oldest())
	}
}

func (t *items) holding(name string) *holding {
	h := t.holders[name]
	if h == nil {
		h = &holding{shelf: shelf{all: &t.used}, name: name, sessions: map[member]*presence{}}
		t.holders[name] = h
	}
	return h
}

// tidy forgets a holding that holds nothing.
func (t *items) tidy(h *holding) {
	if h.empty() && len(h.sessions) == 0 {
		delete(t.holders, h.name)
	}
}

// keep takes over what s says, without holding on to the memory that s points into, and returns what it takes.
func (n *item) keep(a author, s sighting, p *parcel) (size int) {
	for _, text := range []struct {
		to *string
		is string
	}{{&n.kind, s.kind}, {&n.callsign, s.callsign}, {&n.team, s.team}} {
		if *text.to != text.is {
			*text.to = strings.Clone(text.is)
		}
	}
	n.stale, n.parcel, n.groups, n.member = s.stale, p, a.groups, a.member
	size = len(n.uid) + len(n.kind) + len(n.callsign) + len(n.team) + len(p.bytes) + itemOverhead
	if p.made {
		size += len(p.other)
	}
	return size
}

func (t *items) remove(n *item) {
	n.shelf.take(n)
	if n.own {
		unlist(t.here, n.uid, n)
		unlist(t.byCallsign, n.callsign, n)
	} else {
		delete(t.things, n.uid)
	}
	t.tidy(n.holder)
}

// over tells whether an item has gone stale. Who is connected itself stays on the map.
func (n *item) over(now time.Time) bool { return !n.own && !n.stale.IsZero() && now.After(n.stale) }

// visible returns what a hears of, and would not in the groups before, which is nil for none. What a sent last itself is
// not among it, and of own positions with the same uid there is only the last.
func (t *items) visible(a author, before *groupSet, now time.Time) []*parcel {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*parcel, 0, len(t.things)+len(t.here))
	hears := func(n *item) bool { return n.member != a.member && n.groups.shares(a.groups) }
	add := func(n *item) {
		if before == nil || !n.groups.shares(before) {
			all = append(all, n.parcel)
		}
	}
	for _, n := range t.things {
		switch {
		case n.over(now):
			t.remove(n)
		case hears(n):
			add(n)
		}
	}
	for _, same := range t.here {
		for _, n := range slices.Backward(same) {
			if hears(n) {
				add(n)
				break
			}
		}
	}
	return all
}

// sweep forgets what has gone stale.
func (t *items) sweep(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.things {
		if n.over(now) {
			t.remove(n)
		}
	}
}

// drop forgets a's session, where it is, and what goes stale at no time. It returns a's own positions, of which the rest
// is to be told that they are gone. What a has put on the map stays there.
func (t *items) drop(a author) (gone []parting) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.holders[a.name]
	if h == nil {
		return nil
	}
	gone = t.partingsOf(a)
	for _, p := range gone {
		t.remove(p.item)
	}
	delete(h.sessions, a.member)
	h.of(a.member, func(n *item) {
		if n.stale.IsZero() {
			t.remove(n)
		} else {
			n.member = nil
		}
	})
	t.tidy(h)
	return gone
}

// regroup has a's own positions, and what its name has put on the map in this session or in one that is over, be for a's
// groups. Of the latter it returns what is for others now, by the groups that it was for.
func (t *items) regroup(a author, now time.Time) (was map[*groupSet][]*parcel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.eachOwn(a, func(n *item) { n.groups = a.groups })
	h := t.holders[a.name]
	if h == nil {
		return nil
	}
	was = map[*groupSet][]*parcel{}
	take := func(n *item) {
		if n.own || n.groups == a.groups {
			return
		}
		if !n.over(now) {
			was[n.groups] = append(was[n.groups], n.parcel)
		}
		n.groups = a.groups
	}
	h.of(a.member, take)
	h.of(nil, take)
	return was
}

// forget lets go of all that a name has put on the map. Where it is goes with its sessions.
func (t *items) forget(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for h := t.holders[name]; h != nil && !h.empty(); {
		t.remove(h.oldest())
	}
}

// authors notes who has something on the map, by name.
func (t *items) authors(all map[string][][]*x509.Certificate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, h := range t.holders {
		if !h.empty() {
			all[name] = h.chains
		}
	}
}

func (t *items) size() room {
	t.mu.Lock()
	defer t.mu.Unlock()
	return room{t.used.count + t.aside.count, t.used.bytes + t.aside.bytes}
}
