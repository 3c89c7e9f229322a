package endpoint

import (
	"container/list"
	"crypto/x509"
	"strings"
	"sync"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

// itemOverhead is charged for each item kept beside its bytes: map entries, list element, headers.
const itemOverhead = 300

// A sighting is what an event says about where somebody or something is.
type sighting struct {
	uid, kind, callsign, team string

	own   bool // it is a position that names a contact endpoint: the sender speaks of itself
	gone  bool // it says that what has this uid is to be taken off the map
	stale time.Time
	bytes []byte // the event as it came, within the parcel it travels in
	other []byte // the same in the other encoding, where the parcel was made with both
}

// keeps tells whether what an event of this type says is kept for newcomers: positions and markers, points, routes,
// drawings. They are the types that taky keeps, and routes.
func keeps(kind string) bool {
	for _, prefix := range []string{"a-", "b-m-p", "b-m-r", "b-r-f-h-c", "u-d-c", "u-d-r", "u-d-f"} {
		if strings.HasPrefix(kind, prefix) {
			return true
		}
	}
	return false
}

// An author is who puts something on the map: a member, and what its certificate says of it.
type author struct {
	member member
	name   string
	chains [][]*x509.Certificate // by which it was let in
	groups *groupSet
}

// items are what is on the map: the last own position of everyone who is connected, and what they have put there until
// that goes stale. They are bounded in number and bytes, for all and for each name; when there is no room, what a name
// puts there displaces its own oldest: nobody can push another off the map.
type items struct {
	mu         sync.Mutex
	limit      room
	each       room
	used       room
	byUID      map[string]*item
	byCallsign map[string][]*item // own positions alone
	holders    map[string]*holding
}

// room is a number of items and the bytes they take.
type room struct{ count, bytes int }

func (r *room) add(bytes int)       { r.count++; r.bytes += bytes }
func (r *room) sub(bytes int)       { r.count--; r.bytes -= bytes }
func (r room) within(max room) bool { return r.count <= max.count && r.bytes <= max.bytes }

type item struct {
	uid, kind, callsign, team string

	own    bool
	stale  time.Time
	parcel *parcel
	size   int
	groups *groupSet // who of them may hear of it
	member member    // who sent it last; nil once that one has left
	holder *holding
	place  *list.Element // in holder.order
}

// A holding is what one name put on the map, oldest first.
type holding struct {
	name   string
	chains [][]*x509.Certificate // of the name's last author
	order  list.List
	used   room
}

func newItems(all, each room) *items {
	return &items{limit: all, each: each, byUID: map[string]*item{}, byCallsign: map[string][]*item{}, holders: map[string]*holding{}}
}

// see takes what a says in s, in the parcel p. before is the member that had the same uid as its own position until now,
// under the same name: the device has come anew. namesake is the name of somebody else who has the same callsign.
func (t *items) see(a author, s sighting, p *parcel) (before member, namesake string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.byUID[s.uid]
	switch {
	case s.gone:
		// Whoever is here speaks for itself.
		if old != nil && (old.member == a.member || !old.own && old.groups.shares(a.groups)) {
			t.remove(old)
		}
		return nil, ""
	case old == nil:
	case old.own && old.member != a.member && !s.own:
		return nil, ""
	case old.own && old.member != a.member && old.holder.name == a.name:
		before = old.member
	case !old.own && !s.own && !old.groups.shares(a.groups):
		return nil, "" // of two that do not know of each other, the first
	}
	h := t.holding(a.name)
	h.chains = a.chains
	if old != nil && old.holder != h {
		t.remove(old)
		old = nil
	}
	now := old
	if now == nil {
		now = &item{uid: strings.Clone(s.uid), holder: h}
		now.place = h.order.PushBack(now)
		t.byUID[now.uid] = now
	} else {
		h.order.MoveToBack(now.place)
		h.used.sub(now.size)
		t.used.sub(now.size)
		t.unlist(now)
	}
	now.keep(a, s, p.alone(s.bytes, s.other))
	namesake = t.enlist(now)
	h.used.add(now.size)
	t.used.add(now.size)
	for h.order.Len() > 0 && !(h.used.within(t.each) && t.used.within(t.limit)) {
		t.remove(h.order.Front().Value.(*item))
	}
	return before, namesake
}

func (t *items) holding(name string) *holding {
	h := t.holders[name]
	if h == nil {
		h = &holding{name: name}
		t.holders[name] = h
	}
	return h
}

// keep takes over what s says, without holding on to the memory that s points into.
func (n *item) keep(a author, s sighting, p *parcel) {
	for _, text := range []struct {
		to *string
		is string
	}{{&n.kind, s.kind}, {&n.callsign, s.callsign}, {&n.team, s.team}} {
		if *text.to != text.is {
			*text.to = strings.Clone(text.is)
		}
	}
	n.own = s.own || n.own && n.member == a.member
	n.stale, n.parcel, n.groups, n.member = s.stale, p, a.groups, a.member
	n.size = len(n.uid) + len(n.kind) + len(n.callsign) + len(n.team) + len(p.bytes) + itemOverhead
	if p.made {
		n.size += len(p.other)
	}
}

// enlist has an own position be found by its callsign, and returns the name of somebody else who has it.
func (t *items) enlist(n *item) (namesake string) {
	if !n.own || n.callsign == "" {
		return ""
	}
	same := t.byCallsign[n.callsign]
	for _, other := range same {
		if other.holder != n.holder && other.groups.shares(n.groups) {
			namesake = other.holder.name
			break
		}
	}
	t.byCallsign[n.callsign] = append(same, n)
	return namesake
}

func (t *items) unlist(n *item) {
	same := t.byCallsign[n.callsign]
	for i, other := range same {
		if other == n {
			same[i] = same[len(same)-1]
			same[len(same)-1] = nil
			same = same[:len(same)-1]
			break
		}
	}
	if len(same) == 0 {
		delete(t.byCallsign, n.callsign)
	} else {
		t.byCallsign[n.callsign] = same
	}
}

func (t *items) remove(n *item) {
	h := n.holder
	h.order.Remove(n.place)
	h.used.sub(n.size)
	t.used.sub(n.size)
	t.unlist(n)
	delete(t.byUID, n.uid)
	if h.order.Len() == 0 {
		delete(t.holders, h.name)
	}
}

// over tells whether an item has gone stale. Who is connected itself stays on the map.
func (n *item) over(now time.Time) bool { return !n.own && !n.stale.IsZero() && now.After(n.stale) }

// visible returns what a hears of, and would not in the groups before, which is nil for none. What a sent last itself is
// not among it.
func (t *items) visible(a author, before *groupSet, now time.Time) []*parcel {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*parcel, 0, len(t.byUID))
	for _, n := range t.byUID {
		if n.over(now) {
			t.remove(n)
			continue
		}
		if n.member != a.member && n.groups.shares(a.groups) && (before == nil || !n.groups.shares(before)) {
			all = append(all, n.parcel)
		}
	}
	return all
}

// sweep forgets what has gone stale.
func (t *items) sweep(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.byUID {
		if n.over(now) {
			t.remove(n)
		}
	}
}

// of calls f with all that a sent last, oldest first. f may remove it.
func (t *items) of(a author, f func(*item)) {
	h := t.holders[a.name]
	if h == nil {
		return
	}
	for e := h.order.Front(); e != nil; {
		n := e.Value.(*item)
		e = e.Next()
		if n.member == a.member {
			f(n)
		}
	}
}

// drop forgets where a is and what goes stale at no time, and returns a's own positions, of which the rest is to be told
// that they are gone. What a has put on the map stays there.
func (t *items) drop(a author) (gone []*item) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(a, func(n *item) {
		switch {
		case n.own:
			gone = append(gone, n)
			t.remove(n)
		case n.stale.IsZero():
			t.remove(n)
		default:
			n.member = nil
		}
	})
	return gone
}

// forget lets go of all that a name has put on the map, and of where it is.
func (t *items) forget(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for h := t.holders[name]; h != nil && h.order.Len() > 0; {
		t.remove(h.order.Front().Value.(*item))
	}
}

// authors notes who has something on the map, by name.
func (t *items) authors(all map[string][][]*x509.Certificate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, h := range t.holders {
		all[name] = h.chains
	}
}

// regroup has what a sent last be for other groups, and returns a's own positions.
func (t *items) regroup(a author) (own []*item) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(a, func(n *item) {
		n.groups = a.groups
		if n.own {
			own = append(own, n)
		}
	})
	return own
}

// own returns the own positions of a. They change as soon as anybody is heard again.
func (t *items) own(a author) (own []*item) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(a, func(n *item) {
		if n.own {
			own = append(own, n)
		}
	})
	return own
}

// callsign returns that of the last own position of a; empty where there is none.
func (t *items) callsign(a author) (callsign string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(a, func(n *item) {
		if n.own {
			callsign = n.callsign
		}
	})
	return callsign
}

// withUID returns who has this uid, or speaks for it; nil where nobody does.
func (t *items) withUID(uid string) member {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.byUID[uid]; n != nil {
		return n.member
	}
	return nil
}

// withCallsign returns those who call themselves so.
func (t *items) withCallsign(callsign string) (all []member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.byCallsign[callsign] {
		all = append(all, n.member)
	}
	return all
}

// inTeam returns those who say that they are in a team.
func (t *items) inTeam(team string) (all []member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, same := range t.byCallsign {
		for _, n := range same {
			if n.team == team {
				all = append(all, n.member)
			}
		}
	}
	return all
}

func (t *items) size() room {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.used
}

// partings is a parcel that says of own positions that they are gone; nil where there are none.
func partings(own []*item, now time.Time) *parcel {
	gone := &parcel{}
	for _, n := range own {
		if notice := cot.Gone(n.uid, n.kind, n.callsign, now); notice != nil {
			gone.bytes = append(gone.bytes, notice...)
			gone.events++
		}
	}
	if gone.events == 0 {
		return nil
	}
	return gone
}
