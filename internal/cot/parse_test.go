package cot_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

const endOfEvent = "</event>"

func repeat(s string, n int) string { return strings.Repeat(s, n) }

// numbered repeats a pattern with the numbers from 0.
func numbered(n int, pattern string) string {
	var b strings.Builder
	for k := range n {
		fmt.Fprintf(&b, pattern, k)
	}
	return b.String()
}

// nested returns an event with n elements in each other around what is innermost.
func nested(n int, innermost string) string {
	return "<event>" + repeat("<a>", n) + innermost + repeat("</a>", n) + endOfEvent
}

func TestMalformedPieceIsRefused(t *testing.T) {
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) { refused(t, c.piece, c.refusal) })
	}
}

func TestForbiddenPieceIsRefused(t *testing.T) {
	for _, c := range forbidden {
		t.Run(c.name, func(t *testing.T) { refused(t, c.piece, c.refusal) })
	}
}

func refused(t *testing.T, piece, refusal string) {
	t.Helper()
	event, err := cot.Parse([]byte(piece))
	if err == nil || err.Error() != "event refused at "+refusal {
		t.Errorf("%.200q\n got error: %v\nwant error: event refused at %s", piece, err, refusal)
	}
	if event.Raw != nil || event.UID != "" {
		t.Errorf("a refused piece gave an event: %+v", event)
	}
}

func TestWellFormedPieceIsAccepted(t *testing.T) {
	for _, c := range append(wellFormed, onlyHere...) {
		t.Run(c.name, func(t *testing.T) { accepted(t, []byte(c.piece)) })
	}
}

func TestEventOfEveryKnownKindIsAccepted(t *testing.T) {
	for name, piece := range seeds(t) {
		t.Run(name, func(t *testing.T) { accepted(t, piece) })
	}
}

// accepted parses a piece that has to be accepted and checks what holds for every event.
func accepted(t *testing.T, piece []byte) cot.Event {
	t.Helper()
	before := bytes.Clone(piece)
	event, err := cot.Parse(piece)
	if err != nil {
		t.Fatalf("%.200q: %v", piece, err)
	}
	if !bytes.Equal(before, piece) {
		t.Fatalf("Parse changed the piece %.200q", before)
	}
	checkRaw(t, piece, event.Raw)
	sameFacts(t, event)
	return event
}

// checkRaw checks that raw is the part of the piece from "<event" to its only "</event>", and by itself an event for
// us and well-formed for encoding/xml.
func checkRaw(t *testing.T, piece, raw []byte) {
	t.Helper()
	if !bytes.HasPrefix(raw, []byte("<event")) || bytes.Index(raw, []byte(endOfEvent)) != len(raw)-len(endOfEvent) {
		t.Fatalf("not from <event to its only </event>: %.200q", raw)
	}
	if at := bytes.Index(piece, raw); at < 0 || &piece[at] != &raw[0] {
		t.Fatalf("not a part of the piece: %.200q", raw)
	}
	again, err := cot.Parse(raw)
	if err != nil || !bytes.Equal(again.Raw, raw) {
		t.Fatalf("what was accepted is not by itself: %v, %.200q", err, raw)
	}
	if err := goAccepts(raw); err != nil {
		t.Fatalf("encoding/xml refuses %.300q: %v", raw, err)
	}
}

// goAccepts asks encoding/xml, which lets more through than we do, but should refuse nothing that we accept.
func goAccepts(document []byte) error {
	d := xml.NewDecoder(bytes.NewReader(document))
	d.Strict = true
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// The two lists of characters in names are long; encoding/xml has them too.
func TestCharactersOfNamesAreThoseOfEncodingXML(t *testing.T) {
	for r := rune(0x80); r <= 0x10FFFF; r++ {
		if r == 0x20000 {
			r = 0x10FF00 // nothing from the second plane on is in a name, and a million questions take long
		}
		for _, pattern := range []string{"<event %c=''></event>", "<event a%c=''></event>"} {
			document := []byte(fmt.Sprintf(pattern, r))
			_, ours := cot.Parse(document)
			if theirs := goAccepts(document); (ours == nil) != (theirs == nil) {
				t.Fatalf("%U in %q: we say %v, encoding/xml %v", r, pattern, ours, theirs)
			}
		}
	}
}

func TestPieceOfMaxEventIsAcceptedAndOneByteMoreIsNot(t *testing.T) {
	fill := cot.MaxEvent - len("<event></event>")
	accepted(t, []byte("<event>"+repeat("x", fill)+endOfEvent))
	refused(t, "<event>"+repeat("x", fill+1)+endOfEvent, "byte 65536: longer than 65536 bytes")
}

func TestRefusalSaysNothingOfThePiece(t *testing.T) {
	_, err := cot.Parse([]byte("<event uid='secret\x1b[31m'><secret>&secret;</event>"))
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("got %q", err)
	}
}

// An auth element's bindings and values are gone when the event begins; so are those of the piece before, whatever
// became of it.
func TestNothingIsCarriedOverFromOneElementOrPieceToTheNext(t *testing.T) {
	refused(t, `<auth xmlns:p="u"><p:a/></auth><event><p:b/></event>`, "byte 39: a prefix is not declared")
	event := accepted(t, []byte(`<auth uid="a" type="b" how="c" stale="2026-03-14T09:26:53Z">`+
		`<detail><contact callsign="d"/></detail></auth><event></event>`))
	if event.UID+event.Type+event.How+event.Callsign != "" || !event.Stale.IsZero() {
		t.Errorf("an auth element was read as an event: %+v", event)
	}
	for range 3 {
		refused(t, `<event xmlns:p="u"><p:a xmlns:q="v"><`, "byte 37: a tag has no proper name")
		refused(t, `<event><p:a/></event>`, "byte 8: a prefix is not declared")
		refused(t, `<event><q:a/></event>`, "byte 8: a prefix is not declared")
	}
}

func TestValuesAreReadAsAReaderOfXMLReadsThem(t *testing.T) {
	stale := time.Date(2026, 3, 14, 9, 33, 8, 589e6, time.UTC)
	for _, c := range []struct {
		name, piece string
		want        cot.Event
	}{
		{"all of them",
			`<event uid="u" type="a-f" how="m-g" stale="2026-03-14T09:33:08.589Z">` +
				`<detail><contact callsign="c" endpoint="e"/></detail></event>`,
			cot.Event{UID: "u", Type: "a-f", How: "m-g", Callsign: "c", Endpoint: "e", Stale: stale}},
		{"none", `<event><point/><detail/></event>`, cot.Event{}},
		{"references", `<event uid="a&amp;&#98;&#x1F3D4;&quot;&lt;/event&gt;"></event>`, cot.Event{UID: `a&b🏔"</event>`}},
		{"white space", "<event uid='a\tb\nc\r\nd\re&#9;f&#10;g&#13;&#10;h'></event>", cot.Event{UID: "a b c d e\tf\ng\r\nh"}},
		{"either quotes", `<event uid='"' type="'"></event>`, cot.Event{UID: `"`, Type: "'"}},
		{"a default namespace changes nothing", `<event xmlns="u" uid="a"><detail><contact callsign="b"/></detail></event>`,
			cot.Event{UID: "a", Callsign: "b"}},
		{"contact outside detail", `<event><contact callsign="a"/><other><contact callsign="b"/></other></event>`, cot.Event{}},
		{"contact too deep", `<event><detail><a><contact callsign="b"/></a></detail></event>`, cot.Event{}},
		{"contact in a comment", `<event><detail><!--<contact callsign="b"/>--></detail></event>`, cot.Event{}},
		{"a team", `<event><detail><__group role="HQ" name="Dark&#32;Green"/></detail></event>`, cot.Event{Team: "Dark Green"}},
		{"group outside detail", `<event><__group name="a"/><detail><a><__group name="b"/></a><group name="c"/></detail></event>`, cot.Event{}},
		{"what is deleted", `<event type="t-x-d-d"><detail><link relation="p-p" uid="a"/></detail></event>`, cot.Event{Type: "t-x-d-d", Link: "a"}},
		{"nothing is deleted", `<event type="t-x-d-d"><detail><link point="46,7"/></detail></event>`, cot.Event{Type: "t-x-d-d"}},
		{"links of what deletes nothing",
			`<event type="t-x-d"><link uid="a"/><detail><link uid="b"/><link uid="c"/><p:link xmlns:p="u" p:uid="d"/><a><link uid="e"/></a></detail></event>`,
			cot.Event{Type: "t-x-d"}},
		{"names with a prefix that are others'",
			`<event xmlns:p="u" p:callsign="a" uid="b"><detail p:uid="c"><p:a p:uid="d"/><a><p:contact callsign="e"/></a></detail></event>`,
			cot.Event{UID: "b"}},
		{"attributes of children are others'", `<event><point uid="a" type="b"/></event>`, cot.Event{}},
		{"stale without fraction", `<event stale="2026-03-14T09:33:08Z"></event>`, cot.Event{Stale: stale.Truncate(time.Second)}},
		{"stale with offset", `<event stale="2026-03-14T10:33:08.589+01:00"></event>`, cot.Event{Stale: stale}},
		{"stale without zone", `<event stale="2026-03-14T09:33:08.589"></event>`, cot.Event{Stale: stale}},
		{"stale with a reference", `<event stale="2026-03-14T09&#58;33:08.589Z"></event>`, cot.Event{Stale: stale}},
		{"stale is a date", `<event stale="2026-03-14"></event>`, cot.Event{}},
		{"stale is no day", `<event stale="2026-02-30T09:33:08Z"></event>`, cot.Event{}},
		{"stale is words", `<event stale="in an hour, or perhaps in two"></event>`, cot.Event{}},
		{"stale is empty", `<event stale=""></event>`, cot.Event{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sameEvent(t, c.want, accepted(t, []byte(c.piece)))
		})
	}
}

func TestValuesOutliveThePiece(t *testing.T) {
	piece := bytes.Clone(seeds(t)["position-atak"])
	event := accepted(t, piece)
	clear(piece)
	if event.UID != "ANDROID-6f3b9a1c20d4e857" || event.Type != "a-f-G-U-C" || event.How != "m-g" ||
		event.Callsign != "ALPINE 1" || event.Endpoint != "*:-1:stcp" || event.Team != "Cyan" {
		t.Errorf("got %+v", event)
	}
	piece = bytes.Clone(seeds(t)["geochat-direct"])
	event = accepted(t, piece)
	clear(piece)
	if event.Dests[0].Value != "ALPINE 2" || event.Chat.Room != "ALPINE 2" ||
		event.Chat.Members[0] != "ANDROID-0a1b2c3d4e5f6071" {
		t.Errorf("got %+v", event)
	}
	piece = bytes.Clone(seeds(t)["gone"])
	event = accepted(t, piece)
	clear(piece)
	if event.Link != "ANDROID-6f3b9a1c20d4e857" {
		t.Errorf("got %+v", event)
	}
}

func TestKindsAreToldApart(t *testing.T) {
	deletes := map[string]string{"delete": "b2f1c0de-1111-4222-8333-944455566677", "gone": "ANDROID-6f3b9a1c20d4e857"}
	control := map[string]bool{"pong": true, "protocol-offer": true, "protocol-request": true, "protocol-answer": true}
	for name, piece := range seeds(t) {
		event := accepted(t, piece)
		if event.IsPing() != (name == "ping") {
			t.Errorf("%s: a ping: %v", name, event.IsPing())
		}
		if event.IsControl() != control[name] {
			t.Errorf("%s: control: %v", name, event.IsControl())
		}
		if target, ok := deletes[name]; event.IsDelete() != ok || ok && event.Link != target {
			t.Errorf("%s: a delete: %v, of %q", name, event.IsDelete(), event.Link)
		}
		if event.IsPosition() != strings.HasPrefix(event.Type, "a-") {
			t.Errorf("%s: a position: %v", name, event.IsPosition())
		}
	}
	if !(cot.Event{Type: "t-x-d-d-f"}).IsDelete() {
		t.Error("a kind of t-x-d-d is no delete")
	}
	for _, kind := range []string{"", "t-x-c-t-", "t-x-takp", "a", "b-a-", "t-x-d", "-t-x-d-d"} {
		if e := (cot.Event{Type: kind}); e.IsPing() || e.IsControl() || e.IsPosition() || e.IsDelete() {
			t.Errorf("%q is taken for something", kind)
		}
	}
}

// What a hostile piece costs must follow its size: were names compared each with each, these would take seconds.
func TestHostilePieceCostsNoMoreThanItsSize(t *testing.T) {
	for name, piece := range hostile() {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			for range 5 {
				accepted(t, piece)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("five took %v", took)
			}
		})
	}
}

func TestSeedsAreOfEveryKindInTheReference(t *testing.T) {
	have := map[string]bool{}
	for _, piece := range seeds(t) {
		have[accepted(t, piece).Type] = true
	}
	for kind := range strings.FieldsSeq(`a-f-G-U-C b-m-p-s-m b-m-p-w b-m-r b-t-f b-r-f-h-c u-d-c u-d-r u-d-f
		t-x-c-t t-x-c-t-r t-x-d-d t-x-takp-v t-x-takp-q t-x-takp-r`) {
		if !have[kind] {
			t.Errorf("no seed is a %s", kind)
		}
	}
}
