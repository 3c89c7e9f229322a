package endpoint

import (
	"errors"
	"log/slog"
	"time"
)

const (
	// burstSeconds is how many seconds' worth of its rates a session may send at once. By default that is well below
	// what waits for one client at most, so that a burst cuts nobody who is slow to receive it.
	burstSeconds = 10
	// leastRead is what a read costs at least: a TLS record of one byte takes as much work as one of some hundred.
	leastRead = 256
	// nap is how long a session that is held back may fail to notice that it was cut.
	nap = 100 * time.Millisecond
	// tellEvery is how often the log hears at most that a session is held back.
	tellEvery = time.Minute
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

	busy    time.Time // since when the budget has not been full
	counted load      // since then
	held    time.Time // since when the session has been held back, off and on; zero: it is not
	told    time.Time
}

// pay charges a read of size bytes and returns how long the reader has to wait. It returns errFlood when the session
// has been held back for all of the grace and goes on.
func (b *budget) pay(r *rates, size int, now time.Time) (time.Duration, error) {
	b.events.refill(&r.events, now)
	b.bytes.refill(&r.bytes, now)
	if b.events.full() && b.bytes.full() {
		b.busy, b.counted = now, load{}
	}
	b.counted.events += b.pieces
	b.counted.bytes += size
	b.events.take(b.pieces)
	b.bytes.take(max(size, leastRead))
	b.pieces = 0
	wait := max(b.events.overdrawn(&r.events), b.bytes.overdrawn(&r.bytes))
	switch {
	case b.events.has(&r.events, r.events.burst/2) && b.bytes.has(&r.bytes, r.bytes.burst/2):
		b.held = time.Time{} // it was a burst
	case wait == 0:
	case b.held.IsZero():
		b.held = now
	case now.Sub(b.held) >= r.grace:
		return 0, errFlood
	}
	return wait, nil
}

// pace charges what the last read brought, and holds the reader back while the session is over its budget.
func (s *session) pace(size int) error {
	now := time.Now()
	s.heard.Store(int64(now.Sub(s.since)))
	wait, err := s.budget.pay(&s.endpoint.rates, size, now)
	if err != nil {
		s.fail(Flood)
		return err
	}
	if wait == 0 {
		return nil
	}
	s.tellHeld(now)
	for until := now.Add(wait); wait > 0 && s.cause.Load() == nil; wait = time.Until(until) {
		time.Sleep(min(wait, nap))
	}
	return nil
}

// tellHeld logs that the session is held back, once in tellEvery.
func (s *session) tellHeld(now time.Time) {
	b := &s.budget
	if !b.told.IsZero() && now.Sub(b.told) < tellEvery {
		return
	}
	b.told = now
	c := &s.endpoint.config
	s.endpoint.log.Warn("session held back: it sends more than its budget", s.who(),
		slog.Int("events", b.counted.events), slog.Int("bytes", b.counted.bytes), slog.Duration("within", now.Sub(b.busy)),
		slog.Int("max_events_per_second", c.MaxEventsPerSecond), slog.Int("max_bytes_per_second", c.MaxBytesPerSecond))
}

// silent is how long nothing came from the peer.
func (s *session) silent() time.Duration { return time.Since(s.since) - time.Duration(s.heard.Load()) }
