package endpoint

import (
	"log/slog"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

// speaksFor tells whether an event is to be passed on as far as it is about whom: a position under a uid that another name
// has claimed as its own is not. A gateway speaks for many, and claims none of them.
func (s *session) speaksFor(e cot.Event) bool {
	c := &s.endpoint.config
	if c.Bind == BindOff || e.UID == "" || !e.IsPosition() {
		return true
	}
	now := time.Now()
	holder := s.endpoint.bound.claim(e.UID, s.peer.Name, e.Endpoint != "", now)
	if holder == "" || holder == s.peer.Name {
		return true
	}
	s.endpoint.counters.dropped.add(Impostor)
	// A device that does so does it every few seconds.
	if s.told.impostor.due(now) {
		s.endpoint.log.Warn("position under a uid of another name", s.who(), slog.String("uid", e.UID), slog.String("holder", holder),
			slog.Bool("passed_on", c.Bind == BindWarn))
	}
	if c.Bind == BindWarn {
		return true
	}
	s.dropped.Add(1)
	return false
}
