package endpoint_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/testpki"
)

const forOthers = "position under a uid of another name"

func TestNoDevicePutsAnotherOnTheMapElsewhere(t *testing.T) {
	w := newWorld(t, nil)
	alice, mallory, bob := w.client("alice"), w.client("mallory"), w.client("bob")
	alice.send(position("ANDROID-1", 1))
	bob.expect(position("ANDROID-1", 1))
	mallory.expect(position("ANDROID-1", 1))

	// Neither as its own position, nor as one that it repeats.
	mallory.send(position("ANDROID-1", 2), repeated("ANDROID-1", 3, time.Now().Add(time.Hour)), position("ANDROID-2", 4), chat(1, 600))
	bob.expect(position("ANDROID-2", 4), chat(1, 600))
	alice.expect(position("ANDROID-2", 4), chat(1, 600))
	if got := w.e.Stats(); got.Dropped[endpoint.Impostor] != 2 || got.Bound != 2 {
		t.Errorf("the counters say %+v", got)
	}
	lines := w.log.lines(t, forOthers)
	if len(lines) != 1 || lines[0]["name"] != "mallory" || lines[0]["holder"] != "alice" || lines[0]["uid"] != "ANDROID-1" {
		t.Errorf("the log says %v", lines)
	}
	// A newcomer sees where she is.
	carol := w.client("carol")
	if first, second := carol.next(), carol.next(); first != position("ANDROID-1", 1) && second != position("ANDROID-1", 1) {
		t.Errorf("the newcomer hears\n%s\n%s", first, second)
	}
}

func TestUIDStaysWithTheNameAcrossItsCertificates(t *testing.T) {
	w := newWorld(t, nil)
	bob := w.client("bob")
	first := w.client("alice")
	first.send(position("ANDROID-1", 1))
	bob.expect(position("ANDROID-1", 1))
	first.conn.Close()
	if gone := bob.next(); !strings.Contains(gone, `type="t-x-d-d"`) {
		t.Fatalf("bob heard %s", gone)
	}
	w.client("mallory").send(position("ANDROID-1", 2))
	second := w.client("alice") // another certificate, the same name
	second.send(position("ANDROID-1", 3))
	bob.expect(position("ANDROID-1", 3))
}

func TestGatewaySpeaksForManyAndClaimsNone(t *testing.T) {
	w := newWorld(t, nil)
	gateway, bob := w.client("gateway"), w.client("bob")
	stale := time.Now().Add(time.Hour)
	gateway.send(repeated("RADIO-1", 1, stale))
	bob.expect(repeated("RADIO-1", 1, stale))
	radio := w.client("radio")
	radio.next() // where it is, as the gateway said
	radio.send(position("RADIO-1", 2))
	bob.expect(position("RADIO-1", 2))
}

func TestRevocationAndUnbindFreeAUID(t *testing.T) {
	w := newWorld(t, nil)
	alice, bob := w.client("alice"), w.client("bob")
	alice.send(position("ANDROID-1", 1), position("ANDROID-2", 1))
	bob.expect(position("ANDROID-1", 1), position("ANDROID-2", 1))
	if !w.e.Unbind("ANDROID-2") || w.e.Unbind("ANDROID-2") {
		t.Error("a uid is unbound once")
	}
	bob.send(position("ANDROID-2", 2))
	alice.expect(position("ANDROID-2", 2))
	w.revoke(alice.cert)
	eventually(t, "her uids are free", func() bool { return w.e.Stats().Bound == 1 })
}

func TestBindingMayWarnOrBeOff(t *testing.T) {
	for bind, counted := range map[endpoint.Binding]uint64{endpoint.BindWarn: 1, endpoint.BindOff: 0} {
		w := newWorld(t, func(c *endpoint.Config) { c.Bind = bind })
		alice, mallory := w.client("alice"), w.client("mallory")
		alice.send(position("ANDROID-1", 1))
		mallory.expect(position("ANDROID-1", 1))
		mallory.send(position("ANDROID-1", 2))
		alice.expect(position("ANDROID-1", 2))
		if got := w.e.Stats().Dropped[endpoint.Impostor]; got != counted || uint64(len(w.log.lines(t, forOthers))) != counted {
			t.Errorf("%d were counted, %v logged", got, w.log.lines(t, forOthers))
		}
	}
}

// What is said under a uid that is too long for anybody to hold is said by nobody.
func TestUIDLongerThanAnyRealOneIsMalformed(t *testing.T) {
	for _, framed := range []bool{false, true} {
		for _, bind := range []endpoint.Binding{endpoint.BindStrict, endpoint.BindOff} {
			inNet(t, endpoint.Config{Bind: bind}, func(n *gathering) {
				alice, bob := n.enter("alice", framed), n.enter("bob", false)
				longest := strings.Repeat("x", 1<<10)
				alice.says(position(longest, 1))
				bob.hears(longest)
				alice.says(position(longest+"x", 1), repeated(longest+"x", 1, time.Now().Add(time.Hour)), remark(longest+"x", ""))
				bob.hears()
				alice.says(remark("letter", `<marti><dest uid="`+longest+`x"/><dest callsign="`+longest+`x"/></marti>`))
				if s := n.w.e.Stats(); s.Dropped[endpoint.Malformed] != 3 || s.Items != 1 || s.Bound > 1 || s.Held != 0 {
					t.Errorf("the counters say %+v", s)
				}
			})
		}
	}
}

func TestImpostorIsLoggedOnceAMinute(t *testing.T) {
	bubble(t, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		alice, mallory := connect("alice"), connect("mallory")
		listen(mallory)
		heard, _ := listen(alice)
		alice.send(position("ANDROID-1", 0))
		synctest.Wait() // it is hers
		for n := range 600 {
			mallory.send(position("ANDROID-1", n))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if got := len(w.log.lines(t, forOthers)); got != 10 || heard() != 0 {
			t.Errorf("%d lines in ten minutes, want 10; she heard %d", got, heard())
		}
	})
}

func TestUIDIsBoundInProtobufToo(t *testing.T) {
	w := withProtobuf(t)
	alice, mallory, bob := w.framedClient("alice"), w.framedClient("mallory"), w.framedClient("bob")
	alice.send(frameOf(t, position("ANDROID-1", 1)))
	bob.expectEvents("a-f-G-U-C ANDROID-1")
	mallory.expectEvents("a-f-G-U-C ANDROID-1")
	mallory.send(frameOf(t, position("ANDROID-1", 2)), frameOf(t, chat(1, 600)))
	bob.expectEvents("b-t-f chat-1")
}

// It is held back for what it has sent, and the next of that is read when it is cut already.
func TestWhatARevokedClientHadUnderWayBindsNothing(t *testing.T) {
	w := newWorld(t, func(c *endpoint.Config) { c.MaxEventsPerSecond = 1 })
	phone := w.client("lost")
	phone.send(position("phone", 1))
	eventually(t, "its uid is bound", func() bool { return w.e.Stats().Bound == 1 })
	phone.settle()
	phone.send(strings.Repeat(`<event type="t-x-c-t"></event>`, 30) + position("phone", 2))
	w.log.wait(t, heldBack)
	w.revoke(phone.cert)
	eventually(t, "it is cut", func() bool { return w.e.Stats().Sessions == 0 })
	if n := w.e.Stats().Bound; n != 0 {
		t.Errorf("%d uids are bound", n)
	}
}

// Clients read an event more loosely than the endpoint, each in its own way. Whatever one of them takes for another's
// position, or for word that it has gone, none of them is sent.
func TestNoDeviceSpeaksForAnotherByWhatOnlyClientsRead(t *testing.T) {
	const (
		times  = ` how="m-g" time="2026-01-01T00:00:00Z" start="2026-01-01T00:00:00Z" stale="2100-01-01T00:00:00Z"`
		point  = `<point lat="9" lon="9" hae="0" ce="0" le="0"/>`
		hers   = `<link uid="alice" type="a-f-G-U-C" relation="p-p"/>`
		mine   = `<link uid="m" type="a-f-G-U-C" relation="p-p"/>`
		detail = `<detail>` + hers + `</detail>`
	)
	event := func(attributes, rest string) string {
		return `<event version="2.0" ` + attributes + times + ` xmlns:x="urn:x">` + rest + `</event>`
	}
	remark := func(rest string) string { return event(`uid="m" type="b-t-f"`, rest) }
	gone := func(rest string) string { return event(`uid="m" type="t-x-d-d"`, rest) }
	inner := `uid="alice" type="a-f-G-U-C"` + times
	forms := []string{
		// Another event.
		remark(`<event ` + inner + `/>` + point + `<detail/>`),
		remark(`<event ` + inner + `>` + point + `</event >`),
		remark(point + `<detail/><a><event ` + inner + `/></a>`),
		remark(`<x:event ` + inner + `/>` + point + `<detail/>`),
		remark(`<event uid="alice" type="t-x-d-d"` + times + `/>` + point + detail),
		// Another uid or type.
		event(`x:uid="alice" uid="m" type="a-f-G-U-C"`, point),
		event(`uid="m" xmlns:uid="alice" type="a-f-G-U-C"`, point),
		event(`xml:uid="alice" type="a-f-G-U-C"`, point),
		event(`uid="alice" type="b-t-f" x:type="a-f-G-U-C"`, point),
		event(`uid="m" type="b-t-f" x:type="t-x-d-d"`, point+detail),
		// Another detail.
		gone(point + `<x:detail>` + hers + `</x:detail><detail>` + mine + `</detail>`),
		gone(point + `<a>` + detail + `</a><detail>` + mine + `</detail>`),
		gone(point + `<detail>` + mine + `</detail>` + detail),
		gone(`<point lat="9" lon="9" hae="0" ce="0" le="0">` + detail + `</point><detail>` + mine + `</detail>`),
		// A link outside of the detail.
		gone(point + hers + `<detail>` + mine + `</detail>`),
	}
	links := []string{
		mine + hers,
		hers + mine,
		`<x:link xmlns:x="urn:x" uid="alice" type="a-f-G-U-C" relation="p-p"/>` + mine,
		mine + `<x:link xmlns:x="urn:x" uid="alice" type="a-f-G-U-C" relation="p-p"/>`,
		`<x:link xmlns:x="urn:x" uid="alice" type="a-f-G-U-C" relation="p-p"/>`,
		`<link xmlns:x="urn:x" x:uid="alice" uid="m" type="a-f-G-U-C" relation="p-p"/>`,
		`<link xmlns:uid="alice" uid="m" type="a-f-G-U-C" relation="p-p"/>`,
		`<a>` + hers + `</a>` + mine,
		`<link uid="m">` + hers + `</link>`,
	}
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, mallory, malice := n.enter("alice", false), n.enter("mallory", false), n.enter("malice", true)
		bob, carol := n.connect("bob"), n.w.goOver(n.connect("carol"))
		var bobs, carols misreader
		go hearAll(func() error {
			text, err := bob.read()
			if err == nil {
				bobs.read(t, text)
			}
			return err
		})
		go hearAll(func() error {
			_, err := carol.hear()
			if err == nil {
				carols.readFrame(t, carol.frame)
			}
			return err
		})
		heard := func() (events int, alice bool) {
			time.Sleep(longerThanAHold)
			synctest.Wait()
			events, alice = bobs.events+carols.events, bobs.takes("alice") || carols.takes("alice")
			bobs, carols = misreader{}, misreader{}
			return events, alice
		}
		n.settle()
		heard()
		malformed := uint64(0)
		try := func(by *person, text string) {
			time.Sleep(7 * time.Second) // ten malformed events within a minute cut a session
			alice.says(position("alice", 1))
			if events, takes := heard(); events != 2 || !takes {
				t.Fatalf("%d hear where alice is", events)
			}
			by.send(text)
			malformed++
			if events, takes := heard(); events > 0 || takes {
				t.Errorf("%s sends %q: %d hear it, some of alice: %v", by.name, text, events, takes)
			}
		}
		for _, form := range forms {
			try(mallory, form)
		}
		for _, details := range links {
			try(mallory, gone(point+`<detail>`+details+`</detail>`))
			try(malice, rawFrame(t, "m", "t-x-d-d", details))
		}
		try(malice, rawFrame(t, "m", "t-x-d-d", mine+`</detail>`+detail+`<detail>`))
		if got := n.w.e.Stats().Dropped; got[endpoint.Malformed] != malformed || got[endpoint.Impostor] != 0 {
			t.Errorf("of %d, %d were malformed, %d an impostor's", malformed, got[endpoint.Malformed], got[endpoint.Impostor])
		}
		// What all of them read so is an impostor's.
		mallory.send(position("alice", 2), gone(point+detail), event(`uid="m" type="t-x-d-d-f"`, point+detail))
		malice.send(rawFrame(t, "alice", "a-f-G-U-C", ""), rawFrame(t, "m", "t-x-d-d", hers))
		if events, _ := heard(); events > 0 || n.w.e.Stats().Dropped[endpoint.Impostor] != 5 {
			t.Errorf("%d are heard, %d dropped", events, n.w.e.Stats().Dropped[endpoint.Impostor])
		}
		// And they may say the like of their own.
		mallory.send(gone(point + `<detail>` + mine + `</detail>`))
		malice.send(rawFrame(t, "m", "t-x-d-d", mine))
		if events, takes := heard(); events != 4 || takes {
			t.Errorf("%d are heard", events)
		}
	})
}
