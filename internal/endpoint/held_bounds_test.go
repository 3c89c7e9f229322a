package endpoint

import (
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/ftsca/ftsca/internal/mtls"
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

// What an event says of whom it is for is part of one string with all else that it says.
func TestWhomALetterIsForIsChargedAndKeepsNothingElseInMemory(t *testing.T) {
	h := newHeld(time.Hour)
	all := strings.Repeat("x", 60_000)
	to, p := destination{toUID, all[:longestUID]}, &parcel{events: 1, bytes: []byte("letter")}
	for range 2 {
		h.put(to, p, as(nil, "alice"), time.Now())
	}
	if got, want := h.size().bytes, 2*(longestUID+len("letter")+itemOverhead); got != want {
		t.Errorf("charged are %d bytes, want %d", got, want)
	}
	for key, letters := range h.to {
		for _, l := range letters {
			if unsafe.StringData(key.value) == unsafe.StringData(all) || unsafe.StringData(l.to.value) == unsafe.StringData(all) {
				t.Error("it keeps all that the event says")
			}
		}
	}
	to.value = all[:longestUID+1]
	if h.put(to, p, as(nil, "alice"), time.Now()) != nil || h.size().count != 2 {
		t.Error("something waits for a device that there cannot be")
	}
}

// Whoever announces many devices, and has them go, makes nobody forget whose another one was.
func TestNobodyHasAnothersDepartureForgotten(t *testing.T) {
	h := newHeld(time.Minute)
	now := time.Now()
	leave := func(name, uid, callsign string) {
		h.left(&item{uid: uid, callsign: callsign, holder: &holding{name: name}}, now)
	}
	take := func(name, uid string) int { return len(h.claim(as(nil, name), uid, "BOB", now)) }
	letter := &parcel{events: 1, bytes: []byte("for bob")}
	flood := func() {
		for n := range 2 * absentAllCount {
			leave("mallory", fmt.Sprint("u", n), fmt.Sprint("c", n))
		}
	}
	flood()
	leave("bob", "bob", "BOB")
	flood()
	if n := h.absent[toCallsign].len(); n != absentEachCount+1 {
		t.Errorf("%d callsigns are remembered", n)
	}
	for _, callsign := range []string{strings.Repeat("c", longestUID+1), ""} {
		leave("dave", "dave", callsign)
		if name := h.absent[toCallsign].holder(callsign, now); name != "" {
			t.Errorf("a callsign of %d bytes is remembered", len(callsign))
		}
	}
	// For a day, however short anything waits.
	now = now.Add(absence - time.Second)
	h.sweep(now)
	h.put(destination{toCallsign, "BOB"}, letter, as(nil, "alice"), now)
	h.put(destination{toUID, "bob"}, letter, as(nil, "alice"), now)
	if mallory, bob := take("mallory", "bob"), take("bob", "bob"); mallory != 0 || bob != 1 {
		t.Errorf("mallory has %d, bob %d", mallory, bob)
	}
	now = now.Add(time.Second)
	h.put(destination{toCallsign, "BOB"}, letter, as(nil, "alice"), now)
	if take("mallory", "m") != 1 {
		t.Error("a callsign is bob's for more than a day")
	}
	// It is whose device went away with it last; and what a name has left can be freed.
	leave("carol", "carol", "BOB")
	h.put(destination{toCallsign, "BOB"}, letter, as(nil, "alice"), now)
	if bob, carol := take("bob", "bob"), take("carol", "carol"); bob != 0 || carol != 1 {
		t.Errorf("bob has %d, carol %d", bob, carol)
	}
	h.forget("carol")
	h.put(destination{toCallsign, "BOB"}, letter, as(nil, "alice"), now)
	if take("bob", "bob") != 1 {
		t.Error("it is of a name that is no more")
	}
	leave("carol", "tablet", "")
	h.release("tablet")
	h.put(destination{toUID, "tablet"}, letter, as(nil, "alice"), now)
	if take("bob", "tablet") != 1 {
		t.Error("it is of a name that it was taken from")
	}
}

// Somebody writes while the operator speaks, and before he himself is moved.
func TestLettersFollowASenderWhoIsMovedMeanwhile(t *testing.T) {
	e := New(Config{Gate: mtls.NewGate(nil, nil)})
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	peer := mtls.Peer{Name: "alice", Groups: []string{"blue"}, Chains: [][]*x509.Certificate{{{}}}}
	s := e.newSession(here, here, peer)
	e.sessions.add(s)
	blue := func() *groupSet { return e.groups.of(peer) }
	alice := author{member: s, name: peer.Name, chains: peer.Chains, groups: blue()}
	e.hub.join(alice, blue)
	first := e.held.put(destination{toUID, "bob"}, &parcel{}, alice, time.Now())
	groups := func(l *letter) string {
		e.held.mu.Lock()
		defer e.held.mu.Unlock()
		return l.groups.text
	}

	e.hub.mu.RLock() // nobody is moved
	moved := make(chan struct{})
	go func() {
		e.Regroup(map[string][]string{"alice": {"red"}})
		close(moved)
	}()
	for begun := time.Now(); groups(first) != "red" && time.Since(begun) < 10*time.Second; {
		time.Sleep(time.Millisecond)
	}
	if groups(first) != "red" {
		t.Error("what was written before follows its sender, and does not go ahead")
	}
	second := e.held.put(destination{toUID, "bob"}, &parcel{}, alice, time.Now())
	e.hub.mu.RUnlock()
	<-moved
	if got := groups(second); got != "red" {
		t.Errorf("what was written meanwhile is for %s", got)
	}
}
