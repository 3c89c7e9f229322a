package cot

import "bytes"

// name is a qualified name, as offsets in the piece; colon is -1 where it has no prefix.
type name struct{ start, colon, end int }

// attribute is one of the start tag being read. plain says that the value reads as it is written.
type attribute struct {
	name       name
	value, end int
	plain      bool
}

// unframed refuses what other clients would glue to whatever comes next.
const unframed = "the event does not end with the literal </event>"

// startTag reads a start tag or an empty-element tag and opens its element.
func (s *scanner) startTag() bool {
	at := s.i
	s.i++
	n, ok := s.qualifiedName("a tag has no proper name")
	if !ok {
		return false
	}
	s.attributes = s.attributes[:0]
	namespaced := n.colon >= 0
	empty := false
	for {
		gap := s.space()
		if s.i == len(s.b) {
			return s.refuse(s.i, "the piece ends within a tag")
		}
		c := s.b[s.i]
		if c == '>' {
			s.i++
			break
		}
		if c == '/' {
			if !hasPrefix(s.b[s.i:], "/>") {
				return s.refuse(s.i, "a / within a tag")
			}
			s.i += 2
			empty = true
			break
		}
		if !gap {
			return s.refuse(s.i, "no white space before an attribute")
		}
		if !s.attribute() {
			return false
		}
		a := &s.attributes[len(s.attributes)-1].name
		namespaced = namespaced || a.colon >= 0 || a.end-a.start == 5 && string(s.b[a.start:a.end]) == "xmlns"
	}
	if s.depth == MaxDepth {
		return s.refuse(at, "elements nest too deep")
	}
	s.depth++
	s.open[s.depth] = element{n, len(s.names.bindings)}
	s.namespaced = namespaced
	if namespaced {
		if !s.declare() || !s.distinctExpanded(n) {
			return false
		}
	} else if !s.distinct() {
		return false
	}
	if s.reads && !s.read(n) {
		return false
	}
	if empty {
		if s.depth == 1 && string(s.b[n.start:n.end]) == "event" {
			return s.refuse(at, unframed)
		}
		s.close()
	}
	return true
}

// endTag reads an end tag and closes the element it belongs to.
func (s *scanner) endTag() bool {
	at := s.i
	open := s.open[s.depth].name
	i := at + len("</")
	n := open.end - open.start
	if len(s.b)-i < n || !bytes.Equal(s.b[i:i+n], s.b[open.start:open.end]) {
		return s.refuse(at, "an end tag does not match its start tag")
	}
	s.i = i + n
	spaced := s.space()
	if s.i == len(s.b) || s.b[s.i] != '>' {
		return s.refuse(at, "an end tag does not match its start tag")
	}
	s.i++
	if string(s.b[open.start:open.end]) == "event" {
		switch {
		case s.depth == 1 && spaced:
			return s.refuse(at, unframed)
		case s.depth > 1 && !spaced:
			return s.refuse(at, "</event> ends an element within the event")
		}
	}
	s.close()
	return true
}

// close closes the innermost element.
func (s *scanner) close() {
	s.names.unbind(s.open[s.depth].bindings)
	s.depth--
}

// qualifiedName reads a name with or without a prefix (Namespaces in XML, 4: QName).
func (s *scanner) qualifiedName(otherwise string) (name, bool) {
	n := name{start: s.i, colon: -1}
	n.end = nameEnd(s.b, s.i)
	if n.end > n.start && n.end < len(s.b) && s.b[n.end] == ':' {
		n.colon = n.end
		n.end = nameEnd(s.b, n.colon+1)
	}
	s.i = n.end
	if n.end == n.start || n.end == n.colon+1 {
		return n, s.refuse(n.end, otherwise)
	}
	return n, true
}

// attribute reads a name, '=' and a quoted value (XML 1.0, 2.3: AttValue).
func (s *scanner) attribute() bool {
	n, ok := s.qualifiedName("an attribute has no proper name")
	if !ok {
		return false
	}
	s.space()
	if s.i == len(s.b) || s.b[s.i] != '=' {
		return s.refuse(s.i, "an attribute without =")
	}
	s.i++
	s.space()
	if s.i == len(s.b) || s.b[s.i] != '"' && s.b[s.i] != '\'' {
		return s.refuse(s.i, "an attribute value is not quoted")
	}
	b, quote := s.b, s.b[s.i]
	i := s.i + 1
	a := attribute{name: n, value: i, plain: true}
	for i < len(b) {
		switch c := b[i]; {
		case class[c]&isValue != 0:
			i++
		case c == quote:
			a.end = i
			s.i = i + 1
			s.attributes = append(s.attributes, a)
			return true
		case c == '"' || c == '\'':
			i++
		case c == '<':
			return s.refuse(i, "< in an attribute value")
		case c == '&':
			_, end, reason := reference(b, i)
			if reason != "" {
				return s.refuse(i, reason)
			}
			i = end
			a.plain = false
		case class[c]&isSpace != 0:
			i++
			a.plain = false
		default:
			size := s.char(i)
			if size == 0 {
				return false
			}
			i += size
		}
	}
	return s.refuse(i, "an attribute value does not end")
}

// value returns an attribute's value as a reader sees it, valid until the scanner is released.
func (s *scanner) value(a attribute) []byte {
	raw := s.b[a.value:a.end]
	if a.plain {
		return raw
	}
	start := len(s.scratch)
	s.scratch = appendValue(s.scratch, raw)
	return s.scratch[start:len(s.scratch):len(s.scratch)]
}

// manyAttributes is the number from which comparing each name with each would let a 64 KiB tag cost a tenth of a second.
const manyAttributes = 32

// distinct tells whether no two attributes of a tag without any prefix have the same name (XML 1.0, 3.1).
func (s *scanner) distinct() bool {
	if len(s.attributes) > manyAttributes {
		return s.distinctExpanded(name{colon: -1})
	}
	// One bit for each name: names are compared only where two share a bit.
	var seen uint64
	for k := range s.attributes {
		n := s.attributes[k].name
		bit := uint64(1) << ((s.b[n.start]*7 + s.b[n.end-1]*3 + uint8(n.end-n.start)) & 63)
		if seen&bit != 0 {
			for _, earlier := range s.attributes[:k] {
				if bytes.Equal(s.b[n.start:n.end], s.b[earlier.name.start:earlier.name.end]) {
					return s.refuse(n.start, "two attributes of a tag have the same name")
				}
			}
		}
		seen |= bit
	}
	return true
}
