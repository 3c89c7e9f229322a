package cot

// Elements that have been met in the details.
const (
	metContact = 1 << iota
	metGroup
	metLink
	metChat
	metChatGroup
	metMarti
)

// deepestRead is the depth of the deepest elements of which anything is wanted.
const deepestRead = 4

// read keeps what is wanted of the start tag just read. Names with a prefix are not those of CoT.
func (s *scanner) read(tag name) {
	switch s.depth {
	case 1:
		s.readEvent()
	case 3:
		s.readDetail(tag)
	case 4:
		if s.wanted.met&(metMarti|metChat) != 0 {
			s.readDeeper(tag)
		}
	}
}

// inDetail tells whether the second open element is detail, be it one whose start tag is not in the piece.
func (s *scanner) inDetail() bool { return s.floor == 2 || s.called(s.open[2].name, "detail") }

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
		case "how":
			w.how = a.asValue()
		case "stale":
			w.stale = a.asValue()
		}
	}
}

// readDetail reads an element that may stand directly in detail.
func (s *scanner) readDetail(tag name) {
	w := &s.wanted
	switch string(s.b[tag.start:tag.end]) {
	case "contact":
		if s.first(metContact) {
			w.callsign, w.endpoint = s.find("callsign"), s.find("endpoint")
		}
	case "__group":
		if s.first(metGroup) {
			w.team = s.find("name")
		}
	case "link":
		if s.first(metLink) {
			w.link = s.find("uid")
		}
	case "__chat", "__chatreceipt":
		if s.first(metChat) {
			s.readChat(tag)
		}
	case "marti":
		s.first(metMarti)
	}
}

// readDeeper reads an element that may stand in one that stands directly in detail.
func (s *scanner) readDeeper(tag name) {
	w := &s.wanted
	switch string(s.b[tag.start:tag.end]) {
	case "dest":
		if s.inDetail() && s.called(s.open[3].name, "marti") {
			s.readDest()
		}
	case "chatgrp":
		if w.met&metChat != 0 && s.open[3].name.start == w.chatTag && s.first(metChatGroup) {
			s.readMembers()
		}
	}
}

// first notes that an element of a kind has been met, if it is within detail, and tells whether it is the first.
func (s *scanner) first(kind uint8) bool {
	if s.wanted.met&kind != 0 || !s.inDetail() {
		return false
	}
	s.wanted.met |= kind
	return true
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
