package endpoint

import (
	"log/slog"
	"net/netip"
	"sync"
)

// maxTurned is how many sources have lines of their own in the log; the rest is told together.
const maxTurned = 64

// turned counts the connections that are closed before any TLS work. The log is told of the first one from a source at
// once, and then of how many there were, each minute: who is turned away must not fill the log.
type turned struct {
	log   *slog.Logger
	total tally

	mu    sync.Mutex
	since map[refusal]int // the log was told; there is an entry while it goes on
}

// A refusal is a source and why it is turned away. Of the rest, the source is not valid.
type refusal struct {
	cause Cause
	from  netip.Prefix
}

func (t *turned) add(c Cause, from netip.Prefix) {
	t.total.add(c)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.since == nil {
		t.since = make(map[refusal]int)
	}
	r := refusal{c, from}
	_, known := t.since[r]
	if !known && len(t.since) >= maxTurned {
		r.from = netip.Prefix{}
		_, known = t.since[r]
	}
	if !known {
		t.log.Warn("turning connections away", r.attrs())
		t.since[r] = 0
	}
	t.since[r]++
}

// tell logs what has been counted since the last time.
func (t *turned) tell() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for r, n := range t.since {
		if n == 0 {
			delete(t.since, r)
			continue
		}
		t.log.Warn("connections turned away", r.attrs(), slog.Int("connections", n))
		t.since[r] = 0
	}
}

func (r refusal) attrs() slog.Attr {
	from := "others"
	switch {
	case r.from.IsValid() && r.from.IsSingleIP():
		from = r.from.Addr().String()
	case r.from.IsValid():
		from = r.from.String()
	}
	return slog.GroupAttrs("", slog.String("address", from), slog.String("cause", string(r.cause)))
}
