package cot_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/cot"
)

// FuzzAppendFrame: an event that has all that a message needs comes back from one as it was, for all that the schema
// knows.
func FuzzAppendFrame(f *testing.F) {
	for _, piece := range seeds(f) {
		f.Add(piece)
	}
	for _, c := range slices.Concat(wellFormed, onlyHere) {
		f.Add([]byte(with(c.piece)))
		f.Add([]byte(strings.Replace(c.piece, "</event>", pointOfAll+"</event>", 1)))
	}
	for _, c := range addressed {
		f.Add([]byte(with(c.details)))
	}
	f.Add([]byte(with("]]<status battery='87'/>>\r<track speed='1' course='2'/>\n")))
	f.Fuzz(func(t *testing.T, piece []byte) {
		event, err := cot.Parse(piece)
		if err != nil {
			return
		}
		_, unreadable := mean(t, event.Raw)
		frame, err := event.AppendFrame(nil)
		if err != nil {
			if unreadable == nil && !strings.Contains(err.Error(), "namespace prefixes") && !strings.Contains(err.Error(), "longer than") {
				t.Fatalf("%q: %v", event.Raw, err)
			}
			return
		}
		if unreadable != nil {
			t.Fatalf("%q has a form in protobuf", event.Raw)
		}
		if _, err := cot.ParseMessage(frame); err != nil && strings.Contains(err.Error(), "longer than 65536 bytes") {
			return // escapes may make of 64 KiB more
		}
		comesBack(t, event.Raw)
	})
}

// FuzzParseMessage: no panic, and whatever is accepted is one event in XML for Parse and for other readers, comes back
// from that as it was, and is accepted again as it would be passed on.
func FuzzParseMessage(f *testing.F) {
	for _, piece := range seeds(f) {
		if event, err := cot.Parse(piece); err == nil {
			if frame, err := event.AppendFrame(nil); err == nil {
				f.Add(frame[3:])
			}
		}
	}
	f.Add(encode(f, fullMessage())[3:])
	for _, c := range addressed {
		m := fullMessage()
		m.CotEvent.Detail.XmlDetail = c.details
		f.Add(encode(f, m)[3:])
	}
	for _, c := range ambiguous {
		if !isWhole(c.piece) {
			m := fullMessage()
			m.CotEvent.Type, m.CotEvent.Detail.XmlDetail = "t-x-d-d", c.piece
			f.Add(encode(f, m)[3:])
		}
	}
	for _, s := range []string{"\x12\x08\x0a\x01a\x0a\x03b-t", "\x53\x54", "\x0a\x04\x08\x02\x10\x01\x12\x00", "\x12\x04\x7a\x02\x3a\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		m, err := cot.ParseMessage([]byte(frame(string(message))))
		if err != nil {
			if m.HasEvent() || m.Frame != nil {
				t.Fatal("a message with an error")
			}
			return
		}
		again, err := cot.ParseMessage(m.Frame)
		if err != nil || again.HasEvent() != m.HasEvent() || !bytes.Equal(again.Frame, m.Frame) {
			t.Fatalf("passed on it is %q, %v", again.Frame, err)
		}
		if !m.HasEvent() {
			return
		}
		raw := m.AppendXML(nil)
		event := accepted(t, raw)
		if !bytes.Equal(event.Raw, raw) {
			t.Fatalf("not one event alone: %q", raw)
		}
		sameEvent(t, m.Event, event)
		if !bytes.Equal(again.AppendXML(nil), raw) {
			t.Fatalf("passed on it says %q, not %q", again.AppendXML(nil), raw)
		}
		if m.Event.Marti {
			less, err := m.WithoutMarti()
			if err != nil {
				t.Fatal(err)
			}
			checkMessageWithout(t, m, less)
		}
		comesBack(t, raw)
	})
}
