package endpoint

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/mtls"
)

// A camp is a hub whose members are in groups.
type camp struct {
	*hub
	groups *groups
}

func newCamp() *camp {
	return &camp{newHub(time.Now, newItems(room{100, 1 << 20}, room{100, 1 << 20}), newHeld(time.Hour)), newGroups(nil)}
}

func (c *camp) in(names ...string) *groupSet {
	return c.groups.of(mtls.Peer{Groups: names})
}

// enter has somebody join who keeps what it hears.
func (c *camp) enter(name string, groups ...string) *listener {
	l := &listener{}
	enrol(c.hub, author{member: l, name: name, groups: c.in(groups...)})
	return l
}

// announces has m say that it is the device with this uid.
func (c *camp) announces(m member, uid, text string) published {
	s, p := seenAt(uid, text)
	return c.publish(m, p, []sighting{s}, nil)
}

func (l *listener) isTold(uid string) bool {
	return slices.ContainsFunc(l.heard, func(text string) bool { return strings.Contains(text, `type="t-x-d-d"`) && strings.Contains(text, uid) })
}

// Whatever the one that was left behind has still to say, it is the newer session that stays, and that one alone.
func TestOfTwoSessionsOfADeviceTheNewerStays(t *testing.T) {
	for name, olderFirst := range map[string]bool{"the older one spoke first": true, "the newer one was heard first": false} {
		t.Run(name, func(t *testing.T) {
			c := newCamp()
			older, newer := c.enter("alice"), c.enter("alice")
			var replaced []member
			say := func(m member) { replaced = append(replaced, c.announces(m, "phone", "where it is").replaced...) }
			if olderFirst {
				say(older)
			}
			say(newer)
			say(older)
			say(newer)
			say(older)
			if !slices.Equal(replaced, []member{older}) {
				t.Errorf("replaced are %d; the older one is %v among them, the newer one %v", len(replaced), slices.Contains(replaced, member(older)), slices.Contains(replaced, member(newer)))
			}
			writer := c.enter("writer")
			c.send(writer, &parcel{bytes: []byte("letter"), events: 1}, []destination{{toUID, "phone"}})
			if !slices.Contains(newer.heard, "letter") || slices.Contains(older.heard, "letter") {
				t.Errorf("the newer one heard %q, the older one %q", newer.heard, older.heard)
			}
		})
	}
}

func TestWhatWaitsForADeviceDoesNotGoToASessionThatWasReplaced(t *testing.T) {
	c := newCamp()
	older, newer, writer := c.enter("alice"), c.enter("alice"), c.enter("writer")
	c.announces(older, "phone", "1")
	c.announces(newer, "phone", "2")
	c.send(writer, &parcel{bytes: []byte("letter"), events: 1}, []destination{{toUID, "tablet"}})
	c.announces(older, "tablet", "3")
	c.announces(newer, "tablet", "4")
	if slices.Contains(older.handed, "letter") || !slices.Contains(newer.handed, "letter") {
		t.Errorf("the older one was sent %q, the newer one %q", older.handed, newer.handed)
	}
}

// Who hears the newer session is told nothing, and who does not, that the device is gone, once nothing more comes of it.
func TestDeviceThatComesAnewInOtherGroupsIsGoneForThoseOfBefore(t *testing.T) {
	c := newCamp()
	bob, carol, dave := c.enter("bob", "blue"), c.enter("carol", "red"), c.enter("dave", "blue", "red")
	older := c.enter("alice", "blue")
	c.announces(older, "phone", "1")
	newer := c.enter("alice", "red")
	c.announces(newer, "phone", "2")
	c.announces(older, "phone", "3")
	if got := c.enter("newcomer", "blue", "red").met; !slices.Equal(got, []string{"2"}) {
		t.Errorf("a newcomer is sent %q", got)
	}
	c.leave(older)
	if !bob.isTold("phone") || !strings.Contains(bob.heard[len(bob.heard)-1], "t-x-d-d") {
		t.Errorf("who heard the older one alone heard %q", bob.heard)
	}
	if carol.isTold("phone") || dave.isTold("phone") || newer.isTold("phone") {
		t.Errorf("who hears the newer one heard %q, %q, and it itself %q", carol.heard, dave.heard, newer.heard)
	}
	c.leave(newer)
	if !carol.isTold("phone") || !dave.isTold("phone") {
		t.Errorf("when that one left, they heard %q and %q", carol.heard, dave.heard)
	}
}

// The same goes for who moves.
func TestWhoStillHearsADeviceByItsOtherSessionIsNotToldThatItIsGone(t *testing.T) {
	c := newCamp()
	dave := c.enter("dave", "blue", "red")
	older, newer := c.enter("alice", "blue"), c.enter("alice", "red")
	c.announces(older, "phone", "1")
	c.announces(newer, "phone", "2")
	c.move(older, c.in("green"))
	c.move(newer, c.in("blue"))
	c.move(dave, c.in("blue"))
	if dave.isTold("phone") {
		t.Errorf("he heard %q", dave.heard)
	}
	c.move(dave, c.in("green"))
	c.leave(older)
	if !dave.isTold("phone") {
		t.Errorf("he heard %q", dave.heard)
	}
}

// A device that is announced by two names, which it may be where nobody looks whose a uid is, is gone when both are.
func TestDeviceOfTwoNamesIsGoneWhenBothAre(t *testing.T) {
	c := newCamp()
	one, other, bob := c.enter("one"), c.enter("other"), c.enter("bob")
	c.announces(one, "phone", "1")
	c.announces(other, "phone", "2")
	c.leave(other)
	if bob.isTold("phone") {
		t.Error("it is said to be gone, and one of them is there")
	}
	if got := c.enter("newcomer").met; !slices.Equal(got, []string{"1"}) {
		t.Errorf("a newcomer is sent %q", got)
	}
	c.leave(one)
	if !bob.isTold("phone") {
		t.Error("nobody is there, and it is not said to be gone")
	}
}

// Where nobody looks whose a uid is, those whose groups do not meet may have the same.
func TestUIDMeansTheDeviceInTheSendersGroups(t *testing.T) {
	c := newCamp()
	alice, mallory, bob := c.enter("alice", "blue"), c.enter("mallory", "red"), c.enter("bob", "blue")
	c.announces(alice, "phone", "1")
	c.announces(mallory, "phone", "2")
	c.send(bob, &parcel{bytes: []byte("letter"), events: 1}, []destination{{toUID, "phone"}})
	if !slices.Contains(alice.heard, "letter") || slices.Contains(mallory.heard, "letter") {
		t.Errorf("she heard %q, and the one in other groups %q", alice.heard, mallory.heard)
	}
	if got := c.enter("newcomer", "blue").met; !slices.Equal(got, []string{"1"}) {
		t.Errorf("a newcomer is sent %q", got)
	}
}

func TestNobodyPutsAMarkerInThePlaceOfAConnectedDevice(t *testing.T) {
	c := newCamp()
	alice, mallory := c.enter("alice", "blue"), c.enter("mallory", "blue")
	c.announces(alice, "phone", "1")
	s, p := markerAt("phone", "2")
	c.publish(mallory, p, []sighting{s}, nil)
	if got := c.enter("newcomer", "blue").met; !slices.Equal(got, []string{"1"}) {
		t.Errorf("a newcomer is sent %q", got)
	}
}

func TestLastOwnPositionsOfASessionNeedNoRoom(t *testing.T) {
	table := newItems(room{3, 1 << 20}, room{3, 1 << 20})
	for k := range 3 {
		s, p := markerAt(fmt.Sprint("m", k), "marker")
		table.see(as(&listener{}, "other"), s, p)
	}
	alice, own := as(&listener{}, "alice"), []string{}
	for k := range always.count + 2 {
		text := fmt.Sprint("position ", k)
		s, p := seenAt(fmt.Sprint("p", k), text)
		s.callsign = text
		table.see(alice, s, p)
		own = append(own, text)
	}
	want := append([]string{"marker", "marker", "marker"}, own[2:]...)
	if got := met(table, "newcomer", everybody); !slices.Equal(got, want) {
		t.Errorf("a newcomer is sent %q, want %q", got, want)
	}
	if got := table.withCallsign(own[0], everybody); got != nil {
		t.Error("what is kept no more is found")
	}
	s, p := seenAt("p", strings.Repeat("x", always.bytes))
	table.see(alice, s, p)
	if got := met(table, "newcomer", everybody); slices.ContainsFunc(got, func(text string) bool { return len(text) == always.bytes }) {
		t.Error("one that is longer than devices' are is kept, and there is no room")
	}
}

func TestWhoMovesLeavesWhatAnotherSessionOfItsNameHasPutOnTheMap(t *testing.T) {
	c := newCamp()
	one, other, carol := c.enter("alice", "blue"), c.enter("alice", "blue"), c.enter("carol", "red")
	s, p := markerAt("camp", "camp")
	c.publish(other, p, []sighting{s}, nil)
	c.move(one, c.in("red"))
	if len(carol.met) > 0 || len(c.enter("erin", "red").met) > 0 || len(c.enter("bob", "blue").met) == 0 {
		t.Error("it is where it was not said")
	}
}
