package cot

import "slices"

// TAK clients do not read events alike. Most go by local names, whatever the prefix. ATAK begins anew with every event
// that stands outside of the details, and takes the first detail and the last point wherever they stand. Others take the
// first element of a name, or the last. Whoever judges whom an event is about by what is read here must have read what all
// of them read, so one that they would understand differently in that is refused, although it is well-formed. What else is
// read decides only where the sender's own words go: there the first one without a prefix counts, and nothing is refused
// that some device may write.

// Elements that have been met.
const (
	metDetail = 1 << iota
	metPoint
	metContact
	metGroup
	metLink
	metChat
	metChatGroup
	metMarti
)

const prefixed = "a prefix on a name that clients read without it"

// read keeps what is wanted of the start tag just read. It returns false where clients would read it differently.
func (s *scanner) read(tag name) bool {
	w := &s.wanted
	switch {
	case s.depth == 1:
		s.readEvent()
	case s.depth == 2 || !w.inDetail:
		w.inDetail = false
		s.readOutside(tag)
	case s.depth == 3:
		s.readDetail(tag)
	default:
		if s.depth == 4 && w.met&(metMarti|metChat) != 0 {
			s.readDeeper(tag)
		}
		if w.gone {
			s.noLink(tag)
		}
	}
	return s.refused == nil
}

// called tells whether a name, with its prefix, is this.
func (s *scanner) called(n name, this string) bool { return string(s.b[n.start:n.end]) == this }

func (s *scanner) readEvent() {
	w := &s.wanted
	for k := range s.attributes {
		a := &s.attributes[k]
		switch string(s.b[a.name.start:a.name.end]) {
		case "uid":
			w.uid = a.asValue()
		case "type":
			w.kind = a.asValue()
			w.gone = hasPrefix(s.value(*a), typeGone)
		case "how":
			w.how = a.asValue()
		case "stale":
			w.stale = a.asValue()
		}
	}
	s.unprefixed("uid", "type")
}

// readOutside reads an element that does not stand in the detail of the event, or is that detail.
func (s *scanner) readOutside(tag name) {
	w := &s.wanted
	switch string(s.local(tag)) {
	case "event":
		s.refuse(tag.start, "an event within the event, outside of its detail")
	case "detail":
		if s.depth != 2 {
			s.refuse(tag.start, "a detail that is not directly in the event")
			return
		}
		w.inDetail = s.only(tag, metDetail, "a second detail")
	case "point":
		if s.depth != 2 {
			s.refuse(tag.start, "a point that is not directly in the event")
			return
		}
		s.only(tag, metPoint, "a second point")
	default:
		if w.gone {
			s.noLink(tag)
		}
	}
}

// readDetail reads an element that stands directly in the detail.
func (s *scanner) readDetail(tag name) {
	w := &s.wanted
	switch string(s.local(tag)) {
	case "link":
		// Other events than deletes have several: the points of a route, who has made a marker.
		if w.gone && s.only(tag, metLink, "a second link in an event that deletes") {
			w.link = s.find("uid")
			s.unprefixed("uid")
		}
	case "contact":
		if tag.colon < 0 && s.first(metContact) {
			w.callsign, w.endpoint = s.find("callsign"), s.find("endpoint")
		}
	case "__group":
		if tag.colon < 0 && s.first(metGroup) {
			w.team = s.find("name")
		}
	case "__chat", "__chatreceipt":
		if tag.colon < 0 && s.first(metChat) {
			s.readChat(tag)
		}
	case "marti":
		if tag.colon < 0 {
			w.met |= metMarti
		}
	}
}

// readDeeper reads an element that stands in one that stands directly in the detail.
func (s *scanner) readDeeper(tag name) {
	w := &s.wanted
	switch string(s.local(tag)) {
	case "dest":
		if s.called(s.open[3].name, "marti") && tag.colon < 0 {
			s.readDest()
		}
	case "chatgrp":
		if w.met&metChat != 0 && s.open[3].name.start == w.chatTag && tag.colon < 0 && s.first(metChatGroup) {
			s.readMembers()
		}
	}
}

// noLink refuses a link that says what is deleted to some readers only.
func (s *scanner) noLink(tag name) {
	if string(s.local(tag)) == "link" {
		s.refuse(tag.start, "a link that is not directly in the detail, in an event that deletes")
	}
}

// bare refuses a name that has a prefix.
func (s *scanner) bare(n name) bool { return n.colon < 0 || s.refuse(n.start, prefixed) }

// only notes that the element of a kind has been met, and refuses one that has a prefix or is a second one.
func (s *scanner) only(tag name, kind uint8, second string) bool {
	return s.bare(tag) && (s.first(kind) || s.refuse(tag.start, second))
}

// first notes that an element of a kind has been met, and tells whether it is the first.
func (s *scanner) first(kind uint8) bool {
	first := s.wanted.met&kind == 0
	s.wanted.met |= kind
	return first
}

// unprefixed refuses attributes of the start tag just read that have one of these names behind a prefix.
func (s *scanner) unprefixed(these ...string) {
	if !s.namespaced {
		return
	}
	for k := range s.attributes {
		if n := s.attributes[k].name; n.colon >= 0 && slices.Contains(these, string(s.local(n))) {
			s.refuse(n.start, prefixed)
			return
		}
	}
}

// find returns the value of the attribute of this name of the start tag just read, empty where there is none.
func (s *scanner) find(this string) value {
	for k := range s.attributes {
		if a := &s.attributes[k]; s.called(a.name, this) {
			return a.asValue()
		}
	}
	return value{}
}
