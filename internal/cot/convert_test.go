package cot_test

import (
	"bytes"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

const (
	headOfAll  = `<event version="2.0" uid="u" type="a-f-G" how="m-g" time="2026-03-14T09:26:53.589Z" start="2026-03-14T09:26:53.589Z" stale="2026-03-14T09:33:08.589Z"`
	pointOfAll = `<point lat="46.5" lon="7.25" hae="1643.2" ce="9.9" le="9999999"/>`
)

// with is an event with these details.
func with(details string) string {
	return headOfAll + ">" + pointOfAll + "<detail>" + details + "</detail></event>"
}

// toFrame is the frame of an event in XML.
func toFrame(t *testing.T, event []byte) []byte {
	t.Helper()
	frame, err := accepted(t, event).AppendFrame(nil)
	if err != nil {
		t.Fatalf("%.300q: %v", event, err)
	}
	return frame
}

// toXML is the event of a frame in XML.
func toXML(t *testing.T, frame []byte) []byte {
	t.Helper()
	m, err := cot.ParseMessage(frame)
	if err != nil {
		t.Fatalf("%.300q: %v", frame, err)
	}
	return m.AppendXML(nil)
}

func TestEventsComeBackFromProtobuf(t *testing.T) {
	for name, event := range seeds(t) {
		t.Run(name, func(t *testing.T) { comesBack(t, event) })
	}
}

// comesBack checks that an event means the same once it has been a message, and that no more changes then.
func comesBack(t *testing.T, event []byte) {
	t.Helper()
	before := accepted(t, event)
	frame := toFrame(t, event)
	m, err := cot.ParseMessage(frame)
	if err != nil {
		t.Fatalf("%.300q: %v", event, err)
	}
	if !m.HasEvent() || &m.Frame[0] != &frame[0] || len(m.Frame) != len(frame) {
		t.Fatal("the frame is not passed on as it is")
	}
	back := m.AppendXML(nil)
	after := accepted(t, back)
	if !bytes.Equal(after.Raw, back) {
		t.Fatalf("not one event alone: %s", back)
	}
	sameMeaning(t, before.Raw, back)
	before.Stale = before.Stale.Truncate(time.Millisecond)
	sameEvent(t, before, after)
	sameEvent(t, m.Event, after)
	if again := toFrame(t, back); !bytes.Equal(again, frame) {
		t.Fatalf("\n got %q\nwant %q", again, frame)
	}
}

func sameMeaning(t *testing.T, one, other []byte) {
	t.Helper()
	want, err := mean(t, one)
	if err != nil {
		t.Fatalf("%.300q: %v", one, err)
	}
	if got, err := mean(t, other); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v\n got %+v\nwant %+v", err, got, want)
	}
}

// sameEvent compares what a relay needs of two events.
func sameEvent(t *testing.T, want, got cot.Event) {
	t.Helper()
	want.Raw, got.Raw = nil, nil
	want.Stale, got.Stale = want.Stale.UTC(), got.Stale.UTC()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("\n got %+v\nwant %+v", got, want)
	}
}

func TestWhatAMessageMakesOfAnEvent(t *testing.T) {
	contact := `<contact endpoint="*:-1:stcp" callsign="A"/>`
	for _, c := range []struct{ name, event, want string }{
		{"no detail", headOfAll + ">" + pointOfAll + "</event>", headOfAll + ">" + pointOfAll + "</event>"},
		{"empty detail", headOfAll + ">" + pointOfAll + "<detail/></event>", with("")},
		{"all that need not be there",
			headOfAll + ` releasableTo="R" caveat="C" opex="o-x" qos="1-r-c" access="S">` + pointOfAll + `</event>`,
			headOfAll + ` access="S" qos="1-r-c" opex="o-x" caveat="C" releasableTo="R">` + pointOfAll + `</event>`},
		{"empty is as good as absent", headOfAll + ` access="" opex="">` + pointOfAll + `</event>`, headOfAll + ">" + pointOfAll + "</event>"},
		{"empty uid", strings.Replace(with(""), `uid="u"`, `uid=""`, 1), strings.Replace(with(""), `uid="u"`, `uid=""`, 1)},
		{"version and other attributes", strings.Replace(with(""), `version="2.0"`, `version="3" seq="4"`, 1), with("")},
		{"times with an offset, none, microseconds",
			strings.NewReplacer(
				`time="2026-03-14T09:26:53.589Z"`, `time="2026-03-14T10:26:53.589+01:00"`,
				`start="2026-03-14T09:26:53.589Z"`, `start="2026-03-14T09:26:53.589999"`,
				`stale="2026-03-14T09:33:08.589Z"`, `stale="2026-03-14T09:33:08Z"`).Replace(with("")),
			strings.Replace(with(""), "08.589Z", "08.000Z", 1)},
		{"numbers",
			headOfAll + `><point lat="-0.0" lon="+7.7491000" hae="1e3" ce="9999999.0" le="0.00000012"/></event>`,
			headOfAll + `><point lat="-0" lon="7.7491" hae="1000" ce="9999999" le="1.2e-07"/></event>`},
		{"what else stands in event and point",
			"<!-- a -->" + headOfAll + `><?a b?>text<other/><point a="b" lat="46.5" lon="7.25" hae="1643.2" ce="9.9" le="9999999"><x/></point>` +
				"<!-- b --><detail a='b'><a/></detail></event>",
			with("<a/>")},
		{"a value with line ends and quotes", with("<contact callsign='a\r\nb&#10;c&#13;&quot;&#x27;>&lt;'/>"),
			with(`<contact callsign="a b&#10;c&#13;&quot;'&gt;&lt;"/>`)},
		{"details that no message stands for are kept as they are",
			with("\n <a b = 'c' ><!-- d --><?e f?><![CDATA[ <g> ]]>&#65;\r\n</a > \n"),
			with("\n <a b = 'c' ><!-- d --><?e f?><![CDATA[ <g> ]]>&#65;\r\n</a > \n")},
		{"typed details go behind the others, in the order of the schema",
			with(`<track speed="1.5" course="0"/><a/><status battery="87"/> <b/>` + contact + `<c/>`),
			with(`<a/> <b/><c/>` + contact + `<status battery="87"/><track speed="1.5" course="0"/>`)},
		{"the last typed detail stays that keeps two texts apart",
			with(`]]<track speed="1.5" course="0"/><status battery="87"/>>`),
			with(`]]<status battery="87"/>><track speed="1.5" course="0"/>`)},
		{"texts that may stand together",
			with("]]<status battery=\"87\"/>a>\n<track speed=\"1.5\" course=\"0\"/>\r"),
			with("]]a>\n\r<status battery=\"87\"/><track speed=\"1.5\" course=\"0\"/>")},
		{"every typed detail",
			with(`<takv version="1" os="34" platform="P" device="D"></takv><precisionlocation altsrc="" geopointsrc="GPS"/><__group role="R" name="Cyan"/>`),
			with(`<__group name="Cyan" role="R"/><precisionlocation geopointsrc="GPS" altsrc=""/><takv device="D" platform="P" os="34" version="1"/>`)},
		{"a contact without endpoint", with(`<a/><contact callsign=""/>`), with(`<a/><contact callsign=""/>`)},
		{"a contact with other endpoints", with(`<contact altendpoints="x" callsign="A" endpoint="y"/>`),
			with(`<contact endpoint="y" altendpoints="x" callsign="A"/>`)},
		{"default namespace", strings.Replace(with(contact), "<event", "<event xmlns='urn:a'", 1), with(contact)},
		{"prefixes declared outside",
			strings.Replace(headOfAll, "<event", `<event xmlns:p="urn:a" xmlns:q = 'urn:&quot;b' xmlns:r="urn:c"`, 1) + ">" + pointOfAll +
				`<detail xmlns:p="urn:d"><p:a/><a q:b=""/><q:a xmlns:q="urn:e"/><c><p:d q:e=""/></c><e/></detail></event>`,
			with(`<p:a xmlns:p="urn:d"/><a xmlns:q = 'urn:&quot;b' q:b=""/><q:a xmlns:q="urn:e"/>` +
				`<c xmlns:p="urn:d" xmlns:q = 'urn:&quot;b'><p:d q:e=""/></c><e/>`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := toXML(t, toFrame(t, []byte(c.event))); string(got) != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			accepted(t, []byte(c.want))
		})
	}
}

// Each of these would not come back as it is from a message, or is not the only one of its name, which is how readers
// take an element in xmlDetail.
func TestDetailsThatStayInXML(t *testing.T) {
	for _, details := range []string{
		`<contact callsign="A" phone="+41790000000"/>`,
		`<contact endpoint="*:-1:stcp"/>`,
		`<contact callsign="A" endpoint=""/>`,
		`<contact callsign="A" altendpoints=""/>`,
		`<contact callsign="A" xmlns="urn:a"/>`,
		`<contact callsign="A"> </contact>`,
		`<contact callsign="A"><!-- --></contact>`,
		`<contact callsign="A"><a/></contact>`,
		`<contact callsign="A"/><contact callsign="B"/>`,
		`<contact callsign="A"/><contact/>`,
		`<contact callsign="A"/><p:contact xmlns:p="urn:a"/>`,
		`<contact xmlns:p="urn:a" p:callsign="A"/>`,
		`<Contact callsign="A"/>`,
		`<a><contact callsign="A"/></a>`,
		`<__group name="Cyan"/>`,
		`<__group name="Cyan" role="HQ" abbr="H"/>`,
		`<group name="Cyan" role="HQ"/>`,
		`<precisionlocation altsrc="GPS"/>`,
		`<precisionlocation altsrc="GPS" geopointsrc="GPS" PRECISE_IMAGE_FILE=""/>`,
		`<status readiness="true"/>`,
		`<status battery="87" readiness="true"/>`,
		`<status battery="087"/>`,
		`<status battery="+87"/>`,
		`<status battery="-1"/>`,
		`<status battery="87.0"/>`,
		`<status battery=""/>`,
		`<status battery="&#56;7"/>`,
		`<status battery="4294967296"/>`,
		`<status/>`,
		`<takv device="D" platform="P" os="34"/>`,
		`<takv device="D" platform="P" os="34" version="1" a=""/>`,
		`<track speed="0.0" course="271.35"/>`,
		`<track speed="1" course="1e3"/>`,
		`<track speed="NaN" course="1"/>`,
		`<track speed="0x1p-2" course="1"/>`,
		`<track speed="1" course="1_0"/>`,
		`<track speed="1" course=" 1"/>`,
		`<track speed="1" course="1" slope="0"/>`,
		`<track speed="1"/>`,
		`]]<status battery="87"/>>`,
		`]<status battery="87"/>]>`,
		"\r<status battery=\"87\"/>\n",
	} {
		t.Run(details, func(t *testing.T) {
			frame := toFrame(t, []byte(with(details)))
			if !bytes.Contains(frame, []byte(details)) {
				t.Errorf("not in %q", frame)
			}
			if got := toXML(t, frame); string(got) != with(details) {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestEventsThatHaveNoFormInProtobuf(t *testing.T) {
	replace := func(old, by string) string { return strings.Replace(with(""), old, by, 1) }
	prefixes := strings.Replace(with("<a/>"), "<event", "<event"+numbered(17, ` xmlns:p%d="u"`), 1)
	for _, c := range []struct{ name, event, reason string }{
		{"no uid", replace(`uid="u" `, ""), "the event lacks uid, type or how"},
		{"no type", replace(`type="a-f-G" `, ""), "the event lacks uid, type or how"},
		{"no how", replace(`how="m-g" `, ""), "the event lacks uid, type or how"},
		{"no time", replace(` time="2026-03-14T09:26:53.589Z"`, ""), "time, start or stale is not a time of the years 1970 to 9999"},
		{"a day for a time", replace(`start="2026-03-14T09:26:53.589Z"`, `start="2026-03-14"`),
			"time, start or stale is not a time of the years 1970 to 9999"},
		{"before 1970", replace(`stale="2026-`, `stale="1969-`), "time, start or stale is not a time of the years 1970 to 9999"},
		{"the year 1", replace(`stale="2026-03-14T09:33:08.589Z"`, `stale="0001-01-01T00:00:00Z"`),
			"time, start or stale is not a time of the years 1970 to 9999"},
		{"after 9999", replace(`stale="2026-03-14T09:33:08.589Z"`, `stale="9999-12-31T23:59:59-01:00"`),
			"time, start or stale is not a time of the years 1970 to 9999"},
		{"no point", replace(pointOfAll, ""), "there is no point"},
		{"a point in the details", replace(pointOfAll+"<detail>", "<detail>"+pointOfAll), "there is no point"},
		{"no le", replace(` le="9999999"`, ""), "lat, lon, hae, ce or le is not a finite number"},
		{"empty", replace(`lat="46.5"`, `lat=""`), "lat, lon, hae, ce or le is not a finite number"},
		{"not a number", replace(`lat="46.5"`, `lat="NaN"`), "lat, lon, hae, ce or le is not a finite number"},
		{"infinite", replace(`lat="46.5"`, `lat="-Infinity"`), "lat, lon, hae, ce or le is not a finite number"},
		{"too large", replace(`lat="46.5"`, `lat="1e999"`), "lat, lon, hae, ce or le is not a finite number"},
		{"with a comma", replace(`lat="46.5"`, `lat="46,5"`), "lat, lon, hae, ce or le is not a finite number"},
		{"17 prefixes", prefixes, "event and detail declare more than 16 namespace prefixes"},
		{"a prefix that would become another attribute", strings.Replace(with(`<link uid="a"><uid:a/></link>`), "<detail", `<detail xmlns:uid="b"`, 1),
			"event or detail declares a namespace prefix that is called uid"},
		{"too long once prefixes are declared",
			strings.Replace(with(repeat("<p:a/>", 5000)), "<event", `<event xmlns:p="urn:example:of-some-length"`, 1),
			"the message is longer than 65536 bytes"},
		{"far too long once prefixes are declared",
			strings.Replace(with(repeat("<p:a/>", 5000)), "<event", `<event xmlns:p="`+repeat("x", 30000)+`"`, 1),
			"the message is longer than 65536 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			frame, err := accepted(t, []byte(c.event)).AppendFrame([]byte("before"))
			if string(frame) != "before" || err == nil || err.Error() != "no protobuf form: "+c.reason {
				t.Errorf("got %.100q and %v", frame, err)
			}
		})
	}
}

// Conversions share pools: none may see anything of another, at the same time or before.
func TestConversionsDoNotMix(t *testing.T) {
	frames := map[string][]byte{}
	for name, event := range seeds(t) {
		frames[name] = toFrame(t, event)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			var frame, event []byte
			for name, piece := range seeds(t) {
				parsed, err := cot.Parse(piece)
				if err != nil {
					t.Error(err)
					return
				}
				frame, err = parsed.AppendFrame(frame[:0])
				if err != nil || !bytes.Equal(frame, frames[name]) {
					t.Errorf("%s: %q, %v", name, frame, err)
				}
				m, err := cot.ParseMessage(frame)
				if err != nil {
					t.Error(err)
					return
				}
				event = m.AppendXML(event[:0])
				if _, err := cot.Parse(event); err != nil {
					t.Errorf("%s: %q, %v", name, event, err)
				}
			}
		})
	}
	all.Wait()
}

func TestSixteenPrefixesAreNotTooMany(t *testing.T) {
	comesBack(t, []byte(strings.Replace(with("<p1:a p9:b=''/><p15:c/>"), "<event", "<event"+numbered(16, ` xmlns:p%d="u%[1]d"`), 1)))
}
