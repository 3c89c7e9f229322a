package endpoint

import (
	"sync/atomic"
	"time"
)

const (
	// longestHold is how long a session is held at most for what it has published. Who takes longer to get it is slow, and
	// nobody waits for the slow. longestRest is how long with the rest behind it.
	longestHold = 50 * time.Millisecond
	longestRest = 100 * time.Millisecond
	// turnSize is how many bytes a session may publish in one turn while others speak too, monologueSize while nobody
	// does: enough for many events to be sent in one record.
	turnSize      = 4 << 10
	monologueSize = 256 << 10
	// restAmongOthers and restAlone are how long a session rests after a full turn, in times as long as that took. A
	// turn keeps everybody's processors busy, and what others say meanwhile comes late.
	restAmongOthers = 8
	restAlone       = 1
	// handful is to how many at a time a flood goes on its way while others speak too: what these say is behind no more than
	// that. longestHandful is how long it waits for those few.
	handful        = 16
	longestHandful = 5 * time.Millisecond
	// queueShare is which part of the others' queues a turn fills at most.
	queueShare = 4
	// glance is how often a session that has something to publish looks whether it may.
	glance = 2 * time.Millisecond
	// silence is how long nobody else must have spoken.
	silence = 100 * time.Millisecond
)

// A turn is how much a session may publish in one go, and how long it rests after that.
type turn struct {
	load
	rest int // so many times as long as that took
}

// A hold keeps a session from saying more than the others can hear. It publishes in turns: when one is full, the next
// begins once all of it is on its way to most of the others, and a multiple of the time that it took has passed. So a
// flood takes a small part of the endpoint's time, or half of it while nobody else speaks; it waits on its sender's side
// and not in the others' queues, and nothing of it is lost. Who speaks now and then is never held.
type hold struct {
	turn  turn      // that is going on
	begun time.Time // it
	said  load      // in it
	full  bool      // it is, and more has come
	flood bool      // the one before it was full
	last  *delivery // of what was published last
	wake  chan struct{}
	timer *time.Timer
}

// left is how long the session must not publish p yet, as far as is known now, in such turns; 0 where it may.
func (h *hold) left(p *parcel, t turn) time.Duration {
	after := h.said
	after.add(p)
	if h.last == nil || h.said.events == 0 || after.bytes <= t.bytes && after.events <= t.events {
		return 0
	}
	h.full, h.turn = true, t
	return max(0, time.Until(h.end()))
}

// wait returns when the session may publish p, in such turns, and how long that took.
func (h *hold) wait(p *parcel, t turn) (held time.Duration) {
	if h.wake == nil {
		h.wake = make(chan struct{}, 1)
	}
	asked := time.Now()
	for left := h.left(p, t); left > 0; left = h.left(p, t) {
		h.pause(left)
	}
	now := time.Now()
	if h.last == nil || !now.Before(h.end()) {
		h.turn, h.begun, h.said = t, now, load{}
		h.flood, h.full = h.full, false
	}
	h.said.add(p)
	h.last = &delivery{begun: h.begun, wake: h.wake}
	p.delivery = h.last
	return now.Sub(asked)
}

// end is when the turn ends, as far as is known now.
func (h *hold) end() time.Time {
	took := time.Duration(h.last.took.Load())
	if took == 0 {
		return h.begun.Add(longestHold)
	}
	return h.begun.Add(min(took+time.Duration(h.turn.rest)*took, longestRest))
}

// byHandfuls returns what to call after each handful of receivers of what is published now, for it to wait until those
// have it; nil where the session does not flood others who speak.
func (h *hold) byHandfuls() func(receivers int) {
	if !h.flood || h.turn.rest == restAlone {
		return nil
	}
	d := h.last
	return func(receivers int) {
		d.took.Store(0)
		d.expect(receivers)
		end := time.Now().Add(longestHandful)
		for d.took.Load() == 0 {
			left := time.Until(end)
			if left <= 0 {
				return
			}
			h.pause(left)
		}
	}
}

// pause lasts for d, or until most have what was published last. It may be shorter.
func (h *hold) pause(d time.Duration) {
	if h.timer == nil {
		h.timer = time.NewTimer(d)
	} else {
		h.timer.Reset(d)
	}
	select {
	case <-h.timer.C:
	case <-h.wake:
	}
	h.timer.Stop()
}

// allowance is the turn that the session has now.
func (s *session) allowance() turn {
	size, rest := turnSize, restAmongOthers
	if s.endpoint.talk.alone(s.id) {
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

// alone tells whether nobody but the session with this id has published for a while, and notes that it does so now.
func (t *talk) alone(id uint64) bool {
	now := time.Since(t.began)
	if t.last.Load() != id {
		t.last.Store(id)
		t.change.Store(int64(now))
		return false
	}
	return now-time.Duration(t.change.Load()) >= silence
}

// A delivery is how far a parcel has come on its way to those who receive it.
type delivery struct {
	begun  time.Time // the turn of which it is the last one, as far as is known
	wake   chan<- struct{}
	most   atomic.Int32 // how many most of them are; 0: that is not known yet, or nobody is there
	landed atomic.Int32 // to how many it was sent
	took   atomic.Int64 // how long until those were most, in ns; 0 while they are not
}

// expect says how many receive p, for those who wait until they have.
func (p *parcel) expect(receivers int) {
	if p.delivery != nil {
		p.delivery.expect(receivers)
	}
}

// expect says how many receive the parcel. One in four may be slow, and one of fewer, unless there is no other: no slow
// one alone holds up a gateway that the rest listens to.
func (d *delivery) expect(receivers int) {
	most := int32(receivers)
	if receivers > 1 {
		most -= max(1, most/4)
	}
	if d.most.Store(most); d.landed.Load() >= most {
		d.arrive()
	}
}

// land notes that the parcel was sent to one more.
func (d *delivery) land() {
	if d.landed.Add(1) == d.most.Load() {
		d.arrive()
	}
}

// arrive notes that most have the parcel.
func (d *delivery) arrive() {
	if d.took.CompareAndSwap(0, max(1, int64(time.Since(d.begun)))) {
		select {
		case d.wake <- struct{}{}:
		default:
		}
	}
}
