package endpoint

import (
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

// A parting is an own position that is about to be no more, or not for everybody.
type parting struct {
	*item
	still *groupSet // who is in them hears of the same uid from somebody else; nil where nobody does
}

// partings returns the own positions of a, the oldest first.
func (t *items) partings(a author) []parting {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.partingsOf(a)
}

// partingsOf is partings for who holds mu.
func (t *items) partingsOf(a author) (all []parting) {
	t.eachOwn(a, func(n *item) {
		p := parting{item: n}
		for _, other := range t.here[n.uid] {
			if other != n {
				p.still = p.still.with(other.groups)
			}
		}
		all = append(all, p)
	})
	return all
}

// A farewell says of own positions that they are gone.
type farewell struct {
	parcel *parcel
	still  *groupSet // who is in them is not told
}

// farewells are to be said of own positions that are gone.
func farewells(all []parting, now time.Time) (said []farewell) {
	common := &parcel{}
	for _, p := range all {
		notice := cot.Gone(p.uid, p.kind, p.callsign, now)
		switch {
		case notice == nil:
		case p.still != nil:
			said = append(said, farewell{&parcel{events: 1, bytes: notice}, p.still})
		default:
			common.bytes = append(common.bytes, notice...)
			common.events++
		}
	}
	if common.events > 0 {
		said = append(said, farewell{common, nil})
	}
	return said
}

// tell delivers to who is in these groups what it has to be told.
func tell(to member, groups *groupSet, all []farewell) {
	for _, f := range all {
		if f.still == nil || !f.still.shares(groups) {
			to.deliver(f.parcel)
		}
	}
}
