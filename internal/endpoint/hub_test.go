package endpoint

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/mtls"
)

// crowd is a hub with a sender and more listeners than one handful.
func crowd(limit int) (h *hub, sender *listener, all []*listener) {
	h = newHub(time.Now, newItems(room{100, 1 << 20}, room{100, 1 << 20}), newHeld(time.Hour))
	sender = &listener{}
	enrol(h, as(sender, "sender"))
	for n := range limit {
		l := &listener{}
		enrol(h, as(l, fmt.Sprint("listener ", n)))
		all = append(all, l)
	}
	return h, sender, all
}

// having counts those who were delivered something.
func having(all []*listener, text string) (n int) {
	for _, l := range all {
		if slices.Contains(l.heard, text) {
			n++
		}
	}
	return n
}

func TestFloodReachesEverybodyByHandfuls(t *testing.T) {
	h, sender, all := crowd(3 * handful)
	var steps []int
	h.publish(sender, &parcel{bytes: []byte("news"), events: 1}, nil, func(n int) { steps = append(steps, n) })
	if want := []int{handful, 2 * handful, 3 * handful}; !slices.Equal(steps, want) || having(all, "news") != 3*handful {
		t.Errorf("%v had it, and %d at the end", steps, having(all, "news"))
	}
}

func TestNothingOfAFloodComesAfterItsSenderIsGone(t *testing.T) {
	h, sender, all := crowd(3 * handful)
	s, p := seenAt("phone", "where it is")
	h.publish(sender, p, []sighting{s}, func(int) { h.leave(sender) })
	if n := having(all, "where it is"); n != handful {
		t.Errorf("%d heard it, of whom %d before the sender was gone", n, handful)
	}
	for _, l := range all {
		if last := l.heard[len(l.heard)-1]; !strings.Contains(last, `uid="phone"`) {
			t.Errorf("the last word of the sender was %s", last)
		}
	}
}

func TestWhoJoinsDuringAFloodIsSentItOnce(t *testing.T) {
	h, sender, _ := crowd(3 * handful)
	s, p := seenAt("phone", "where it is")
	newcomer := &listener{}
	h.publish(sender, p, []sighting{s}, func(int) { enrol(h, as(newcomer, "newcomer")) })
	if len(newcomer.met) == 0 || len(newcomer.heard) != 0 {
		t.Errorf("welcomed with %q, sent %q", newcomer.met, newcomer.heard)
	}
}

func TestWhatWaitedIsNoFloodOfItsReceiver(t *testing.T) {
	h, sender, _ := crowd(0)
	for n := range 10 {
		h.send(sender, &parcel{bytes: fmt.Append(nil, "letter ", n), events: 1}, []destination{{toUID, "phone"}, {toUID, "phone"}, {toCallsign, "PHONE"}})
	}
	if got := h.held.size().count; got != 20 {
		t.Errorf("%d letters wait, want one for the uid and one for the callsign of each", got)
	}
	phone := &listener{}
	enrol(h, as(phone, "phone"))
	phone.met = nil
	s, p := seenAt("phone", "where it is")
	s.callsign = "PHONE"
	h.publish(phone, p, []sighting{s}, nil)
	if len(phone.heard) != 0 || len(phone.handed) != 10 {
		t.Errorf("to its queue came %q, beside it %q", phone.heard, phone.handed)
	}
}

// Or one that takes them slowly would have all that others say to ever new names of its pile up, beyond any bound.
func TestWhoIsOwedLettersIsHandedNoMore(t *testing.T) {
	h, sender, _ := crowd(0)
	phone := &listener{}
	enrol(h, as(phone, "phone"))
	for _, uid := range []string{"first", "second"} {
		h.send(sender, &parcel{bytes: []byte("for " + uid), events: 1}, []destination{{toUID, uid}})
		s, p := seenAt(uid, "where it is")
		h.publish(phone, p, []sighting{s}, nil)
		phone.owes = true
	}
	if want := []string{"for first"}; !slices.Equal(phone.handed, want) {
		t.Errorf("it was handed %q, want %q", phone.handed, want)
	}
	phone.owes = false
	s, p := seenAt("second", "where it is")
	h.publish(phone, p, []sighting{s}, nil)
	if want := []string{"for first", "for second"}; !slices.Equal(phone.handed, want) {
		t.Errorf("then it was handed %q, want %q", phone.handed, want)
	}
}

// While somebody writes to a device that is away, the device may come: it is there then, and nothing waits for it.
func TestWhoComesWhileALetterIsPutInHasItOnceAndAtOnce(t *testing.T) {
	for _, to := range [][]destination{{{toUID, "phone"}}, {{toCallsign, "PHONE"}}, {{toUID, "phone"}, {toCallsign, "PHONE"}}, {{toCallsign, "PHONE"}, {toUID, "phone"}}} {
		for moment := range len(to) {
			h, sender, all := crowd(2)
			phone, other := all[0], all[1]
			asked := 0
			h.now = func() time.Time { // asked between that nobody is found and that the letter is put in
				if asked++; asked == moment+1 {
					s, p := seenAt("phone", "where it is")
					s.callsign = "PHONE"
					h.publish(phone, p, []sighting{s}, nil)
				}
				return time.Now()
			}
			h.send(sender, &parcel{bytes: []byte("first"), events: 1}, to)
			h.send(sender, &parcel{bytes: []byte("second"), events: 1}, to)
			got := slices.Concat(phone.handed, phone.heard)
			if !slices.Equal(got, []string{"first", "second"}) || h.held.size() != (room{}) || having(all, "first") > 1 {
				t.Errorf("to %v, coming at %d: it has %q, %v wait; another has %q", to, moment, got, h.held.size(), other.heard)
			}
		}
	}
}

// Also in that moment nobody fetches what is for another one by taking that one's callsign.
func TestWhoTakesACallsignWhileALetterIsPutInHasNothing(t *testing.T) {
	h, sender, all := crowd(2)
	come := func(m member, uid string) {
		s, p := seenAt(uid, "where it is")
		s.callsign = "PHONE"
		h.publish(m, p, []sighting{s}, nil)
	}
	come(all[0], "phone")
	h.leave(all[0])
	came := false
	h.now = func() time.Time {
		if !came {
			came = true
			come(all[1], "another")
		}
		return time.Now()
	}
	h.send(sender, &parcel{bytes: []byte("letter"), events: 1}, []destination{{toCallsign, "PHONE"}})
	if having(all, "letter") != 0 || len(all[1].handed) != 0 || h.held.size().count != 1 {
		t.Errorf("who took the callsign has %q, %v wait", all[1].heard, h.held.size())
	}
}

func TestAStuckLockIsNoLife(t *testing.T) {
	e := New(Config{Gate: mtls.NewGate(nil, nil)})
	e.Alive()
	for name, lock := range map[string]interface {
		Lock()
		Unlock()
	}{"hub": &e.hub.mu, "groups": &e.groups.mu, "items": &e.items.mu, "held": &e.held.mu, "sessions": &e.sessions.mu} {
		lock.Lock()
		alive := make(chan struct{})
		go func() {
			e.Alive()
			close(alive)
		}()
		select {
		case <-alive:
			t.Errorf("the lock of %s is held, and the endpoint called alive", name)
		case <-time.After(20 * time.Millisecond):
		}
		lock.Unlock()
		<-alive
	}
}
