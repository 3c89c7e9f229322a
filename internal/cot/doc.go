// Package cot takes Cursor-on-Target events out of a byte stream and judges them. It knows no socket and keeps no
// state between events.
//
// Start with [Framer], which cuts a stream into pieces where TAK clients cut it, at the literal "</event>", and go on
// with [Parse], which says of one piece whether it is one well-formed event that may be passed on, and reads out the
// few values that a relay needs. [Pong] and [Gone] make the two events that a server sends of its own accord.
//
// Parse is strict because whatever it lets through is read by every other client: a relay that is more tolerant than
// its strictest reader lets one device break all the others. It follows XML 1.0 (fifth edition) and Namespaces in
// XML 1.0 (third edition), less what has no business on a CoT stream: document types, entities beyond the five,
// encodings other than UTF-8, elements nested deeper than [MaxDepth], names that earlier editions do not allow.
//
// The files: framer.go and buffer.go cut; event.go is what callers see of an event; prolog.go, scanner.go, tag.go,
// namespace.go, names.go, reference.go and chars.go judge; notice.go writes.
package cot
