package cot

// wanted holds what is read out of an event, by what it becomes. The slices serve one event after the other.
type wanted struct {
	uid, kind, how, stale value // empty where there was none
	gone                  bool  // the event says that something is gone
	inDetail              bool  // what is read stands in the detail of the event

	// What follows counts only where its element has been met.
	met                uint8 // bits, from metDetail on
	callsign, endpoint value
	team, link         value
	room, chat, parent value
	chatTag            int // offset of the name of the chat that counts
	members            []member
	dests              []wantedDest
}

// value is that of an attribute: where it is written in the piece, and then, once gathered, where it is among all of
// them. It is small because every event has a new set of them.
type value struct {
	start, end int32
	plain      bool // it reads as it is written
}

func (a *attribute) asValue() value { return value{int32(a.value), int32(a.end), a.plain} }

// want has what is wanted read out of the start tags that follow.
func (s *scanner) want() {
	s.reads = true
	w := &s.wanted
	w.uid, w.kind, w.how, w.stale = value{}, value{}, value{}, value{}
	w.gone, w.inDetail, w.met, w.members, w.dests = false, false, 0, w.members[:0], w.dests[:0]
}

// event sets what was read of an event, with one allocation for all its strings.
func (s *scanner) event(e *Event) {
	w := &s.wanted
	e.Stale = parseTime(s.gather(s.scratch[:0], &w.stale))
	all := s.gather(s.scratch[:0], &w.uid)
	all = s.gather(all, &w.kind)
	all = s.gather(all, &w.how)
	all = s.gatherDetails(all)
	s.scratch = all
	text := string(all)
	e.UID, e.Type, e.How = w.uid.in(text), w.kind.in(text), w.how.in(text)
	w.details(e, text)
}

// gatherDetails appends what was read of the details.
func (s *scanner) gatherDetails(all []byte) []byte {
	w := &s.wanted
	if w.met&metContact != 0 {
		all = s.gather(all, &w.callsign)
		all = s.gather(all, &w.endpoint)
	}
	if w.met&metGroup != 0 {
		all = s.gather(all, &w.team)
	}
	if w.met&metLink != 0 {
		all = s.gather(all, &w.link)
	}
	if w.met&metChat != 0 {
		all = s.gatherChat(all)
	}
	for k := range w.dests {
		all = s.gather(all, &w.dests[k].value)
	}
	return all
}

// details sets what was read of the details, which has been gathered into a text.
func (w *wanted) details(e *Event, text string) {
	if w.met&metContact != 0 {
		e.Callsign, e.Endpoint = w.callsign.in(text), w.endpoint.in(text)
	}
	if w.met&metGroup != 0 {
		e.Team = w.team.in(text)
	}
	if w.met&metLink != 0 {
		e.Link = w.link.in(text)
	}
	if w.met&metChat != 0 {
		e.Chat = w.chatIn(text)
	}
	if w.met&metMarti != 0 {
		e.Marti, e.Dests = true, w.destsIn(text)
	}
}

// gather appends a value as a reader sees it, and notes where it then is.
func (s *scanner) gather(all []byte, v *value) []byte {
	start := int32(len(all))
	if v.plain {
		all = append(all, s.b[v.start:v.end]...)
	} else if v.start < v.end {
		all = appendValue(all, s.b[v.start:v.end])
	}
	v.start, v.end = start, int32(len(all))
	return all
}

// in returns a value from the text that it has been gathered into.
func (v *value) in(text string) string { return text[v.start:v.end] }
