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
}

// Parse judges a piece, as a [Framer] yields it. Before the event it takes and drops what TAK clients swallow there:
// white space, a byte order mark, XML declarations, comments, processing instructions, <auth> elements. The rest must
// be one event, in well-formed XML 1.0 (fifth edition) with namespaces and in UTF-8, of at most [MaxEvent] bytes and
// [MaxDepth] levels, without a document type or any entity beyond amp, lt, gt, quot and apos, and with names that all
// editions allow. White space, comments and processing instructions may follow.
//
// The error says at which byte and why, and holds nothing of the piece. The strings of the Event are copies.
func Parse(piece []byte) (Event, error) {
	if len(piece) > MaxEvent {
		return Event{}, &refusal{MaxEvent, "longer than 65536 bytes"}
	}
	s := newScanner(piece)
	defer s.release()
	if !s.prolog() {
		return Event{}, s.refused
	}
	start := s.i
	s.wanted = wanted{} // what an <auth> element holds is none of the event's
	if !s.rootElement() {
		return Event{}, s.refused
	}
	raw := piece[start:s.i:s.i]
	if !s.epilog() {
		return Event{}, s.refused
	}
	return s.event(raw), nil
}

// IsPing tells whether the event is a ping, to be answered with [Pong] and not passed on.
func (e Event) IsPing() bool { return e.Type == typePing }

// IsPosition tells whether the event says where something is: a device itself, or what somebody put on the map.
func (e Event) IsPosition() bool { return strings.HasPrefix(e.Type, prefixPosition) }

// IsControl tells whether the event is between one client and its server, and of no concern to others: a pong or a
// message of the protocol negotiation (t-x-takp-…). Pings are told apart by [Event.IsPing].
func (e Event) IsControl() bool {
	return e.Type == typePong || strings.HasPrefix(e.Type, prefixProtocol)
}

// wanted holds the attributes to be read out, by what they become; one never met has no value.
type wanted struct {
	uid, kind, how, stale attribute
	callsign, endpoint    attribute
	contact               bool // the first contact has been met
}

// read keeps the attributes that are wanted of the start tag just read. Names with a prefix are not those of CoT.
func (s *scanner) read(tag name) {
	w := &s.wanted
	switch s.depth {
	case 1:
		for _, a := range s.attributes {
			switch string(s.b[a.name.start:a.name.end]) {
			case "uid":
				w.uid = a
			case "type":
				w.kind = a
			case "how":
				w.how = a
			case "stale":
				w.stale = a
			}
		}
	case 3:
		parent := s.open[2].name
		if string(s.b[tag.start:tag.end]) == "contact" && string(s.b[parent.start:parent.end]) == "detail" {
			s.readContact()
		}
	}
}

// readContact keeps what is wanted of the start tag just read, that of a contact, unless there was one before.
func (s *scanner) readContact() {
	w := &s.wanted
	if w.contact {
		return
	}
	w.contact = true
	for _, a := range s.attributes {
		switch string(s.b[a.name.start:a.name.end]) {
		case "callsign":
			w.callsign = a
		case "endpoint":
			w.endpoint = a
		}
	}
}

// event makes the Event of what was read, with one allocation for all its strings.
func (s *scanner) event(raw []byte) Event {
	e := Event{Raw: raw}
	w := &s.wanted
	e.Stale = parseTime(s.value(w.stale))
	var ends [5]int
	all := s.scratch[:0]
	for k, a := range [...]*attribute{&w.uid, &w.kind, &w.how, &w.callsign, &w.endpoint} {
		if a.plain {
			all = append(all, s.b[a.value:a.end]...)
		} else {
			all = appendValue(all, s.b[a.value:a.end])
		}
		ends[k] = len(all)
	}
	s.scratch = all
	text := string(all)
	e.UID = text[:ends[0]]
	e.Type = text[ends[0]:ends[1]]
	e.How = text[ends[1]:ends[2]]
	e.Callsign = text[ends[2]:ends[3]]
	e.Endpoint = text[ends[3]:]
	return e
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
