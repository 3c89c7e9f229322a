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
type groupSet struct{ names []string }

// shares tells whether somebody in g hears somebody in o.
func (g *groupSet) shares(o *groupSet) bool {
	if g == o {
		return true
	}
	for a, b := g.names, o.names; len(a) > 0 && len(b) > 0; {
		switch strings.Compare(a[0], b[0]) {
		case 0:
			return true
		case -1:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return false
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
}

func newGroups(named map[string][]string) *groups {
	return &groups{named: named, sets: map[string]*groupSet{}}
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
		set = &groupSet{names}
		t.sets[key] = set
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
// one, and who hears somebody no more is told that that one is gone.
func (e *Endpoint) Regroup(named map[string][]string) {
	e.groups.name(named)
	for _, s := range e.sessions.picture() {
		// One that has not joined yet joins with the new ones.
		e.hub.move(s, e.groups.of(s.peer))
	}
}
