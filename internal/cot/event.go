package cot

import (
	"strings"
	"time"
)

// Types that a relay has to know.
const (
	typePing = "t-x-c-t"
	typePong = "t-x-c-t-r"
	typeGone = "t-x-d-d"

	prefixPosition = "a-"
	prefixProtocol = "t-x-takp-"
)

// Event is one well-formed event: its bytes, and the few values a relay needs. An absent value is empty. Values read as
// an XML reader reads them, references resolved; they are the peer's own words and prove nothing.
type Event struct {
	// Raw is the event from "<event" to "</event>", byte for byte: a part of what Parse was given, and valid as long.
	// Its only "</event>" is its end, so whoever it is sent to cuts it where it was cut here.
	Raw []byte

	UID  string // event/@uid
	Type string // event/@type, such as a-f-G-U-C
	How  string // event/@how, such as m-g

	Callsign string // event/detail/contact/@callsign, of the first contact
	Endpoint string // event/detail/contact/@endpoint, of the first contact, such as *:-1:stcp; a device's own position has one

	Stale time.Time // event/@stale; zero where absent or not a time; UTC where it names no zone

	// Dests are whom the sender addresses it to, in the order written, as often as written; nil where it names nobody,
	// with a marti element or without. There may be as many as 64 KiB hold, which is some five thousand. Copies of an
	// Event share them, as they do Chat.Members: neither may be changed.
	Dests []Dest
	Marti bool   // there is an event/detail/marti, be it an empty one
	Chat  Chat   // of the first event/detail/__chat or __chatreceipt
	Team  string // event/detail/__group/@name, of the first __group, such as Cyan
	Link  string // event/detail/link/@uid where IsDelete: what is gone
}

// Parse judges a piece, as a [Framer] yields it. Before the event it takes and drops what TAK clients swallow there:
// white space, a byte order mark, XML declarations, comments, processing instructions, <auth> elements. The rest must
// be one event, in well-formed XML 1.0 (fifth edition) with namespaces and in UTF-8, of at most [MaxEvent] bytes and
// [MaxDepth] levels, without a document type or any entity beyond amp, lt, gt, quot and apos, and with names that all
// editions allow. White space, comments and processing instructions may follow.
//
// Clients must have no choice in what an event is about, as some go by local names alone, some take the first element of
// a name, others the last. So there is no further event outside of the detail; one detail and one point at most, both
// directly in the event; in an event that IsDelete one link at most, directly in the detail; and no prefix on any of
// these, nor on what is called uid or type in the start tags of event and link.
//
// The error says at which byte and why, and holds nothing of the piece. The strings of the Event are copies.
func Parse(piece []byte) (e Event, err error) {
	if len(piece) > MaxEvent {
		return Event{}, &refusal{MaxEvent, "longer than 65536 bytes"}
	}
	s := newScanner(piece)
	defer s.release()
	if !s.prolog() {
		return Event{}, s.refused
	}
	start := s.i
	s.want() // only now: what an <auth> element holds is none of the event's
	if !s.rootElement() {
		return Event{}, s.refused
	}
	raw := piece[start:s.i:s.i]
	if !s.epilog() {
		return Event{}, s.refused
	}
	e.Raw = raw
	s.event(&e)
	return e, nil
}

// IsPing tells whether the event is a ping, to be answered with [Pong] and not passed on.
func (e Event) IsPing() bool { return e.Type == typePing }

// IsPosition tells whether the event says where something is: a device itself, or what somebody put on the map.
func (e Event) IsPosition() bool { return strings.HasPrefix(e.Type, prefixPosition) }

// IsDelete tells whether the event takes away what Link names from every map: a device that has gone, a marker that
// somebody has deleted. Some clients take types that only begin so for the same.
func (e Event) IsDelete() bool { return strings.HasPrefix(e.Type, typeGone) }

// IsControl tells whether the event is between one client and its server, and of no concern to others: a pong or a
// message of the protocol negotiation (t-x-takp-…). Pings are told apart by [Event.IsPing].
func (e Event) IsControl() bool {
	return e.Type == typePong || strings.HasPrefix(e.Type, prefixProtocol)
}

// parseTime reads a time of XML Schema (dateTime), which need not name a zone: CoT means UTC then. Anything else is the
// zero time.
func parseTime(b []byte) time.Time {
	var t time.Time
	if t.UnmarshalText(b) == nil {
		return t
	}
	if n := len("2006-01-02T15:04:05"); len(b) < n || len(b) > n+10 {
		return time.Time{}
	}
	if t.UnmarshalText(append(append(make([]byte, 0, 32), b...), 'Z')) == nil {
		return t
	}
	return time.Time{}
}
