package endpoint

import (
	"log/slog"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

// speaksFor tells whether an event is to be passed on as far as it is about whom: a position under a uid that another name
// has claimed as its own is not, nor is that it were gone. A gateway speaks for many, and claims none of them.
func (s *session) speaksFor(e cot.Event) bool {
	c := &s.endpoint.config
	uid := e.UID
	switch {
	case e.IsDelete():
		uid = e.Link
	case !e.IsPosition():
		return true
	}
	if c.Bind == BindOff || uid == "" {
		return true
	}
	now := time.Now()
	holder := s.endpoint.bound.claim(uid, s.peer.Name, e.IsPosition() && e.Endpoint != "", now)
	if holder == "" || holder == s.peer.Name {
		return true
	}
	s.endpoint.counters.dropped.add(Impostor)
	// A device that does so does it every few seconds.
	if s.told.impostor.due(now) {
		s.endpoint.log.Warn("position under a uid of another name", s.who(), slog.String("uid", uid), slog.String("holder", holder), slog.String("type", e.Type),
			slog.Bool("passed_on", c.Bind == BindWarn))
	}
	if c.Bind == BindWarn {
		return true
	}
	s.dropped.Add(1)
	return false
}
