package endpoint

import (
	"sync/atomic"
	"time"
)

const (
	// turnSize is how many bytes a session may publish in one turn while others speak too, monologueSize while nobody
	// does: enough for many events to be sent in one record.
	turnSize      = 4 << 10
	monologueSize = 256 << 10
	// restAmongOthers and restAlone are how long a session rests after a full turn, in times as long as that took. A
	// turn keeps everybody's processors busy, and what others say meanwhile comes late.
	restAmongOthers = 8
	restAlone       = 1
	// queueShare is which part of the others' queues a turn fills at most.
	queueShare = 4
	// silence is how long nobody else must have spoken.
	silence = 100 * time.Millisecond
)

// A turn is how much a session may publish in one go, and how long it rests after that.
type turn struct {
	load
	rest int // so many times as long as that took
}

// allowance is the turn that the session has now.
func (s *session) allowance() turn {
	size, rest := turnSize, restAmongOthers
	if s.endpoint.talk.speak(s.id) {
		size, rest = monologueSize, restAlone
	}
	return turn{load{s.out.limit.events / queueShare, min(size, s.out.limit.bytes/queueShare)}, rest}
}

// talk knows whether more than one session speaks.
type talk struct {
	began  time.Time
	last   atomic.Uint64 // the session that published last
	change atomic.Int64  // how long after began that was another one than before, in ns
}

// speak notes that the session with this id publishes now, and tells whether nobody else has for a while.
func (t *talk) speak(id uint64) (alone bool) {
	now := time.Since(t.began)
	if t.last.Load() != id {
		t.last.Store(id)
		t.change.Store(int64(now))
		return false
	}
	return now-time.Duration(t.change.Load()) >= silence
}
