package endpoint

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

// A listener is a member that keeps what it hears.
type listener struct {
	heard, met, handed []string
	owes               bool // it has not taken what it was handed
}

func (l *listener) speaks() encoding { return inXML }

func (l *listener) turn() encoding { return inXML }

func (l *listener) deliver(p *parcel) { l.heard = append(l.heard, string(p.bytes)) }

func (l *listener) welcome(last []*parcel) {
	for _, p := range last {
		l.met = append(l.met, string(p.bytes))
	}
	slices.Sort(l.met)
}

func (l *listener) hand(letters []*parcel) {
	for _, p := range letters {
		l.handed = append(l.handed, string(p.bytes))
	}
}

func (l *listener) owed() bool { return l.owes }

// everybody is the group that all are in.
var everybody = &groupSet{names: []string{Anonymous}}

// as is a member of a name, in everybody's group.
func as(m member, name string) author { return author{member: m, name: name, groups: everybody} }

// enrol makes a.member a member of h, in a's groups.
func enrol(h *hub, a author) { h.join(a, func() *groupSet { return a.groups }) }

func seenAt(uid, xml string) (sighting, *parcel) {
	p := &parcel{bytes: []byte(xml), events: 1}
	return sighting{uid: uid, kind: "a-f-G", own: true, bytes: p.bytes}, p
}

// markerAt is something that is no own position.
func markerAt(uid, xml string) (sighting, *parcel) {
	s, p := seenAt(uid, xml)
	s.own = false
	return s, p
}

func TestWhatIsKeptIsBoundedAndAPeerDisplacesOnlyItsOwn(t *testing.T) {
	tests := []struct {
		name      string
		all, each room
		size      int
		kept      int // of markers
		beside    int // more of own positions
	}{
		{"a name's number", room{100, 1 << 20}, room{5, 1 << 20}, 10, 5, always.count},
		{"a name's bytes", room{100, 1 << 20}, room{100, 5 * (1000 + itemOverhead + 8)}, 1000, 5, always.count},
		{"number of all", room{6, 1 << 20}, room{100, 1 << 20}, 10, 5, always.count},
		{"bytes of all", room{100, 6 * (1000 + itemOverhead + 8)}, room{100, 1 << 20}, 1000, 5, always.count},
		{"one that fits nowhere", room{100, 5000}, room{100, 5000}, always.bytes, 0, 0},
	}
	for _, tc := range tests {
		for kind, say := range map[string]func(uid, xml string) (sighting, *parcel){"markers": markerAt, "own positions": seenAt} {
			t.Run(tc.name+", "+kind, func(t *testing.T) {
				table := newItems(tc.all, tc.each)
				kept, bound := tc.kept, tc.all
				if kind == "own positions" {
					kept += tc.beside
					bound.count += always.count
					bound.bytes += always.bytes
				}
				other, flooder := as(&listener{}, "other"), as(&listener{}, "flooder")
				s, p := markerAt("camp", "p")
				table.see(other, s, p)
				for k := range 50 {
					s, p := say(fmt.Sprintf("f%d", k), fmt.Sprintf("%0*d", tc.size, k))
					table.see(flooder, s, p)
				}
				if got := table.size().count; got != 1+kept {
					t.Errorf("%d are kept, want %d", got, 1+kept)
				}
				if !table.size().within(bound) {
					t.Errorf("they take %v, more than %v", table.size(), bound)
				}
				last := met(table, "newcomer", everybody)
				if !slices.Contains(last, "p") {
					t.Error("the other peer's marker was displaced")
				}
				for k := range kept {
					if !slices.Contains(last, fmt.Sprintf("%0*d", tc.size, 49-k)) {
						t.Errorf("number %d, one of the newest, is not kept", 49-k)
					}
				}
				table.drop(flooder)
				table.drop(other)
				if table.size() != (room{}) || len(table.here)+len(table.things)+len(table.holders)+len(table.byCallsign) != 0 {
					t.Errorf("after all left, %v remains", table.size())
				}
			})
		}
	}
}

// met is what somebody new in these groups is sent.
func met(table *items, name string, groups *groupSet) (all []string) {
	for _, p := range table.visible(author{member: &listener{}, name: name, groups: groups}, nil, time.Now()) {
		all = append(all, string(p.bytes))
	}
	slices.Sort(all)
	return all
}

func TestKeptPositionHoldsOnlyItsOwnBytes(t *testing.T) {
	table := newItems(room{10, 1 << 20}, room{10, 1 << 20})
	p := &parcel{bytes: make([]byte, 0, 1<<16), events: 2}
	p.bytes = append(p.bytes, "onetwo"...)
	table.see(as(&listener{}, "a"), sighting{uid: "two", bytes: p.bytes[3:6]}, p)
	if got := table.visible(as(nil, "b"), nil, time.Now())[0]; string(got.bytes) != "two" || cap(got.bytes) > 64 {
		t.Errorf("%q is kept in %d bytes", got.bytes, cap(got.bytes))
	}
}

func TestHubTakesNothingFromWhoIsNoMember(t *testing.T) {
	h := newHub(time.Now, newItems(room{10, 1 << 20}, room{10, 1 << 20}), newHeld(0))
	a, b := &listener{}, &listener{}
	enrol(h, as(b, "b"))
	s, p := seenAt("a", "one")
	if h.publish(a, p, []sighting{s}, nil).taken {
		t.Error("one who has not joined was heard")
	}
	enrol(h, as(a, "a"))
	if !h.publish(a, p, []sighting{s}, nil).taken || !slices.Equal(b.heard, []string{"one"}) || len(a.heard) != 0 {
		t.Errorf("after a spoke, a heard %v and b %v", a.heard, b.heard)
	}
	c := &listener{}
	enrol(h, as(c, "c"))
	if !slices.Equal(c.met, []string{"one"}) {
		t.Errorf("the newcomer met %v", c.met)
	}
	h.leave(a)
	h.leave(a)
	if len(b.heard) != 2 || len(c.heard) != 1 {
		t.Errorf("when a left, b heard %v and c %v", b.heard, c.heard)
	}
	if h.publish(a, p, []sighting{s}, nil).taken {
		t.Error("one who left was heard")
	}
	h.close()
	if h.publish(b, p, nil, nil).taken {
		t.Error("a closed hub passes on")
	}
	h.leave(b)
	if len(c.heard) != 1 {
		t.Error("a closed hub announces who leaves")
	}
	enrol(h, as(a, "a"))
	if h.publish(a, p, nil, nil).taken {
		t.Error("a closed hub takes members")
	}
}

// What stood behind it in the same read may have been far more, and of no use to anybody.
func TestWhatIsKeptHoldsNoRoomForMore(t *testing.T) {
	e, err := cot.Parse([]byte(positionXML))
	if err != nil {
		t.Fatal(err)
	}
	b := batch{both: true}
	b.add(e, e.Raw, recordSize)
	if b.parcel.other, err = e.AppendFrame(b.parcel.other); err != nil {
		t.Fatal(err)
	}
	b.said()
	p := b.finish()
	for name, form := range map[string][]byte{"bytes": p.bytes, "other": p.other} {
		if cap(form) > 2*len(form) {
			t.Errorf("%s: %d bytes in room for %d", name, len(form), cap(form))
		}
	}
	if kept := p.alone(b.seen[0].bytes, b.seen[0].other); string(kept.bytes) != positionXML || string(kept.other) != string(p.other) || len(p.other) == 0 {
		t.Errorf("kept are %q and %q", kept.bytes, kept.other)
	}
}
