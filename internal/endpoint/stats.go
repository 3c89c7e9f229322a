package endpoint

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats is a picture of an Endpoint's counters. All but Sessions count from the start of the Endpoint. The maps are
// the caller's own.
type Stats struct {
	// Sessions is the number of sessions that are served now.
	Sessions int
	// TurnedAway counts connections that were closed before any work was done for them, by Cause.
	TurnedAway map[Cause]uint64
	// Handshakes counts the other connections by how their handshake ended: "ok", or a Cause.
	Handshakes map[Cause]uint64
	// Traffic is that of all sessions; XML and Protobuf are its two parts.
	Traffic
	XML, Protobuf Traffic
	// Queued is what waits for peers now, of all of them together; Longest the number of events that wait for the one that
	// is furthest behind.
	Queued  Load
	Longest int
	// Dropped counts pieces that were not passed on, by Cause.
	Dropped map[Cause]uint64
	// Ended counts sessions that are over, by Cause.
	Ended map[Cause]uint64
	// Items is the number of last positions, markers and the like that are kept for newcomers; ItemBytes what they take, in
	// bytes. Held is the number of events that are kept for devices that are away.
	Items, ItemBytes, Held int
	// Bound is the number of uids that a name has claimed.
	Bound int
}

// Traffic counts what came from peers and what went to them.
type Traffic struct {
	// EventsIn and BytesIn count the events received that were passed on or answered.
	EventsIn, BytesIn uint64
	// EventsOut and BytesOut count what was written to peers: an event that goes to five counts five times.
	EventsOut, BytesOut uint64
}

func (t Traffic) plus(o Traffic) Traffic {
	return Traffic{t.EventsIn + o.EventsIn, t.BytesIn + o.BytesIn, t.EventsOut + o.EventsOut, t.BytesOut + o.BytesOut}
}

// Load is a number of events, and their bytes.
type Load struct{ Events, Bytes int }

// A Cause says why a connection was turned away, a handshake failed, a piece was dropped or a session ended. It is a
// word for logs and metrics.
type Cause string

// Why a connection was turned away. A handshake can end with Full as well.
const (
	NotAllowed Cause = "not_allowed" // from outside of Config.Allow
	Failures   Cause = "failures"    // its address had more than Config.MaxFailures
	Full       Cause = "full"        // as many sessions as Config.MaxClients
)

// What a handshake ended with. A refusal by the trust in force carries the cause that package mtls gave.
const (
	OK      Cause = "ok"
	Timeout Cause = "timeout" // longer than Config.Handshake
	NotTLS  Cause = "not_tls" // something else than a TLS record came
	Failed  Cause = "failed"  // no common version or suite, no certificate, no proof of the key, …
	Closed  Cause = "closed"  // the peer went away in the middle
	Crowded Cause = "crowded" // slow, while all the places for handshakes were taken
)

// Why a session ended. One cut by the trust in force carries the cause that package mtls gave.
const (
	Left      Cause = "left"      // the peer closed its side
	Lost      Cause = "lost"      // the connection broke
	Slow      Cause = "slow"      // its queue was full
	Stalled   Cause = "stalled"   // one write took longer than Config.Write
	Flood     Cause = "flood"     // over its budget for longer than Config.Grace
	Replaced  Cause = "replaced"  // the same device came anew, or its certificate with one session too many
	Idle      Cause = "idle"      // nothing came and nothing went for Config.Idle
	Malformed Cause = "malformed" // ten malformed pieces within a minute; also the cause a piece is dropped for
	Oversize  Cause = "oversize"  // an event longer than cot.MaxEvent; also the cause a piece is dropped for
	NoFrame   Cause = "no_frame"  // something else than frames of TAK protocol version 1, after it was agreed on
	Kicked    Cause = "kicked"    // Endpoint.Kick was told its name
	Drained   Cause = "drained"   // the endpoint stopped
)

// Control is the cause for which a well-formed control event, which is for the endpoint alone, is not passed on.
const Control Cause = "control"

// Impostor is the cause for which a position under a uid that another name has claimed is not passed on. With BindWarn it
// is counted, and passed on.
const Impostor Cause = "impostor"

// Mission is the cause for which an event for a mission is not passed on to that: the endpoint has no missions.
const Mission Cause = "mission"

// Unsayable is the cause for which an event is not passed on to those who are spoken to in the other encoding: it has no
// form there.
const Unsayable Cause = "unsayable"

// counters are what Stats is made from. What changes with every event is atomic; the rest is seldom touched.
type counters struct {
	sessions                   atomic.Int64
	traffic                    [2]trafficCounters // by encoding
	handshakes, dropped, ended tally
}

type trafficCounters struct{ eventsIn, bytesIn, eventsOut, bytesOut atomic.Uint64 }

func (c *trafficCounters) picture() Traffic {
	return Traffic{c.eventsIn.Load(), c.bytesIn.Load(), c.eventsOut.Load(), c.bytesOut.Load()}
}

// A tally counts by cause.
type tally struct {
	mu sync.Mutex
	n  map[Cause]uint64
}

func (t *tally) add(c Cause) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = make(map[Cause]uint64)
	}
	t.n[c]++
}

func (t *tally) picture() map[Cause]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		return map[Cause]uint64{}
	}
	return maps.Clone(t.n)
}
