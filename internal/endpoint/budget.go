package endpoint

import (
	"errors"
	"log/slog"
	"time"
)

const (
	// burstSeconds is how many seconds' worth of its rates a session may send ahead of time. By default that is well below
	// what waits for one client at most, so that a burst cuts nobody who is slow to receive it. It is heard within a
	// second, and not at once: what goes to everybody in one go delays all that others say.
	burstSeconds = 10
	// leastRead is what a read costs at least: a TLS record of one byte takes as much work as one of some hundred.
	leastRead = 256
	// idlePart is which part of the grace a peer has to have nothing to send in not to be a flood: a second of half a
	// minute.
	idlePart = 30
	// nap is how long a session that is held back may fail to notice that it was cut.
	nap = 100 * time.Millisecond
)

// errFlood ends the reader of a session that was held back for too long.
var errFlood = errors.New("more than its budget for too long")

// rates are what sessions may send.
type rates struct {
	events, bytes rate
	grace         time.Duration
}

func ratesOf(c Config) rates {
	events, bytes := float64(c.MaxEventsPerSecond), float64(c.MaxBytesPerSecond)
	return rates{rate{events, burstSeconds * events}, rate{bytes, burstSeconds * bytes}, c.Grace}
}

// A budget is what one session may still send. Its reader pays when it has read, and waits when the budget is
// overdrawn: then it is the peer's own sending that stands still, by TCP's flow control, and no event is lost.
type budget struct {
	events, bytes bucket
	pieces        int // of the read that is not paid for yet

	busy    time.Time     // since when the budget has not been full
	counted load          // since then
	held    time.Time     // when the grace began; zero: never yet
	ready   time.Time     // since when the reader has been waiting for the peer
	idle    time.Duration // what it has waited for the peer since held
	told    reminder
}

// pay charges a read of size bytes and returns how long the reader has to wait, and whether for being over its budget.
// It returns errFlood when the session has been over it for all of the grace and goes on.
//
// What the peer would send if it were let cannot be seen; that it always has something to send can. Who stays within
// its budget leaves some time unused, also where its burst is spent and each of its writes has to wait a little.
func (b *budget) pay(r *rates, size int, now time.Time) (wait time.Duration, over bool, err error) {
	b.events.refill(&r.events, now)
	b.bytes.refill(&r.bytes, now)
	if b.events.full() && b.bytes.full() {
		b.busy, b.counted = now, load{}
	}
	b.counted.events += b.pieces
	b.counted.bytes += size
	pieces, size := b.pieces, max(size, leastRead)
	b.events.take(pieces)
	b.bytes.take(size)
	b.pieces = 0
	wait = max(b.events.overdrawn(&r.events), b.bytes.overdrawn(&r.bytes))
	if !b.held.IsZero() {
		b.idle += now.Sub(b.ready)
	}
	b.ready = now
	switch {
	case wait == 0:
		return max(b.events.spread(&r.events, pieces), b.bytes.spread(&r.bytes, size)), false, nil
	case b.held.IsZero() || b.idle >= r.grace/idlePart:
		b.held, b.idle = now, 0
	case now.Sub(b.held) >= r.grace:
		return 0, true, errFlood
	}
	return wait, true, nil
}

// pace charges what the last read brought, and holds the reader back while the session is over its budget.
func (s *session) pace(size int) error {
	now := time.Now()
	s.heard.Store(int64(now.Sub(s.since)))
	wait, over, err := s.budget.pay(&s.endpoint.rates, size, now)
	if err != nil {
		s.fail(Flood)
		return err
	}
	if wait == 0 {
		return nil
	}
	if over {
		s.tellHeld(now)
	}
	for until := now.Add(wait); wait > 0 && s.cause.Load() == nil; wait = time.Until(until) {
		time.Sleep(min(wait, nap))
	}
	s.budget.ready = time.Now()
	return nil
}

// tellHeld logs that the session is held back.
func (s *session) tellHeld(now time.Time) {
	b := &s.budget
	if !b.told.due(now) {
		return
	}
	c := &s.endpoint.config
	s.endpoint.log.Warn("session held back: it sends more than its budget", s.who(),
		slog.Int("events", b.counted.events), slog.Int("bytes", b.counted.bytes), slog.Duration("within", now.Sub(b.busy)),
		slog.Int("max_events_per_second", c.MaxEventsPerSecond), slog.Int("max_bytes_per_second", c.MaxBytesPerSecond), slog.Duration("grace", c.Grace))
}

// silent is how long nothing came from the peer.
func (s *session) silent() time.Duration { return time.Since(s.since) - time.Duration(s.heard.Load()) }
