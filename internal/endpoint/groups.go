package endpoint

import (
	"slices"
	"strings"
	"sync"

	"github.com/ftsca/ftsca/internal/mtls"
)

// Anonymous is the group of those who are in none, as TAK Server calls it.
const Anonymous = "__ANON__"

// A groupSet is the groups that somebody is in: sorted, each once, at least one. It does not change.
type groupSet struct {
	names []string
	text  string   // the names, with commas between them
	bits  []uint64 // one for each group that there has been, in the order in which they came
}

// shares tells whether somebody in g hears somebody in o. Each event asks it of each receiver.
func (g *groupSet) shares(o *groupSet) bool {
	if g == o {
		return true
	}
	for i := range min(len(g.bits), len(o.bits)) {
		if g.bits[i]&o.bits[i] != 0 {
			return true
		}
	}
	return false
}

// with returns the groups of both, for who only asks which they share; g may be nil, for none.
func (g *groupSet) with(o *groupSet) *groupSet {
	if g == nil || g == o {
		return o
	}
	both := &groupSet{bits: make([]uint64, max(len(g.bits), len(o.bits)))}
	copy(both.bits, g.bits)
	for i, b := range o.bits {
		both.bits[i] |= b
	}
	return both
}

func (g *groupSet) has(name string) bool {
	_, in := slices.BinarySearch(g.names, name)
	return in
}

// groups know who is in which group: by the operator's word, else by the certificate. Equal sets are one and the same, so
// that in a net with one group for all nothing has to be compared.
type groups struct {
	mu    sync.Mutex
	named map[string][]string  // by the operator
	sets  map[string]*groupSet // by their names
	known map[string]int       // the number of each group that there has been
}

func newGroups(named map[string][]string) *groups {
	return &groups{named: named, sets: map[string]*groupSet{}, known: map[string]int{}}
}

// of returns the groups of a peer.
func (t *groups) of(p mtls.Peer) *groupSet {
	t.mu.Lock()
	defer t.mu.Unlock()
	names, named := t.named[p.Name]
	if !named {
		names = p.Groups
	}
	if len(names) == 0 {
		names = []string{Anonymous}
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	key := strings.Join(names, "\x00")
	set := t.sets[key]
	if set == nil {
		set = t.make(names)
		t.sets[key] = set
	}
	return set
}

func (t *groups) make(names []string) *groupSet {
	set := &groupSet{names: names, text: strings.Join(names, ",")}
	for _, name := range names {
		n, known := t.known[name]
		if !known {
			n = len(t.known)
			t.known[name] = n
		}
		for len(set.bits) <= n/64 {
			set.bits = append(set.bits, 0)
		}
		set.bits[n/64] |= 1 << (n % 64)
	}
	return set
}

// name takes the operator's word. Those who are asked for from now on go by it.
func (t *groups) name(named map[string][]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.named = named
}

// Regroup has everybody be in the groups that named has for its name, and who is not in named in those of the
// certificate. It belongs to the endpoint from now on. Who hears somebody from now on is sent the last position of that
// one and what its name has put on the map, and who hears somebody no more is told that that one is gone. What waits for
// devices that are away goes by the new groups of who has sent it.
func (e *Endpoint) Regroup(named map[string][]string) {
	e.groups.name(named)
	e.held.regroup(e.groups)
	for _, s := range e.sessions.picture() {
		e.hub.move(s, e.groups.of(s.peer)) // one that has not joined yet joins with the new ones
	}
	e.held.regroup(e.groups) // what was written by those who were not moved yet
}
