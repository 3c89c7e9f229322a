package cot

import (
	"strconv"
	"time"
)

// Types of the negotiation.
const (
	typeSupport  = prefixProtocol + "v"
	typeRequest  = prefixProtocol + "q"
	typeResponse = prefixProtocol + "r"
)

// ProtocolVersion is the version of the TAK protocol that [Message] and [MessageFramer] speak: protobuf. Version 0 is
// XML, with which every session begins.
const ProtocolVersion = 1

// controlLife is how long the events of the negotiation are good for: as long as a client waits for an answer.
const controlLife = 60 * time.Second

// ProtocolSupport returns the event by which a server says, at most once in a session, that it speaks protobuf too:
// type t-x-takp-v, stale 60 s after now. uid tells the negotiation of one session from those of others. It announces no detail extensions, so that no
// client sends any. It returns nil where the event would be longer than [MaxEvent].
func ProtocolSupport(uid string, now time.Time) []byte {
	b := appendHead(make([]byte, 0, 512), uid, typeSupport, now, control)
	b = append(b, `<detail><TakControl><TakProtocolSupport version="`...)
	b = strconv.AppendInt(b, ProtocolVersion, 10)
	return atMostMaxEvent(append(b, `"/></TakControl></detail></event>`...))
}

// ProtocolResponse returns the answer to a request to change the protocol: type t-x-takp-r, stale 60 s after now, with
// the uid of the request, which is that of [ProtocolSupport]. Once a client has read that it is accepted it takes
// frames alone; otherwise XML goes on. It is XML in either case. It returns nil where the event would be longer than
// [MaxEvent].
func ProtocolResponse(uid string, accepted bool, now time.Time) []byte {
	b := appendHead(make([]byte, 0, 512), uid, typeResponse, now, control)
	b = append(b, `<detail><TakControl><TakResponse status="`...)
	b = strconv.AppendBool(b, accepted)
	return atMostMaxEvent(append(b, `"/></TakControl></detail></event>`...))
}

// IsProtocolRequest tells whether the event asks for another protocol, and has to be answered with [ProtocolResponse]:
// a client sends nothing more until it is.
func (e Event) IsProtocolRequest() bool { return e.Type == typeRequest }

// RequestedVersion returns the version of the protocol that a request asks for: detail/TakControl/TakRequest/@version,
// of the first of each. It is -1 where that is no number or not there, and where the event is no request.
func (e Event) RequestedVersion() int {
	if !e.IsProtocolRequest() {
		return -1
	}
	s := newScanner(e.Raw)
	defer s.release()
	if !s.startTag() {
		return -1
	}
	path := [...]string{1: "event", 2: "detail", 3: "TakControl", 4: "TakRequest"}
	met := 1 // how much of the path has been met; the first of a name is the only one that counts
	for s.depth >= met && s.text() {
		opens, depth := s.opens(), s.depth
		if !s.markup() {
			break
		}
		if n := s.open[met+1].name; !opens || depth != met || string(s.b[n.start:n.end]) != path[met+1] {
			continue
		}
		if met++; met == len(path)-1 {
			return s.version()
		}
	}
	return -1
}

// version returns the attribute version of the start tag just read, -1 where it is no number or not there.
func (s *scanner) version() int {
	for _, a := range s.attributes {
		if string(s.b[a.name.start:a.name.end]) != "version" {
			continue
		}
		if v, err := strconv.ParseUint(string(s.value(a)), 10, 16); err == nil {
			return int(v)
		}
	}
	return -1
}
