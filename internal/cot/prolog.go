package cot

const byteOrderMark = "\xEF\xBB\xBF"

// prolog reads what may stand on the stream before an event, and stops at the '<' of "<event": white space, a byte
// order mark, XML declarations, comments, processing instructions, and <auth> elements, which some clients open with.
// In one document a declaration may stand only at the very start; on a stream it comes after whatever came before.
func (s *scanner) prolog() bool {
	for {
		s.space()
		rest := s.b[s.i:]
		switch {
		case len(rest) == 0:
			return s.refuse(s.i, "there is no event")
		case hasPrefix(rest, byteOrderMark):
			s.i += len(byteOrderMark)
		case hasPrefix(rest, "<?xml") && len(rest) > 5 && class[rest[5]]&isSpace != 0:
			if !s.declaration() {
				return false
			}
		case hasPrefix(rest, "<!DOCTYPE"):
			return s.refuse(s.i, "document types are not allowed")
		case hasPrefix(rest, "<?"), hasPrefix(rest, "<!--"):
			if !s.aside() {
				return false
			}
		case !hasPrefix(rest, "<"):
			return s.refuse(s.i, "text outside an event")
		default:
			switch start := s.i + 1; string(s.b[start:qualifiedEnd(s.b, start)]) {
			case "event":
				return true
			case "auth":
				if !s.rootElement() {
					return false
				}
			default:
				return s.refuse(s.i, "the outermost element is not an event")
			}
		}
	}
}

// epilog reads what may stand after an event: white space, comments, processing instructions (XML 1.0, 2.8: Misc).
func (s *scanner) epilog() bool {
	for s.space(); s.i < len(s.b); s.space() {
		if rest := s.b[s.i:]; !hasPrefix(rest, "<?") && !hasPrefix(rest, "<!--") {
			return s.refuse(s.i, "there is more after the event")
		}
		if !s.aside() {
			return false
		}
	}
	return true
}

// aside reads a comment or a processing instruction.
func (s *scanner) aside() bool {
	if s.b[s.i+1] == '?' {
		return s.instruction()
	}
	return s.comment()
}

// declaration reads an XML declaration (XML 1.0, 2.8 and 4.3.3). Any version 1.x will do, as the standard has it.
func (s *scanner) declaration() bool {
	at := s.i
	s.i += len("<?xml")
	version, ok := s.pseudoAttribute("version")
	if !ok || len(version) < 3 || !hasPrefix(version, "1.") {
		return s.refuse(at, "an XML declaration without version 1.x")
	}
	for _, c := range version[2:] {
		if c < '0' || c > '9' {
			return s.refuse(at, "an XML declaration without version 1.x")
		}
	}
	if encoding, ok := s.pseudoAttribute("encoding"); ok && !isUTF8(encoding) {
		return s.refuse(at, "an encoding other than UTF-8")
	}
	if standalone, ok := s.pseudoAttribute("standalone"); ok && string(standalone) != "yes" && string(standalone) != "no" {
		return s.refuse(at, "an XML declaration that is malformed")
	}
	s.space()
	if !hasPrefix(s.b[s.i:], "?>") {
		return s.refuse(at, "an XML declaration that is malformed")
	}
	s.i += 2
	return true
}

// pseudoAttribute reads white space, the key, '=' and a quoted value; where that does not stand next, it reads nothing.
func (s *scanner) pseudoAttribute(key string) (value []byte, ok bool) {
	before := s.i
	if !s.space() || !hasPrefix(s.b[s.i:], key) {
		s.i = before
		return nil, false
	}
	s.i += len(key)
	s.space()
	if !hasPrefix(s.b[s.i:], "=") {
		s.i = before
		return nil, false
	}
	s.i++
	s.space()
	if !hasPrefix(s.b[s.i:], `"`) && !hasPrefix(s.b[s.i:], "'") {
		s.i = before
		return nil, false
	}
	for i := s.i + 1; i < len(s.b); i++ {
		if s.b[i] == s.b[s.i] {
			value = s.b[s.i+1 : i]
			s.i = i + 1
			return value, true
		}
	}
	s.i = before
	return nil, false
}

// isUTF8 compares as encoding names are compared, ignoring case (XML 1.0, 4.3.3).
func isUTF8(encoding []byte) bool {
	return len(encoding) == 5 && encoding[0]|0x20 == 'u' && encoding[1]|0x20 == 't' && encoding[2]|0x20 == 'f' &&
		string(encoding[3:]) == "-8"
}

// qualifiedEnd returns where the name that begins at i ends, its prefix included.
func qualifiedEnd(b []byte, i int) int {
	i = nameEnd(b, i)
	if i < len(b) && b[i] == ':' {
		return nameEnd(b, i+1)
	}
	return i
}
