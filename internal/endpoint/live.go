package endpoint

import (
	"cmp"
	"crypto/tls"
	"slices"
	"time"
)

// SessionStats is a picture of one session.
type SessionStats struct {
	// Name, Serial and Fingerprint are those of the peer's certificate, as in [mtls.Peer].
	Name, Serial, Fingerprint string
	// Generation is the one that the certificate is of its name; 0 where it is not known.
	Generation int
	// Callsign is what the last position that the peer announced as its own calls it; empty where it has announced none.
	// It is the peer's own word, and may hold anything.
	Callsign string
	// Groups are those that it is in, sorted; [Anonymous] alone where it is in none.
	Groups []string
	// Address is where the peer connected from.
	Address string
	// Since is when its handshake was over.
	Since time.Time
	// Encoding is how the peer is spoken to: "xml" or "protobuf".
	Encoding string
	// TLS is the version of TLS, a constant of crypto/tls; 0 where there is none.
	TLS uint16
	// Queued is what waits for the peer.
	Queued Load
	// Received counts the events that were passed on or answered, Sent those written to the peer, Dropped the pieces
	// that it sent and that were not passed on.
	Received, Sent, Dropped uint64
}

// Sessions returns a picture of every live session, by name and, within a name, the longest-lived first.
func (e *Endpoint) Sessions() []SessionStats {
	live := e.sessions.picture()
	all := make([]SessionStats, 0, len(live))
	for _, s := range live {
		if s.cause.Load() == nil {
			all = append(all, s.stats())
		}
	}
	slices.SortFunc(all, func(a, b SessionStats) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), a.Since.Compare(b.Since))
	})
	return all
}

// Kick cuts every session of a name and returns how many those were. It keeps nobody out: a device that is allowed in
// connects again at once.
func (e *Endpoint) Kick(name string) int {
	n := 0
	for _, s := range e.sessions.picture() {
		if s.peer.Name == name && s.fail(Kicked) {
			s.cut(Kicked)
			n++
		}
	}
	return n
}

func (s *session) stats() SessionStats {
	depth := s.out.depth(asLive)
	return SessionStats{
		Name: s.peer.Name, Serial: s.peer.Serial, Fingerprint: s.peer.Fingerprint, Generation: s.generation,
		Callsign: s.endpoint.items.callsign(author{member: s, name: s.peer.Name}), Groups: s.endpoint.hub.groups(s),
		Address: s.address, Since: s.since,
		Encoding: s.endpoint.hub.speaks(s).String(), TLS: s.version(),
		Queued:   Load{depth.events, depth.bytes},
		Received: s.received.Load(), Sent: s.sent.Load(), Dropped: s.dropped.Load(),
	}
}

func (s *session) version() uint16 {
	if c, ok := s.conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		return c.ConnectionState().Version
	}
	return 0
}

// speaks is how m is spoken to, for who is not m.
func (h *hub) speaks(m member) encoding {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return m.speaks()
}

// groups are the names of those that m is in; nil where m is no member.
func (h *hub) groups(m member) []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if i, in := h.index[m]; in {
		return h.seats[i].groups.names
	}
	return nil
}

func (e encoding) String() string {
	if e == inProtobuf {
		return "protobuf"
	}
	return "xml"
}
