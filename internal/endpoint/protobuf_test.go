package endpoint_test

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/testpki"
)

// withProtobuf is a world whose endpoint offers TAK protocol version 1.
func withProtobuf(t *testing.T) *world {
	t.Helper()
	return newWorld(t, func(c *endpoint.Config) { c.NoProtobuf = false })
}

// A framed client speaks protobuf. What it hears it tells in XML, each frame as it came beside.
type framed struct {
	*client
	messages cot.MessageFramer
	frame    []byte   // the last one
	before   []string // what it heard in XML, before it had its answer
}

// request is how a client asks for a version of the protocol.
func request(version string) string {
	return `<event version="2.0" uid="phone-q" type="t-x-takp-q" how="m-g" time="2026-01-01T00:00:00Z" start="2026-01-01T00:00:00Z" ` +
		`stale="2026-01-01T00:01:00Z"><point lat="0" lon="0" hae="0" ce="999999" le="999999"/><detail><TakControl>` +
		`<TakRequest version="` + version + `"/></TakControl></detail></event>`
}

// framedClient connects a client that goes over to protobuf. It must be offered first of all.
func (w *world) framedClient(name string) *framed {
	w.t.Helper()
	c := w.dial(w.config(w.ca.Client(w.t, name)))
	return w.goOver(c)
}

func (w *world) goOver(c *client) *framed {
	w.t.Helper()
	offer := c.next()
	if !strings.Contains(offer, `type="t-x-takp-v"`) || !strings.Contains(offer, `<TakProtocolSupport version="1"/>`) {
		w.t.Fatalf("the first event is %s", offer)
	}
	c.send(request("1"))
	f := &framed{client: c}
	for {
		event := c.next()
		if strings.Contains(event, `type="t-x-takp-r"`) {
			if !strings.Contains(event, `<TakResponse status="true"/>`) || uidOf(event) != uidOf(offer) {
				w.t.Fatalf("the answer is %s", event)
			}
			break
		}
		f.before = append(f.before, event)
	}
	f.messages.Feed(c.held)
	c.held = nil
	return f
}

func uidOf(event string) string {
	return regexp.MustCompile(`uid="([^"]+)"`).FindStringSubmatch(event)[1]
}

// hear returns the next message.
func (f *framed) hear() (cot.Message, error) {
	f.t.Helper()
	f.conn.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 32<<10)
	for {
		frame, ok, err := f.messages.Next()
		if err != nil {
			return cot.Message{}, err
		}
		if ok {
			f.frame = bytes.Clone(frame)
			return cot.ParseMessage(f.frame)
		}
		n, err := f.conn.Read(buf)
		f.messages.Feed(buf[:n])
		if err != nil && n == 0 {
			return cot.Message{}, err
		}
	}
}

// expectEvents waits for events of these types and uids, such as "a-f-G-U-C alice".
func (f *framed) expectEvents(want ...string) {
	f.t.Helper()
	for i, w := range want {
		m, err := f.hear()
		if err != nil {
			f.t.Fatalf("event %d: %v", i, err)
		}
		if got := m.Event.Type + " " + m.Event.UID; got != w {
			f.t.Fatalf("event %d is %q, want %q", i, got, w)
		}
	}
}

// frameOf is the frame of an event.
func frameOf(t testing.TB, xml string) string {
	t.Helper()
	e, err := cot.Parse([]byte(xml))
	if err != nil {
		t.Fatal(err)
	}
	frame, err := e.AppendFrame(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(frame)
}

func TestClientsOfBothEncodingsHearEachOther(t *testing.T) {
	w := withProtobuf(t)
	old := w.client("old")
	old.next() // the offer, which it does not know
	alice, bob := w.framedClient("alice"), w.framedClient("bob")

	alice.send(frameOf(t, position("alice", 1)))
	bob.expectEvents("a-f-G-U-C alice")
	if string(bob.frame) != frameOf(t, position("alice", 1)) {
		t.Error("a frame is passed on otherwise than it came")
	}
	heard := old.next()
	for _, part := range []string{`uid="alice"`, `<contact endpoint="*:-1:stcp" callsign="ALICE"/>`, `<point lat="1" lon="0"`} {
		if !strings.Contains(heard, part) {
			t.Errorf("in XML it is without %s: %s", part, heard)
		}
	}
	old.send(position("old", 2))
	alice.expectEvents("a-f-G-U-C old")
	bob.expectEvents("a-f-G-U-C old")
	if string(bob.frame) != frameOf(t, position("old", 2)) || string(alice.frame) != string(bob.frame) {
		t.Error("two clients get two frames of one event")
	}

	// Who comes hears where everyone is, whatever they speak; who goes is gone for everyone.
	carol := w.framedClient("carol")
	where := map[string]bool{}
	for _, xml := range carol.before {
		where[uidOf(xml)] = true
	}
	for len(where) < 2 {
		m, err := carol.hear()
		if err != nil {
			t.Fatal(err)
		}
		where[m.Event.UID] = true
	}
	if !where["alice"] || !where["old"] {
		t.Errorf("the newcomer hears of %v", where)
	}
	alice.conn.Close()
	bob.expectEvents("t-x-d-d alice-gone")
	if gone := old.next(); !strings.Contains(gone, `type="t-x-d-d"`) || !strings.Contains(gone, `uid="alice"`) {
		t.Errorf("in XML: %s", gone)
	}
	old.conn.Close()
	m, err := bob.hear()
	if err != nil {
		t.Fatal(err)
	}
	if xml := string(m.AppendXML(nil)); m.Event.Type != "t-x-d-d" || !strings.Contains(xml, `uid="old"`) {
		t.Errorf("in protobuf: %s", xml)
	}
}

func TestPingIsAnsweredInTheEncodingInWhichItCame(t *testing.T) {
	w := withProtobuf(t)
	f := w.framedClient("alice")
	f.send(frameOf(t, ping))
	f.expectEvents("t-x-c-t-r takPong")
}

func TestTrafficIsCountedByEncoding(t *testing.T) {
	w := withProtobuf(t)
	xml := w.client("xml")
	xml.next() // the offer
	framed := w.framedClient("framed")
	framed.send(frameOf(t, chat(1, 600)), frameOf(t, chat(2, 600)))
	xml.next()
	xml.next()
	xml.send(chat(3, 600))
	framed.expectEvents("b-t-f chat-3")
	// Of the XML client a ping and a chat came, of the other a request, and two chats in frames.
	eventually(t, "all is counted", func() bool {
		s := w.e.Stats()
		return s.XML.EventsIn == 3 && s.Protobuf.EventsIn == 2 && s.Protobuf.EventsOut == 1 && s.XML.EventsOut == 6 &&
			s.EventsIn == 5 && s.EventsOut == 7 && s.Protobuf.BytesIn == uint64(2*len(frameOf(t, chat(1, 600))))
	})
}

func TestUnknownVersionIsRefusedAndTheSessionStaysInXML(t *testing.T) {
	w := withProtobuf(t)
	other := w.client("other")
	other.next()
	for _, version := range []string{"2", "0", "-1", "", "one"} {
		c := w.client("alice")
		c.next()
		c.send(request(version))
		if answer := c.next(); !strings.Contains(answer, `<TakResponse status="false"/>`) {
			t.Fatalf("version %q is answered with %s", version, answer)
		}
		other.send(chat(1, 200))
		c.expect(chat(1, 200))
		// It may ask again, for what there is.
		c.send(request("1"))
		if answer := c.next(); !strings.Contains(answer, `<TakResponse status="true"/>`) {
			t.Fatalf("after %q, version 1 is answered with %s", version, answer)
		}
		c.conn.Close()
	}
}

func TestProtobufIsNeitherOfferedNorTakenWhereItIsOff(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client("alice")
	c.send(request("1"))
	c.expectNothing()
}

// What was queued in XML before the request is answered comes before the answer or in frames, whole and once.
func TestGoingOverLosesNothingOfWhatWaits(t *testing.T) {
	w := withProtobuf(t)
	sender := w.client("sender")
	c := w.dial(w.config(w.ca.Client(t, "alice")))
	c.next()
	const events = 500
	for n := range events {
		if n == events/2 {
			c.send(request("1"))
		}
		sender.send(chat(n, 600))
	}
	got := 0
	for {
		event := c.next()
		if strings.Contains(event, `type="t-x-takp-r"`) {
			break
		}
		if event != chat(got, 600) {
			t.Fatalf("in XML, event %d is %.80s", got, event)
		}
		got++
	}
	f := &framed{client: c}
	f.messages.Feed(c.held)
	for ; got < events; got++ {
		f.expectEvents(fmt.Sprintf("b-t-f chat-%d", got))
	}
}

// A device that does not wait for the answer is heard all the same.
func TestWhatComesRightBehindTheRequestIsHeard(t *testing.T) {
	w := withProtobuf(t)
	bob := w.framedClient("bob")
	c := w.dial(w.config(w.ca.Client(t, "alice")))
	c.next()
	c.send(position("alice", 1) + request("1") + "\n" + frameOf(t, position("alice", 2)))
	bob.expectEvents("a-f-G-U-C alice", "a-f-G-U-C alice")
}

func TestGarbageBetweenFramesIsSkippedAndBadFramesAreDropped(t *testing.T) {
	w := withProtobuf(t)
	alice, bob := w.framedClient("alice"), w.framedClient("bob")
	alice.send("garbage\n", frameOf(t, position("alice", 1)), "\xbf\x03\x12\x05x", frameOf(t, position("alice", 2)), "\xbf\x00")
	bob.expectEvents("a-f-G-U-C alice", "a-f-G-U-C alice")
	if got := w.e.Stats().Dropped[endpoint.Malformed]; got != 1 {
		t.Errorf("%d frames were dropped as malformed, want 1", got)
	}
	for range 10 {
		alice.send("\xbf\x03\x12\x05x")
	}
	if _, err := alice.hear(); err == nil {
		t.Error("a client that sends broken frames alone stays")
	}
	w.log.wait(t, "session cut")
}

// As TAK clients do, it looks for the next frame behind a length that none can have, and behind anything else that is none.
func TestGarbageBetweenFramesIsSkippedUnlessThereIsNoEndOfIt(t *testing.T) {
	for name, bytes := range map[string]string{
		"a length of 65537":        "\xbf\x81\x80\x04",
		"a varint that never ends": "\xbf\xff\xff\xff\xff",
		"something else":           strings.Repeat("x", 60<<10),
	} {
		t.Run(name, func(t *testing.T) {
			w := withProtobuf(t)
			alice, bob := w.framedClient("alice"), w.framedClient("bob")
			alice.send(bytes, frameOf(t, position("alice", 1)))
			bob.expectEvents("a-f-G-U-C alice")
		})
	}
	w := withProtobuf(t)
	f := w.framedClient("alice")
	io.WriteString(f.conn, strings.Repeat("x", 100<<10))
	if _, err := f.hear(); err == nil {
		t.Fatal("it stays")
	}
	if line := w.log.wait(t, "session cut"); line["cause"] != "no_frame" {
		t.Errorf("the log says %v", line)
	}
}

// TAK clients tell each other what they understand in a TakControl; it is of no concern to others.
func TestMessageWithoutAnEventGoesToNobody(t *testing.T) {
	w := withProtobuf(t)
	alice, bob := w.framedClient("alice"), w.framedClient("bob")
	alice.send("\xbf\x04\x0a\x02\x08\x01", frameOf(t, request("1")), frameOf(t, position("alice", 1)))
	bob.expectEvents("a-f-G-U-C alice")
}

// A peer that asks over and over, and does not read the answers, fills neither the memory nor the log.
func TestRefusedRequestsWithoutEndAreBounded(t *testing.T) {
	bubbleWith(t, endpoint.Config{}, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		alice := connect("alice")
		const asked = 1000
		for range asked {
			alice.send(request("7"))
		}
		answers, _ := listen(alice)
		time.Sleep(time.Second)
		synctest.Wait()
		// As many as may wait, and as many as are being written.
		if got := answers(); got < endpoint.MaxPongs || got > 2*endpoint.MaxPongs+1 {
			t.Errorf("%d of %d requests were answered", got, asked)
		}
		if lines := w.log.lines(t, "protocol requested"); len(lines) != 1 {
			t.Errorf("the log has %d lines about it, want 1", len(lines))
		}
	})
}

func TestRequestIsHeededAMinuteAfterTheOfferAndAfterARefusal(t *testing.T) {
	bubbleWith(t, endpoint.Config{}, func(t *testing.T, _ *world, connect func(string, ...testpki.Option) *client) {
		alice := connect("alice")
		offer := alice.next()
		for _, try := range []struct{ version, status string }{{"2", "false"}, {"1", "true"}} {
			time.Sleep(61 * time.Second)
			alice.send(request(try.version))
			if answer := alice.next(); !strings.Contains(answer, `<TakResponse status="`+try.status+`"/>`) || uidOf(answer) != uidOf(offer) {
				t.Errorf("asked for version %s, it answered %s", try.version, answer)
			}
		}
	})
}

func TestEventThatHasNoFormInProtobufIsCountedAndToldOnce(t *testing.T) {
	bubbleWith(t, endpoint.Config{}, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		alice, bob := connect("alice"), connect("bob")
		alice.next()
		bob.next()
		carol := connect("carol")
		carol.next()
		carol.send(request("1"))
		carol.next()
		carols, _ := listen(carol)
		const sent = 100
		pointless := `<event version="2.0" uid="x" type="b-t-f" how="m-g" time="2026-01-01T00:00:00Z" start="2026-01-01T00:00:00Z" stale="2026-01-01T00:01:00Z"><detail/></event>`
		go func() {
			for range sent {
				alice.send(pointless)
			}
		}()
		for range sent {
			bob.expect(pointless)
		}
		synctest.Wait()
		if got := w.e.Stats().Dropped[endpoint.Unsayable]; got != sent || carols() != 0 {
			t.Errorf("%d were counted, want %d", got, sent)
		}
		if lines := w.log.lines(t, "event without a form in protobuf"); len(lines) != 1 {
			t.Errorf("the log has %d lines about it, want 1", len(lines))
		}
	})
}

func TestPongGoesAheadOfAllThatWaitsInEitherEncoding(t *testing.T) {
	c := unbudgeted()
	c.NoProtobuf = false
	bubbleWith(t, c, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		talker, xml, framed := connect("talker"), connect("xml"), w.goOver(connect("framed"))
		talker.next() // the offer
		xml.next()
		for n := range 4 { // the first is being written, the others wait
			talker.send(chat(n, 100))
			synctest.Wait()
		}
		xml.send(ping)
		framed.send(frameOf(t, ping))
		synctest.Wait()
		xml.expect(chat(0, 100))
		if got := xml.next(); !isPong(got) {
			t.Errorf("ahead of the pong came %.80s", got)
		}
		framed.expectEvents("b-t-f chat-0", "t-x-c-t-r takPong", "b-t-f chat-1")
	})
}

func TestWhatCameBeforeTheRequestCountsAsXML(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice := n.connect("alice")
		go io.Copy(io.Discard, alice.conn)
		alice.send(remark("x", "") + `<event type="t-x-takp-q"><detail><TakControl><TakRequest version="1"/></TakControl></detail></event>`)
		time.Sleep(longerThanAHold)
		synctest.Wait()
		if s := n.w.e.Stats(); s.XML.EventsIn != 2 || s.Protobuf.EventsIn != 0 {
			t.Errorf("XML %+v, protobuf %+v", s.XML, s.Protobuf)
		}
	})
}

func TestWhatHasNoFormInProtobufIsNotCountedAsSent(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, bob := n.enter("alice", false), n.enter("bob", true)
		bob.appears("Cyan")
		n.settle()
		before := n.w.e.Stats().Protobuf
		for _, details := range []string{"", `<marti><dest uid="bob"/></marti>`} {
			alice.says(`<event version="2.0" uid="x" type="b-t-f"><detail>` + details + `</detail></event>`) // without a time
		}
		bob.hears()
		if after := n.w.e.Stats().Protobuf; after.EventsOut != before.EventsOut {
			t.Errorf("before %+v, after %+v", before, after)
		}
	})
}
