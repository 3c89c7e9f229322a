package endpoint

import (
	"fmt"
	"testing"
	"time"
)

// Of all senders together the oldest go, unless who sends has some of its own: nobody's are pushed out by one who has many.
func TestWhatIsHeldOfAllTogetherIsBounded(t *testing.T) {
	h := newHeld(time.Hour)
	now := time.Now()
	put := func(sender string, n int) {
		now = now.Add(time.Second / 1000)
		p := &parcel{events: 1, bytes: []byte(fmt.Sprint(sender, "-", n))}
		h.put(destination{toUID, sender}, p, as(nil, sender), now)
	}
	const senders = heldAllCount / heldEachCount
	for s := range senders {
		for n := range heldEachCount {
			put(fmt.Sprint("s", s), n)
		}
	}
	put("s5", 1000)
	put("newcomer", 0)
	put("newcomer", 1)
	if got := h.size(); got.count != heldAllCount {
		t.Errorf("%d are held, want %d", got.count, heldAllCount)
	}
	for sender, want := range map[string][2]string{"s0": {"s0-1", "s0-499"}, "s1": {"s1-0", "s1-499"}, "s5": {"s5-1", "s5-1000"}, "newcomer": {"newcomer-1", "newcomer-1"}} {
		waited := h.claim(as(nil, sender), sender, "", now)
		if first, last := string(waited[0].bytes), string(waited[len(waited)-1].bytes); first != want[0] || last != want[1] {
			t.Errorf("of %s %s to %s are held, want %s to %s", sender, first, last, want[0], want[1])
		}
	}
	for s := range senders {
		h.forget(fmt.Sprint("s", s))
	}
	if h.size() != (room{}) || len(h.to) != 0 || len(h.senders) != 0 {
		t.Errorf("%v remains", h.size())
	}
}
