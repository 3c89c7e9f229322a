package cot

import (
	"errors"
	"fmt"
	"time"

	"github.com/ftsca/ftsca/internal/cot/takproto"
)

// Message is a TakMessage that may be passed on: the frame for clients that speak protobuf, and what it takes to say
// the same in XML. The zero value is a message without an event. Several goroutines may use one at once.
type Message struct {
	// Event holds what a relay needs, as Parse would read it from the message in XML. It has no Raw.
	Event Event

	// Frame is the message from its 0xBF to its end. It is the frame that ParseMessage was given, and valid as long,
	// unless that could not be passed on as it is: see ParseMessage.
	Frame []byte

	event *takproto.CotEvent // nil where there is none
	typed uint8              // typed details that stand in xmlDetail; see scanner.xmlDetail
}

// ParseMessage judges a frame, as a [MessageFramer] yields it. It must be one TakMessage in protobuf, and its event,
// where it has one, must have a form in XML that [Parse] takes: strings of legal characters, finite numbers, times
// before the year 10000, and an xmlDetail that is well-formed by itself, by the rules of Parse. Nothing of the XML
// needs to be made to know that, unless the event is about as long as one may be.
//
// Other clients get the frame as it came, with fields that the schema does not know, so long as they are not of a kind
// that no proto3 has. It is written anew in two cases: where it is encoded in a longer form than it needs, which some
// readers refuse, and where it has a TakControl beside its event, which is between a client and its server and makes
// ATAK refuse the event if it is nonsense.
//
// The error says why, and holds nothing of the frame. The Event's strings are copies.
func ParseMessage(frame []byte) (m Message, err error) {
	tak, canonical, err := unmarshal(frame)
	if err != nil {
		return Message{}, err
	}
	m.Frame, m.event = frame, tak.CotEvent
	if m.event == nil {
		return m, nil
	}
	if err := m.judge(); err != nil {
		return Message{}, err
	}
	if !canonical || tak.TakControl != nil {
		tak.TakControl = nil
		if m.Frame, err = appendFrame(nil, tak); err != nil {
			return Message{}, err
		}
	}
	return m, nil
}

// unmarshal reads the message in a frame; see [takproto.Unmarshal].
func unmarshal(frame []byte) (tak *takproto.TakMessage, canonical bool, err error) {
	if len(frame) == 0 || frame[0] != magic {
		return nil, false, refusedMessage("not one frame")
	}
	length, n, ok := messageLength(frame[1:])
	if !ok || n == 0 || len(frame) != 1+n+length {
		return nil, false, refusedMessage("not one frame")
	}
	if tak, canonical, err = takproto.Unmarshal(frame[1+n:]); err != nil {
		return nil, false, fmt.Errorf("message refused: %w", err)
	}
	return tak, canonical, nil
}

// HasEvent tells whether there is an event in the message. One without holds at most a TakControl, by which devices
// tell each other what they understand; a server has nothing to do with it, nor with an empty message.
func (m Message) HasEvent() bool { return m.event != nil }

// judge tells whether the event has a form in XML, and fills in m.
func (m *Message) judge() error {
	e := m.event
	d := e.GetDetail()
	sum := 0
	for _, text := range [...]string{
		e.Uid, e.Type, e.How, e.Access, e.Qos, e.Opex, e.Caveat, e.ReleasableTo,
		d.GetContact().GetEndpoint(), d.GetContact().GetCallsign(), d.GetContact().GetAltendpoints(),
		d.GetGroup().GetName(), d.GetGroup().GetRole(),
		d.GetPrecisionLocation().GetGeopointsrc(), d.GetPrecisionLocation().GetAltsrc(),
		d.GetTakv().GetDevice(), d.GetTakv().GetPlatform(), d.GetTakv().GetOs(), d.GetTakv().GetVersion(),
	} {
		if !legalText(text) {
			return refusedMessage("a string has a character that XML cannot hold")
		}
		sum += len(text)
	}
	for _, f := range [...]float64{e.Lat, e.Lon, e.Hae, e.Ce, e.Le, d.GetTrack().GetSpeed(), d.GetTrack().GetCourse()} {
		if !finite(f) {
			return refusedMessage("a number is not finite")
		}
	}
	if max(e.SendTime, e.StartTime, e.StaleTime) > maxMillis {
		return refusedMessage("a time is after the year 9999")
	}
	m.Event = Event{
		UID: e.Uid, Type: e.Type, How: e.How,
		Callsign: d.GetContact().GetCallsign(), Endpoint: d.GetContact().GetEndpoint(),
		Team:  d.GetGroup().GetName(),
		Stale: time.UnixMilli(int64(e.StaleTime)).UTC(),
	}
	if err := m.judgeDetail(d.GetXmlDetail()); err != nil {
		return err
	}
	// Six times is what escaping makes of a string at worst; the rest is the longest that all else can be.
	if 1000+6*sum+len(d.GetXmlDetail()) > MaxEvent && len(m.AppendXML(nil)) > MaxEvent {
		return refusedMessage("in XML the event is longer than 65536 bytes")
	}
	return nil
}

// judgeDetail judges an xmlDetail. A contact or a __group in it takes the place of the message's.
func (m *Message) judgeDetail(xmlDetail string) error {
	if xmlDetail == "" {
		return nil
	}
	s := newScanner(nil)
	defer s.release()
	s.detail = append(s.detail[:0], xmlDetail...)
	s.b = s.detail
	s.want()
	s.wanted.gone, s.wanted.inDetail = m.Event.IsDelete(), true
	var ok bool
	if m.typed, ok = s.xmlDetail(); !ok {
		return refusedMessage(fmt.Sprintf("xmlDetail, byte %d: %s", s.refused.at, s.refused.reason))
	}
	if m.typed&(1<<contactDetail) != 0 {
		m.Event.Callsign, m.Event.Endpoint = "", ""
	}
	if m.typed&(1<<groupDetail) != 0 {
		m.Event.Team = ""
	}
	s.scratch = s.gatherDetails(s.scratch[:0])
	s.wanted.details(&m.Event, string(s.scratch))
	return nil
}

func refusedMessage(reason string) error { return errors.New("message refused: " + reason) }

// legalText tells whether XML can hold all characters of a text, which is UTF-8.
func legalText(text string) bool {
	for _, r := range text {
		if !legal(r) {
			return false
		}
	}
	return true
}
