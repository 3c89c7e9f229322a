package cot_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/ftsca/ftsca/internal/cot"
	"github.com/ftsca/ftsca/internal/cot/takproto"
)

// encode puts a message into a frame.
func encode(t testing.TB, m *takproto.TakMessage) []byte {
	t.Helper()
	frame, err := takproto.AppendDelimited([]byte{0xBF}, m)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// fullMessage has something in every field that has a form in XML.
func fullMessage() *takproto.TakMessage {
	return &takproto.TakMessage{CotEvent: &takproto.CotEvent{
		Type: "a-f-G-U-C", Access: "Undefined", Qos: "1-r-c", Opex: "o-x", Uid: "ANDROID-6f3b9a1c20d4e857",
		SendTime: 1773480413589, StartTime: 1773480413590, StaleTime: 1773480788589, How: "m-g",
		Lat: 46.0207, Lon: -7.7491, Hae: 1643.2, Ce: 9.9, Le: 9999999, Caveat: "FOUO", ReleasableTo: "CHE",
		Detail: &takproto.Detail{
			XmlDetail:         `<uid Droid="ALPINE 1"/>`,
			Contact:           &takproto.Contact{Endpoint: "*:-1:stcp", Callsign: "ALPINE 1", Altendpoints: "a b"},
			Group:             &takproto.Group{Name: "Cyan", Role: "Team Lead"},
			PrecisionLocation: &takproto.PrecisionLocation{Geopointsrc: "GPS", Altsrc: "DTED0"},
			Status:            &takproto.Status{Battery: math.MaxUint32},
			Takv:              &takproto.Takv{Device: "D", Platform: "ATAK-CIV", Os: "34", Version: "5.5"},
			Track:             &takproto.Track{Speed: 1.42, Course: 271.35},
		},
	}}
}

func TestMessagesComeBackFromXML(t *testing.T) {
	sparse := &takproto.TakMessage{CotEvent: &takproto.CotEvent{Detail: &takproto.Detail{
		Contact: &takproto.Contact{}, Group: &takproto.Group{}, PrecisionLocation: &takproto.PrecisionLocation{},
		Status: &takproto.Status{}, Takv: &takproto.Takv{}, Track: &takproto.Track{},
	}}}
	odd := fullMessage()
	odd.CotEvent.Detail.Contact.Callsign = "a&b<c>\"d'\t\n\r </event> \u202e\U0001F3D4\ufffd"
	odd.CotEvent.Lat, odd.CotEvent.Lon, odd.CotEvent.Hae = math.Copysign(0, -1), math.SmallestNonzeroFloat64, -math.MaxFloat64
	odd.CotEvent.Detail.Track = &takproto.Track{Speed: 0.1 + 0.2, Course: 1e21}
	odd.CotEvent.StaleTime = 253402300799999
	for name, message := range map[string]*takproto.TakMessage{
		"full": fullMessage(), "sparse": sparse, "odd": odd,
		"no detail": {CotEvent: &takproto.CotEvent{Uid: "u"}},
		"no event":  {CotEvent: &takproto.CotEvent{}},
	} {
		t.Run(name, func(t *testing.T) {
			frame := encode(t, message)
			event := toXML(t, frame)
			if got := toFrame(t, event); !bytes.Equal(got, frame) {
				t.Errorf("\n got %q\nwant %q\n via %s", got, frame, event)
			}
			comesBack(t, event)
		})
	}
}

func TestWhatAMessageSaysInXML(t *testing.T) {
	const want = `<event version="2.0" uid="ANDROID-6f3b9a1c20d4e857" type="a-f-G-U-C" how="m-g" ` +
		`time="2026-03-14T09:26:53.589Z" start="2026-03-14T09:26:53.590Z" stale="2026-03-14T09:33:08.589Z" ` +
		`access="Undefined" qos="1-r-c" opex="o-x" caveat="FOUO" releasableTo="CHE">` +
		`<point lat="46.0207" lon="-7.7491" hae="1643.2" ce="9.9" le="9999999"/>` +
		`<detail><uid Droid="ALPINE 1"/><contact endpoint="*:-1:stcp" altendpoints="a b" callsign="ALPINE 1"/>` +
		`<__group name="Cyan" role="Team Lead"/><precisionlocation geopointsrc="GPS" altsrc="DTED0"/>` +
		`<status battery="4294967295"/><takv device="D" platform="ATAK-CIV" os="34" version="5.5"/>` +
		`<track speed="1.42" course="271.35"/></detail></event>`
	if got := toXML(t, encode(t, fullMessage())); string(got) != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// ATAK leaves a message out where xmlDetail has an element of its name, whatever the prefix.
func TestElementTakesThePlaceOfItsMessage(t *testing.T) {
	m := fullMessage()
	m.CotEvent.Detail.XmlDetail = `<a><track/></a><contact callsign="B" phone="1">x</contact><__group/>` +
		`<precisionlocation/><p:status xmlns:p="u"></p:status><takv/><track/><takv/>`
	message, err := cot.ParseMessage(encode(t, m))
	if err != nil {
		t.Fatal(err)
	}
	event := accepted(t, message.AppendXML(nil))
	if !bytes.Contains(event.Raw, []byte("<detail>"+m.CotEvent.Detail.XmlDetail+"</detail>")) {
		t.Errorf("got %s", event.Raw)
	}
	sameEvent(t, message.Event, event)
	if message.Event.Callsign != "B" || message.Event.Endpoint != "" || message.Event.Team != "" {
		t.Errorf("got %+v", message.Event)
	}
}

func TestMessagesThatAreRefused(t *testing.T) {
	event := func(change func(*takproto.CotEvent)) []byte {
		m := fullMessage()
		change(m.CotEvent)
		return encode(t, m)
	}
	detail := func(xml string) []byte { return event(func(e *takproto.CotEvent) { e.Detail.XmlDetail = xml }) }
	good := encode(t, fullMessage())
	const illegal = "a string has a character that XML cannot hold"
	for _, c := range []struct {
		name   string
		frame  []byte
		reason string
	}{
		// Frames
		{"nothing", nil, "not one frame"},
		{"no length", good[:1], "not one frame"},
		{"no 0xBF", good[1:], "not one frame"},
		{"cut short", good[:len(good)-1], "not one frame"},
		{"one byte more", append(bytes.Clone(good), 0), "not one frame"},
		{"a length of four bytes", []byte("\xBF\x81\x80\x80\x00a"), "not one frame"},
		// Protobuf
		{"text", []byte(frame("<event></event>")), "not a TakMessage in protobuf"},
		{"an event that is cut short", []byte(frame("\x12\x05\x0a\x01a")), "not a TakMessage in protobuf"},
		{"a type that is not UTF-8", []byte(frame("\x12\x03\x0a\x01\xff")), "not a TakMessage in protobuf"},
		{"field 0", []byte(frame("\x02\x00")), "not a TakMessage in protobuf"},
		{"an unknown group", []byte(frame("\x53\x54")), "a field that is not in the schema has a form that is not proto3"},
		{"an unknown group in the event", []byte(frame("\x12\x04\xa3\x01\xa4\x01")), "a field that is not in the schema has a form that is not proto3"},
		{"an unknown field with a long length", []byte(frame("\x52\x80\x80\x80\x80\x80\x00")),
			"a field that is not in the schema has a form that is not proto3"},
		// Strings, numbers, times
		{"NUL in the uid", event(func(e *takproto.CotEvent) { e.Uid = "\x00" }), illegal},
		{"U+FFFE in the type", event(func(e *takproto.CotEvent) { e.Type = "\ufffe" }), illegal},
		{"escape in a callsign", event(func(e *takproto.CotEvent) { e.Detail.Contact.Callsign = "\x1b[31m" }), illegal},
		{"bell in a version", event(func(e *takproto.CotEvent) { e.Detail.Takv.Version = "\a" }), illegal},
		{"lat not a number", event(func(e *takproto.CotEvent) { e.Lat = math.NaN() }), "a number is not finite"},
		{"hae infinite", event(func(e *takproto.CotEvent) { e.Hae = math.Inf(-1) }), "a number is not finite"},
		{"speed not a number", event(func(e *takproto.CotEvent) { e.Detail.Track.Speed = math.NaN() }), "a number is not finite"},
		{"stale in the year 10000", event(func(e *takproto.CotEvent) { e.StaleTime = 253402300800000 }), "a time is after the year 9999"},
		{"time at the end of time", event(func(e *takproto.CotEvent) { e.SendTime = math.MaxUint64 }), "a time is after the year 9999"},
		// xmlDetail
		{"another end of detail", detail("</detail><detail>"), "xmlDetail, byte 0: an end tag does not match its start tag"},
		{"an end of detail after an element", detail("<a/></detail></event><event>"),
			"xmlDetail, byte 4: an end tag does not match its start tag"},
		{"an end without a name", detail("</>"), "xmlDetail, byte 0: an end tag does not match its start tag"},
		{"an open element", detail("<a>"), "xmlDetail, byte 3: the piece ends within an element"},
		{"an open tag", detail("<a b='"), "xmlDetail, byte 6: an attribute value does not end"},
		{"an open comment", detail("<!--"), "xmlDetail, byte 4: a comment does not end"},
		{"an open CDATA section", detail("<![CDATA["), "xmlDetail, byte 9: a CDATA section does not end"},
		{"the end of the event in a comment", detail("<!--</event>-->"),
			"xmlDetail, byte 4: </event> within a comment, CDATA section or processing instruction"},
		{"an event that ends", detail("<event></event>"), "xmlDetail, byte 7: </event> ends an element within the event"},
		{"a document type", detail("<!DOCTYPE a>"), "xmlDetail, byte 0: <! begins neither a comment nor a CDATA section"},
		{"an XML declaration", detail(`<?xml version="1.0"?>`),
			"xmlDetail, byte 2: a processing instruction may not be called xml"},
		{"an unknown entity", detail("&nbsp;"), "xmlDetail, byte 0: & begins none of the five known entities"},
		{"a prefix of nobody's", detail("<p:a/>"), "xmlDetail, byte 1: a prefix is not declared"},
		{"a control character", detail("\x01"), "xmlDetail, byte 0: an illegal control character"},
		{"63 levels", detail(repeat("<a>", 63) + repeat("</a>", 63)), "xmlDetail, byte 186: elements nest too deep"},
		// Length
		{"too long in XML", event(func(e *takproto.CotEvent) { e.Uid = repeat(`"`, 11000) }), "in XML the event is longer than 65536 bytes"},
		{"xmlDetail too long", detail(repeat("<a/>", 16300)), "in XML the event is longer than 65536 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := cot.ParseMessage(c.frame)
			if m.HasEvent() || m.Frame != nil || err == nil || err.Error() != "message refused: "+c.reason {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestLongestMessages(t *testing.T) {
	for _, m := range []*takproto.TakMessage{
		{CotEvent: &takproto.CotEvent{Detail: &takproto.Detail{XmlDetail: repeat("<a>", 62) + repeat("</a>", 62)}}},
		{CotEvent: &takproto.CotEvent{Detail: &takproto.Detail{XmlDetail: repeat("<a/>", 16200)}}},
		{CotEvent: &takproto.CotEvent{Uid: repeat(`"`, 10800)}},
	} {
		comesBack(t, toXML(t, encode(t, m)))
	}
}

func TestWhatIsPassedOnAsItCame(t *testing.T) {
	event := string(encode(t, fullMessage())[3:])
	ours := frame(event)
	own := &takproto.TakMessage{CotEvent: fullMessage().CotEvent, SubmissionTime: 5, CreationTime: 6}
	own.CotEvent.Detail.ExtensionDetails = []*takproto.Detail_Extension{{ExtensionId: 7, Data: []byte{0}}}
	controlled := &takproto.TakMessage{CotEvent: fullMessage().CotEvent,
		TakControl: &takproto.TakControl{MinProtoVersion: 2, MaxProtoVersion: 1, ContactUid: "\x00", ExtensionIds: []uint32{1, 2}}}
	for _, c := range []struct{ name, frame, want string }{
		{"as we write it", ours, ours},
		{"a longer length than needed", "\xBF" + string([]byte{ours[1], ours[2] | 0x80, 0}) + event,
			"\xBF" + string([]byte{ours[1], ours[2] | 0x80, 0}) + event},
		{"fields that the schema does not know", frame(event + "\xd0\x02\x01\xda\x02\x01a"), frame(event + "\xd0\x02\x01\xda\x02\x01a")},
		{"what XML does not say", string(encode(t, own)), string(encode(t, own))},
		{"a type that comes twice", frame("\x12\x08\x0a\x01a\x0a\x03b-t"), frame("\x12\x05\x0a\x03b-t")},
		{"an empty uid", frame("\x12\x05\x0a\x01a\x2a\x00"), frame("\x12\x03\x0a\x01a")},
		{"an unknown field with a tag of six bytes", frame("\x12\x03\x0a\x01a\xd0\x82\x80\x80\x80\x00\x01"), frame("\x12\x03\x0a\x01a\xd0\x02\x01")},
		{"a tag of six bytes", frame("\x92\x80\x80\x80\x80\x00\x03\x0a\x01a"), frame("\x12\x03\x0a\x01a")},
		{"a control message beside the event", string(encode(t, controlled)), ours},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := cot.ParseMessage([]byte(c.frame))
			if err != nil || !m.HasEvent() || string(m.Frame) != c.want {
				t.Fatalf("%v\n got %q\nwant %q", err, m.Frame, c.want)
			}
			again, err := cot.ParseMessage(m.Frame)
			if err != nil || string(again.AppendXML(nil)) != string(m.AppendXML(nil)) {
				t.Fatalf("%v\n got %s\nwant %s", err, again.AppendXML(nil), m.AppendXML(nil))
			}
		})
	}
}

func TestMessagesWithoutAnEvent(t *testing.T) {
	control := &takproto.TakMessage{TakControl: &takproto.TakControl{MinProtoVersion: 1, MaxProtoVersion: 1, ContactUid: "u"}}
	for name, frame := range map[string]string{"empty": frame(""), "an event that is a number": frame("\x10\x01"), "a control message": string(encode(t, control))} {
		m, err := cot.ParseMessage([]byte(frame))
		if err != nil || m.HasEvent() || string(m.Frame) != frame || len(m.AppendXML(nil)) != 0 || m.Event.Type != "" {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}
