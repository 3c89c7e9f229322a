package cot

import (
	"fmt"
	"hash/maphash"
	"sync"
	"unicode/utf8"
)

// MaxDepth is how deep the elements of an event may nest, the event itself being the first. Real events need about ten;
// a reader that recurses must not be led further down than this by one that does not.
const MaxDepth = 64

// refusal is why a piece is not passed on. Its text holds nothing of the piece, so it may go to a log as it stands.
type refusal struct {
	at     int // offset in the piece
	reason string
}

func (r *refusal) Error() string { return fmt.Sprintf("event refused at byte %d: %s", r.at, r.reason) }

// element is an open element.
type element struct {
	name     name
	bindings int // namespace bindings in force outside it
}

// scanner goes over a piece once, from left to right. Its methods return false once a refusal stands. It is kept in a
// pool with the slices it grew, so that judging an ordinary event allocates nothing.
type scanner struct {
	b       []byte
	i       int
	refused *refusal

	depth      int
	floor      int                   // the depth at which the piece may end in text
	open       [MaxDepth + 1]element // open[1] is the root
	attributes []attribute
	namespaced bool // a prefix or xmlns stands in the start tag just read
	expanded   table
	names      namespaces

	reads   bool // whether what is wanted is read out
	wanted  wanted
	scratch []byte
	detail  []byte // a copy of what xmlDetail judges
}

var scanners = sync.Pool{New: func() any {
	seed := maphash.MakeSeed()
	s := &scanner{expanded: table{seed: seed}}
	s.names.prefixes.seed, s.names.uris.seed = seed, seed
	return s
}}

func newScanner(piece []byte) *scanner {
	s := scanners.Get().(*scanner)
	s.b, s.i, s.refused, s.depth, s.floor, s.reads, s.scratch = piece, 0, nil, 0, 0, false, s.scratch[:0]
	return s
}

// release puts the scanner back, without any hold on the piece, unless a hostile piece has blown it up.
func (s *scanner) release() {
	const enough = 256
	if cap(s.attributes) > enough || cap(s.names.prefixes.keys) > enough || cap(s.names.uris.keys) > enough ||
		cap(s.names.bindings) > enough || cap(s.scratch) > 16*enough ||
		cap(s.detail) > 64*enough || cap(s.wanted.dests) > enough || cap(s.wanted.members) > enough {
		return
	}
	s.b, s.refused = nil, nil
	s.expanded.forget()
	s.names.forget()
	scanners.Put(s)
}

func (s *scanner) refuse(at int, reason string) bool {
	s.refused = &refusal{at, reason}
	return false
}

// rootElement reads one whole element, from its '<' to its end.
func (s *scanner) rootElement() bool {
	if !s.startTag() {
		return false
	}
	for s.depth > 0 {
		if !s.text() || !s.markup() {
			return false
		}
	}
	return true
}

// text reads on to the next '<', or to the end where the piece may end.
func (s *scanner) text() bool {
	b, i := s.b, s.i
	for i < len(b) {
		switch c := b[i]; {
		case class[c]&isText != 0:
			i++
		case c == '<':
			s.i = i
			return true
		case c == ']':
			if hasPrefix(b[i:], "]]>") {
				return s.refuse(i, "]]> outside a CDATA section")
			}
			i++
		case c == '&':
			_, end, reason := reference(b, i)
			if reason != "" {
				return s.refuse(i, reason)
			}
			i = end
		default:
			n := s.char(i)
			if n == 0 {
				return false
			}
			i += n
		}
	}
	s.i = i
	return s.depth == s.floor || s.refuse(i, "the piece ends within an element")
}

// char returns the length of the character at i, which is beyond ASCII or illegal; 0 when it is refused.
func (s *scanner) char(i int) int {
	if s.b[i] < utf8.RuneSelf {
		s.refuse(i, "an illegal control character")
		return 0
	}
	n := charLen(s.b[i:])
	if n == 0 {
		s.refuse(i, "not UTF-8, or an illegal character")
	}
	return n
}

// markup reads whatever begins with '<' within an element.
func (s *scanner) markup() bool {
	if s.opens() {
		return s.startTag()
	}
	rest := s.b[s.i:]
	switch {
	case hasPrefix(rest, "</"):
		return s.endTag()
	case hasPrefix(rest, "<?"):
		return s.instruction()
	case hasPrefix(rest, "<!--"):
		return s.comment()
	case hasPrefix(rest, "<![CDATA["):
		s.i += len("<![CDATA[")
		return s.until("]]>", "a CDATA section does not end")
	case hasPrefix(rest, "<!"):
		return s.refuse(s.i, "<! begins neither a comment nor a CDATA section")
	}
	return s.startTag()
}

// comment reads a comment (XML 1.0, 2.5).
func (s *scanner) comment() bool {
	s.i += len("<!--")
	if !s.until("--", "a comment does not end") {
		return false
	}
	if s.i == len(s.b) || s.b[s.i] != '>' {
		return s.refuse(s.i-2, "-- within a comment")
	}
	s.i++
	return true
}

// instruction reads a processing instruction (XML 1.0, 2.6; its target has no colon: Namespaces in XML, 7).
func (s *scanner) instruction() bool {
	start := s.i + len("<?")
	end := nameEnd(s.b, start)
	if end == start {
		return s.refuse(start, "a processing instruction has no name")
	}
	if target := s.b[start:end]; len(target) == 3 && target[0]|0x20 == 'x' && target[1]|0x20 == 'm' && target[2]|0x20 == 'l' {
		return s.refuse(start, "a processing instruction may not be called xml")
	}
	s.i = end
	if end < len(s.b) && class[s.b[end]]&isSpace == 0 && !hasPrefix(s.b[end:], "?>") {
		return s.refuse(end, "a processing instruction has a bad name")
	}
	return s.until("?>", "a processing instruction does not end")
}

// until reads legal characters up to and including the end mark.
func (s *scanner) until(mark, unended string) bool {
	b, i := s.b, s.i
	for i < len(b) {
		switch c := b[i]; {
		case c == mark[0] && hasPrefix(b[i:], mark):
			s.i = i + len(mark)
			return true
		case c == '<' && hasPrefix(b[i:], endOfEvent):
			// A framed piece cannot hold it here; others would cut there, and take the rest for another event.
			return s.refuse(i, "</event> within a comment, CDATA section or processing instruction")
		case class[c]&isChar != 0:
			i++
		default:
			n := s.char(i)
			if n == 0 {
				return false
			}
			i += n
		}
	}
	return s.refuse(i, unended)
}

// space skips white space and tells whether there was any.
func (s *scanner) space() bool {
	i := s.i
	for i < len(s.b) && class[s.b[i]]&isSpace != 0 {
		i++
	}
	skipped := i > s.i
	s.i = i
	return skipped
}
