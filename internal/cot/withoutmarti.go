package cot

// WithoutMarti returns the event without the marti elements directly in its detail, and so without Dests. The rest of
// Raw is byte for byte the same, in new memory; only where the text before such an element and that behind it would
// read otherwise as one, an empty comment takes its place. An event without any is returned as it is.
//
// Raw must still be what it was when [Parse] returned it. It may be nil, as in a [Message], and is nil in the result
// where it is found to be no event.
func (e Event) WithoutMarti() Event {
	if !e.Marti {
		return e
	}
	e.Marti, e.Dests = false, nil
	if e.Raw != nil {
		s := newScanner(e.Raw)
		defer s.release()
		e.Raw = s.withoutMarti()
	}
	return e
}

// WithoutMarti returns the message without the marti elements directly in xmlDetail, as [Event.WithoutMarti] takes them
// out. The frame is new; fields that the schema does not know are kept, but may stand elsewhere in it. A message without
// any such element is returned as it is.
//
// Frame must still be what it was when [ParseMessage] returned it; the only error is that it is not.
func (m Message) WithoutMarti() (Message, error) {
	if !m.Event.Marti {
		return m, nil
	}
	// Others may be reading the event that there is, so it must not be changed.
	tak, _, err := unmarshal(m.Frame)
	if err != nil {
		return Message{}, err
	}
	detail := tak.GetCotEvent().GetDetail()
	if detail == nil {
		return Message{}, refusedMessage("not the frame that it was")
	}
	s := newScanner([]byte(detail.XmlDetail))
	defer s.release()
	s.beginInDetail()
	rest := s.withoutMarti()
	if rest == nil {
		return Message{}, refusedMessage("not the frame that it was")
	}
	detail.XmlDetail = string(rest)
	m.Event, m.event = m.Event.WithoutMarti(), tak.CotEvent
	if m.Frame, err = appendFrame(nil, tak); err != nil {
		return Message{}, err
	}
	return m, nil
}

// withoutMarti returns a copy of what the scanner is at the beginning of, an event or details, without the marti elements
// directly in the details. It is nil where that is not well-formed.
func (s *scanner) withoutMarti() []byte {
	rest := make([]byte, 0, len(s.b))
	from := 0
	for s.text() && s.i < len(s.b) {
		start, opens, depth := s.i, s.opens(), s.depth
		if depth == s.floor && hasPrefix(s.b[start:], "</") || !s.markup() {
			return nil
		}
		if !opens || depth != 2 || !s.inDetail() || !s.called(s.open[3].name, "marti") {
			continue
		}
		for s.depth > 2 {
			if !s.text() || !s.markup() {
				return nil
			}
		}
		rest = append(rest, s.b[from:start]...)
		from = s.i
		if len(rest) > 0 && from < len(s.b) && fuses(rest[len(rest)-1], s.b[from]) {
			rest = append(rest, "<!---->"...)
		}
	}
	if s.refused != nil {
		return nil
	}
	return append(rest, s.b[from:]...)
}
