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
func as(m member, name string) author { return author{m, name, nil, everybody} }

// enrol makes a.member a member of h, in a's groups.
func enrol(h *hub, a author) { h.join(a, func() *groupSet { return a.groups }) }

func seenAt(uid, xml string) (sighting, *parcel) {
	p := &parcel{bytes: []byte(xml), events: 1}
	return sighting{uid: uid, kind: "a-f-G", own: true, bytes: p.bytes}, p
}

func TestPositionsAreBoundedAndAPeerDisplacesOnlyItsOwn(t *testing.T) {
	tests := []struct {
		name      string
		all, each room
		size      int
		kept      int
	}{
		{"a name's number", room{100, 1 << 20}, room{5, 1 << 20}, 10, 5},
		{"a name's bytes", room{100, 1 << 20}, room{100, 5 * (1000 + itemOverhead + 8)}, 1000, 5},
		{"number of all", room{6, 1 << 20}, room{100, 1 << 20}, 10, 5},
		{"bytes of all", room{100, 6 * (1000 + itemOverhead + 8)}, room{100, 1 << 20}, 1000, 5},
		{"one that fits nowhere", room{100, 5000}, room{100, 5000}, 10_000, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			table := newItems(tc.all, tc.each)
			phone, flooder := as(&listener{}, "phone"), as(&listener{}, "flooder")
			s, p := seenAt("phone", "p")
			table.see(phone, s, p)
			for k := range 50 {
				s, p := seenAt(fmt.Sprintf("f%d", k), fmt.Sprintf("%0*d", tc.size, k))
				table.see(flooder, s, p)
			}
			if got := table.size().count; got != 1+tc.kept {
				t.Errorf("%d positions are kept, want %d", got, 1+tc.kept)
			}
			if !table.size().within(tc.all) {
				t.Errorf("they take %v, more than %v", table.size(), tc.all)
			}
			last := table.visible(as(&listener{}, "newcomer"), nil, time.Now())
			if !slices.ContainsFunc(last, func(p *parcel) bool { return string(p.bytes) == "p" }) {
				t.Error("the other peer's position was displaced")
			}
			for k := range tc.kept {
				want := fmt.Sprintf("%0*d", tc.size, 49-k)
				if !slices.ContainsFunc(last, func(p *parcel) bool { return string(p.bytes) == want }) {
					t.Errorf("position %d, one of the newest, is not kept", 49-k)
				}
			}
			table.drop(flooder)
			table.drop(phone)
			if table.size() != (room{}) || len(table.byUID) != 0 || len(table.holders) != 0 || len(table.byCallsign) != 0 {
				t.Errorf("after all left, %v remains", table.size())
			}
		})
	}
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
