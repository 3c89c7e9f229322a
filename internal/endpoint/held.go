package endpoint

import (
	"container/list"
	"crypto/x509"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ftsca/ftsca/internal/mtls"
)

const (
	// heldEach and heldAll bound what waits for those who are away: of one name, and of all.
	heldEachCount, heldEachBytes = 500, 1 << 20
	heldAllCount, heldAllBytes   = 10_000, 16 << 20
	// absentEach and absentAll bound the uids that are remembered of devices that went away, and the callsigns: those of one
	// name, so that nobody can have another's be forgotten, and of all.
	absentEachCount, absentEachBytes = 500, 256 << 10
	absentAllCount, absentAllBytes   = 10_000, 4 << 20
)

// A destination is whom an event is for.
type destination struct {
	kind  destinationKind
	value string
}

type destinationKind uint8

const (
	toUID destinationKind = iota
	toCallsign
	toGroup
	toTeam
)

// held are the events for devices that are away, until they come back or too much time has passed. They are bounded in
// number and bytes, for all and for each sender; the oldest go, and a sender's own before anybody else's.
type held struct {
	life time.Duration // 0: nothing is held

	mu      sync.Mutex
	all     list.List // of *letter, the oldest first
	used    room
	to      map[destination][]*letter // in the order in which they came
	senders map[string]*letters

	// absent says whose device had a uid, or a callsign, when it went away, for a day. What comes for it meanwhile is for that
	// name alone, or anybody could fetch it by taking the callsign.
	absent [toCallsign + 1]*bindings
}

// A letter is one event for one destination.
type letter struct {
	to     destination
	name   string // whose device alone may have it; empty where nobody knows whose it is
	from   string
	chains [][]*x509.Certificate // by which the sender was let in
	groups *groupSet             // of the sender, by them and by the operator's word in force
	parcel *parcel
	at     time.Time

	place, own *list.Element // nil once it has been taken out
	taker      member        // who has claimed it
}

// letters are those of one sender, the oldest first.
type letters struct {
	chains [][]*x509.Certificate // by which the sender was let in last
	order  list.List
	used   room
}

func newHeld(life time.Duration) *held {
	h := &held{life: life, to: map[destination][]*letter{}, senders: map[string]*letters{}}
	for kind := range h.absent {
		h.absent[kind] = newBindings(room{absentAllCount, absentAllBytes}, room{absentEachCount, absentEachBytes})
	}
	return h
}

// put keeps p, of a sender's, for who is away. It returns nil where nothing is held.
func (h *held) put(to destination, p *parcel, from author, now time.Time) *letter {
	if h.life <= 0 || len(to.value) > longestUID {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expire(now)
	if same := h.to[to]; len(same) > 0 {
		to = same[0].to
	} else {
		to.value = strings.Clone(to.value) // it is a part of all that the event says
	}
	l := &letter{
		to: to, name: h.absent[to.kind].holder(to.value, now),
		from: from.name, chains: from.chains, groups: from.groups, parcel: p, at: now,
	}
	own := h.senders[l.from]
	if own == nil {
		own = &letters{}
		h.senders[l.from] = own
	}
	own.chains = from.chains
	l.place, l.own = h.all.PushBack(l), own.order.PushBack(l)
	h.to[to] = append(h.to[to], l)
	h.used.add(l.size())
	own.used.add(l.size())
	for own.order.Len() > 0 && !own.used.within(room{heldEachCount, heldEachBytes}) {
		h.remove(own.order.Front().Value.(*letter))
	}
	for !h.used.within(room{heldAllCount, heldAllBytes}) {
		oldest := h.all.Front()
		if own.order.Len() > 1 {
			oldest = own.order.Front().Value.(*letter).place
		}
		h.remove(oldest.Value.(*letter))
	}
	return l
}

func (l *letter) size() int { return l.parcel.size() + len(l.to.value) + itemOverhead }

// isFor tells whether a may have it.
func (l *letter) isFor(a author) bool {
	return (l.name == "" || l.name == a.name) && l.groups.shares(a.groups)
}

// remove takes a letter out; mu is held.
func (h *held) remove(l *letter) {
	h.all.Remove(l.place)
	h.used.sub(l.size())
	own := h.senders[l.from]
	own.order.Remove(l.own)
	l.place, l.own = nil, nil
	own.used.sub(l.size())
	if own.order.Len() == 0 {
		delete(h.senders, l.from)
	}
	same := h.to[l.to]
	i := slices.Index(same, l)
	same = slices.Delete(same, i, i+1)
	if len(same) == 0 {
		delete(h.to, l.to)
	} else {
		h.to[l.to] = same
	}
}

// expire forgets what has waited for too long; mu is held.
func (h *held) expire(now time.Time) {
	for e := h.all.Front(); e != nil && now.Sub(e.Value.(*letter).at) >= h.life; e = h.all.Front() {
		h.remove(e.Value.(*letter))
	}
}

// sweep forgets what has waited for too long.
func (h *held) sweep(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expire(now)
}

// left notes that a device of a name has gone away, under its uid and its callsign.
func (h *held) left(n *item, now time.Time) {
	if h.life <= 0 {
		return
	}
	for _, to := range []destination{{toUID, n.uid}, {toCallsign, n.callsign}} {
		if to.value != "" && len(to.value) <= longestUID {
			h.absent[to.kind].give(to.value, n.holder.name, now)
		}
	}
}

// release forgets whose a uid was.
func (h *held) release(uid string) { h.absent[toUID].release(uid) }

// authors notes of whom something waits, by name.
func (h *held) authors(all map[string][][]*x509.Certificate) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, own := range h.senders {
		all[name] = own.chains
	}
}

// regroup has what waits be for the groups that its senders are in now, whether they are here or not, each by the
// certificate with which it was sent: who shares no group with its sender any more is not sent it, and who does now is.
func (h *held) regroup(t *groups) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, own := range h.senders {
		var certificate *x509.Certificate
		var set *groupSet
		for e := own.order.Front(); e != nil; e = e.Next() {
			l := e.Value.(*letter)
			if c := l.chains[0][0]; c != certificate {
				certificate = c
				set = t.of(mtls.Peer{Name: name, Groups: mtls.GroupsOf(c)})
			}
			l.groups = set
		}
	}
}

// forget lets go of all that waits of a name, and of what its devices were called that are away.
func (h *held) forget(name string) {
	for _, away := range h.absent {
		away.releaseName(name)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for own := h.senders[name]; own != nil && own.order.Len() > 0; {
		h.remove(own.order.Front().Value.(*letter))
	}
}

// claim returns what has waited for a device that is back, in the order in which it came.
func (h *held) claim(a author, uid, callsign string, now time.Time) (waited []*parcel) {
	if h.life <= 0 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all.Len() == 0 {
		return nil
	}
	h.expire(now)
	var letters []*letter
	for _, to := range []destination{{toUID, uid}, {toCallsign, callsign}} {
		for _, l := range h.to[to] {
			if l.isFor(a) {
				letters = append(letters, l)
			}
		}
	}
	slices.SortStableFunc(letters, func(a, b *letter) int { return a.at.Compare(b.at) })
	given := map[*parcel]bool{} // one may wait for the uid and for the callsign
	for _, l := range letters {
		if !given[l.parcel] {
			waited = append(waited, l.parcel)
		}
		given[l.parcel] = true
		h.remove(l)
		l.taker = a.member
	}
	return waited
}

// hand takes out l for a, who has come while it was put in, if a may have it. had tells that a has claimed it already.
func (h *held) hand(l *letter, a author) (handed, had bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.place == nil {
		return false, l.taker == a.member
	}
	if !l.isFor(a) {
		return false, false
	}
	h.remove(l)
	return true, false
}

func (h *held) size() room {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.used
}
