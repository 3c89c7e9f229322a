package cot

// The details that have a message of their own in protobuf, in the order in which ATAK writes them.
const (
	contactDetail = iota
	groupDetail
	precisionLocationDetail
	statusDetail
	takvDetail
	trackDetail
	typedDetails // how many there are
)

// typedDetail returns which of the typed details an element of this local name is, typedDetails for none.
func typedDetail(local []byte) int {
	switch string(local) {
	case "contact":
		return contactDetail
	case "__group":
		return groupDetail
	case "precisionlocation":
		return precisionLocationDetail
	case "status":
		return statusDetail
	case "takv":
		return takvDetail
	case "track":
		return trackDetail
	}
	return typedDetails
}

// child is an element directly within <detail>, as far as it has been read: its start tag.
type child struct {
	at    int  // offset of its '<'
	name  name // of the tag
	kind  int  // see typedDetail
	empty bool // nothing more of it follows
}

// child reads on within <detail>, which is the second element that is open, up to and including the next start tag
// directly in it. found is false at the end of the details, or of the piece where that may end here, and where a
// refusal stands.
func (s *scanner) child() (c child, found bool) {
	for s.text() && s.i < len(s.b) {
		at, depth := s.i, s.depth
		if depth == 2 && hasPrefix(s.b[at:], "</") {
			return child{}, false
		}
		opens := s.opens()
		if !s.markup() {
			return child{}, false
		}
		if opens && depth == 2 {
			n := s.open[3].name
			return child{at, n, typedDetail(s.local(n)), s.depth == 2}, true
		}
	}
	return child{}, false
}

// opens tells whether the markup to be read next is a start tag.
func (s *scanner) opens() bool {
	return s.i+1 < len(s.b) && s.b[s.i+1] != '/' && s.b[s.i+1] != '!' && s.b[s.i+1] != '?'
}

// local returns a name without its prefix.
func (s *scanner) local(n name) []byte { return s.b[max(n.start, n.colon+1):n.end] }

// beginInDetail has the scanner begin and end within <detail>, whose tags are not in the piece.
func (s *scanner) beginInDetail() {
	s.depth, s.floor = 2, 2
	s.open[1], s.open[2] = element{}, element{}
}

// inDetail tells whether the second open element is detail, be it one whose start tag is not in the piece.
func (s *scanner) inDetail() bool { return s.floor == 2 || s.called(s.open[2].name, "detail") }

// xmlDetail judges what a message says stands between <detail> and </detail>. It returns a bit for each typed detail of
// whose name there is an element.
func (s *scanner) xmlDetail() (typed uint8, ok bool) {
	s.beginInDetail()
	for {
		c, found := s.child()
		if !found {
			break
		}
		if c.kind < typedDetails {
			typed |= 1 << c.kind
		}
	}
	if s.refused == nil && s.i < len(s.b) {
		s.refuse(s.i, "an end tag does not match its start tag")
	}
	return typed, s.refused == nil
}
