package endpoint

import "time"

// maxStrikes malformed pieces within strikeWindow are too many.
const (
	maxStrikes   = 10
	strikeWindow = time.Minute
)

// strikes remembers when a peer sent what was malformed.
type strikes struct{ at []time.Time }

// add notes one more and reports whether it is one too many.
func (s *strikes) add(now time.Time) bool {
	recent := s.at[:0]
	for _, t := range s.at {
		if now.Sub(t) < strikeWindow {
			recent = append(recent, t)
		}
	}
	s.at = append(recent, now)
	return len(s.at) >= maxStrikes
}
