package cot

// Dest is one addressee that the sender of an event names: an attribute of event/detail/marti/dest. TAK servers send
// an event with any to them alone; ATAK writes them for what its user sends to certain contacts.
type Dest struct {
	Kind  DestKind
	Value string // never empty; the sender's own word, which may name nobody
}

// DestKind says what the value of a [Dest] is. The zero value is that of no Dest that was read.
type DestKind uint8

// The kinds of [Dest].
const (
	DestCallsign DestKind = iota + 1 // @callsign: of a contact, which several may have
	DestUID                          // @uid: of a contact
	DestGroup                        // @group: of all in a group of the server's
	DestMission                      // @mission: the name of a mission, or @mission-guid: its identifier
)

// wantedDest is a Dest to be.
type wantedDest struct {
	kind  DestKind
	value value
}

// readDest reads the start tag just read, that of a dest.
func (s *scanner) readDest() {
	for k := range s.attributes {
		a := &s.attributes[k]
		var kind DestKind
		switch string(s.b[a.name.start:a.name.end]) {
		case "callsign":
			kind = DestCallsign
		case "uid":
			kind = DestUID
		case "group":
			kind = DestGroup
		case "mission", "mission-guid":
			kind = DestMission
		default:
			continue
		}
		if a.value < a.end {
			s.wanted.dests = append(s.wanted.dests, wantedDest{kind, a.asValue()})
		}
	}
}

// destsIn returns the dests that were read, from the text that they have been gathered into.
func (w *wanted) destsIn(text string) []Dest {
	if len(w.dests) == 0 {
		return nil
	}
	dests := make([]Dest, len(w.dests))
	for k := range w.dests {
		dests[k] = Dest{w.dests[k].kind, w.dests[k].value.in(text)}
	}
	return dests
}
