// Package cot takes Cursor-on-Target events out of a byte stream and judges them, in XML and in protobuf, and turns the
// one into the other. It knows no socket and keeps no state between events.
//
// Start with [Framer], which cuts a stream into pieces where TAK clients cut it, at the literal "</event>", and go on
// with [Parse], which says of one piece whether it is one well-formed event that may be passed on, and reads out the
// few values that a relay needs. [Pong] and [Gone] make the two events that a server sends of its own accord.
//
// Whom an event is for, [Event] says in Dests and in Chat, as its sender does; who is sent it, the caller decides.
// [Event.WithoutMarti] and [Message.WithoutMarti] make of it what the others get, who need not know of each other.
//
// Once a client has changed to TAK protocol version 1, by [ProtocolSupport], [Event.RequestedVersion] and
// [ProtocolResponse], [MessageFramer] takes the place of Framer, and [ParseMessage] that of Parse. What came in the one
// form goes out in the other by [Event.AppendFrame] and [Message.AppendXML], which say what they do not carry over.
//
// Parse is strict because whatever it lets through is read by every other client: a relay that is more tolerant than
// its strictest reader lets one device break all the others. It follows XML 1.0 (fifth edition) and Namespaces in
// XML 1.0 (third edition), less what has no business on a CoT stream: document types, entities beyond the five,
// encodings other than UTF-8, elements nested deeper than [MaxDepth], names that earlier editions do not allow, and less
// what clients would understand differently: an event that is about one device to the relay and about another to some
// client would get past every check of who says it.
// ParseMessage lets through what Parse would let through in XML, and no more.
//
// The files: framer.go, messageframer.go and buffer.go cut; event.go and message.go are what callers see of an event;
// prolog.go, scanner.go, tag.go, namespace.go, names.go, reference.go, chars.go and detail.go judge; wanted.go, read.go,
// dest.go and chat.go read out; withoutmarti.go takes out; toprotobuf.go, attributes.go, xmldetail.go, toxml.go, number.go
// and fuses.go convert; notice.go and control.go write. The messages themselves are in package takproto.
package cot
