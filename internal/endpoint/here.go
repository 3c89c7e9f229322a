package endpoint

import (
	"slices"
	"strings"
)

// always is how many own positions of a session, the last ones, have their place on the map whatever else is there. A
// device has one. What announces more, or longer ones, finds room for them as for other things.
var always = room{4, 16 << 10}

// A presence is one session that has announced itself, with its last own positions; older ones are on its name's shelf.
type presence struct {
	shelf
	number   int  // its author's
	replaced bool // its device has come anew since, and it is as good as over
}

func (t *items) presence(a author) *presence {
	h := t.holding(a.name)
	p := h.sessions[a.member]
	if p == nil {
		p = &presence{shelf: shelf{all: &t.aside}, number: a.number}
		h.sessions[a.member] = p
	}
	return p
}

// announce takes what a says of itself. Of two sessions of a name that say so of the same uid, the newer one is the
// device, whatever the other has left to say; mu is held.
func (t *items) announce(a author, s sighting, p *parcel) (r reception) {
	me := t.presence(a)
	if me.replaced {
		return reception{}
	}
	var own *item
	for _, n := range t.here[s.uid] {
		switch other := n.holder.sessions[n.member]; {
		case n.member == a.member:
			own = n
		case n.holder.name != a.name || other.replaced:
		case other.number > me.number:
			me.replaced = true
			return reception{replaced: a.member}
		default:
			other.replaced = true
			r.replaced = n.member
		}
	}
	if thing := t.things[s.uid]; thing != nil && thing.groups.shares(a.groups) {
		t.remove(thing)
	}
	h := t.holding(a.name)
	h.chains = a.chains
	if own == nil {
		own = &item{uid: strings.Clone(s.uid), own: true, holder: h}
		t.here[own.uid] = append(t.here[own.uid], own)
	} else {
		same := t.here[own.uid]
		i := slices.Index(same, own)
		copy(same[i:], same[i+1:])
		same[len(same)-1] = own
	}
	callsign := own.callsign
	me.put(own, own.keep(a, s, p.alone(s.bytes, s.other)))
	if own.callsign != callsign {
		unlist(t.byCallsign, callsign, own)
		if own.callsign != "" {
			t.byCallsign[own.callsign] = append(t.byCallsign[own.callsign], own)
		}
	}
	for !me.used.within(always) {
		oldest := me.oldest()
		h.put(oldest, oldest.size)
	}
	t.fit(h)
	r.here, r.namesake = s.own, t.namesake(a, s.callsign)
	return r
}

// namesake returns the name of somebody else who has this callsign, among those whom a hears.
func (t *items) namesake(a author, callsign string) string {
	if callsign == "" {
		return ""
	}
	for _, n := range t.byCallsign[callsign] {
		if n.holder.name != a.name && n.groups.shares(a.groups) {
			return n.holder.name
		}
	}
	return ""
}

// unlist takes n out of those that all has for key.
func unlist(all map[string][]*item, key string, n *item) {
	same := all[key]
	i := slices.Index(same, n)
	switch {
	case i < 0:
	case len(same) == 1:
		delete(all, key)
	default:
		all[key] = slices.Delete(same, i, i+1)
	}
}

// own returns m's own position with this uid; mu is held.
func (t *items) own(m member, uid string) *item {
	for _, n := range t.here[uid] {
		if n.member == m {
			return n
		}
	}
	return nil
}

// eachOwn calls f with the own positions of a, the oldest first; mu is held.
func (t *items) eachOwn(a author, f func(*item)) {
	h := t.holders[a.name]
	if h == nil {
		return
	}
	h.of(a.member, func(n *item) {
		if n.own {
			f(n)
		}
	})
	if p := h.sessions[a.member]; p != nil {
		p.of(a.member, f)
	}
}

// callsign returns that of the last own position of a; empty where there is none.
func (t *items) callsign(a author) (callsign string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.eachOwn(a, func(n *item) { callsign = n.callsign })
	return callsign
}

// withUID returns whom somebody in these groups means by a uid: who has it, or speaks for it; nil where nobody does.
func (t *items) withUID(uid string, groups *groupSet) member {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range slices.Backward(t.here[uid]) {
		if n.groups.shares(groups) {
			return n.member
		}
	}
	if n := t.things[uid]; n != nil && n.groups.shares(groups) {
		return n.member
	}
	return nil
}

// withCallsign returns those in these groups who call themselves so.
func (t *items) withCallsign(callsign string, groups *groupSet) (all []member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.byCallsign[callsign] {
		if n.groups.shares(groups) {
			all = append(all, n.member)
		}
	}
	return all
}

// inTeam returns those who say that they are in a team.
func (t *items) inTeam(team string) (all []member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, same := range t.here {
		for _, n := range same {
			if n.team == team {
				all = append(all, n.member)
			}
		}
	}
	return all
}
