package endpoint

import (
	"sync/atomic"
	"time"
)

const (
	// longestHold is how long a session is held at most for what it has published. Who takes longer to get it is slow, and
	// nobody waits for the slow.
	longestHold = 50 * time.Millisecond
	// turnSize is how many bytes a session may publish in one turn while others speak too.
	turnSize = 4 << 10
	// monologueSize is how many it may while nobody else does: enough for many to be sent in one record.
	monologueSize = 256 << 10
	// queueShare is which part of the others' queues a turn fills at most.
	queueShare = 4
	// silence is how long nobody else must have spoken.
	silence = 100 * time.Millisecond
)

// A hold keeps a session from saying more than the others can hear. It publishes in turns: when a turn is full, the next
// one begins once all of it is on its way to most of the others, and as much time again has passed as that took. So a
// flood takes half of the endpoint's time at most, it waits on its sender's side and not in the others' queues, and
// nothing of it is lost. Who speaks now and then is never held.
type hold struct {
	begun time.Time // the turn
	said  load      // in it
	last  *delivery // of what was published last
	wake  chan struct{}
	timer *time.Timer
}

// wait returns when the session may publish p, in turns of so much, and how long that took.
func (h *hold) wait(p *parcel, limit load) (held time.Duration) {
	now := time.Now()
	if h.wake == nil {
		h.wake = make(chan struct{}, 1)
	}
	after := h.said
	after.add(p)
	full := h.said.events > 0 && (after.bytes > limit.bytes || after.events > limit.events)
	asked := now
	for h.last != nil {
		left := h.end().Sub(now)
		if left <= 0 {
			h.begun, h.said, after = now, load{}, load{p.events, p.size()}
			break
		}
		if !full {
			break
		}
		h.pause(left)
		now = time.Now()
	}
	if h.last == nil {
		h.begun = now
	}
	h.said = after
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
	return h.begun.Add(min(2*took, longestHold))
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

// allowance is how much the session may publish in one turn.
func (s *session) allowance() load {
	size := turnSize
	if s.endpoint.talk.alone(s.id) {
		size = monologueSize
	}
	return load{s.out.limit.events / queueShare, min(size, s.out.limit.bytes/queueShare)}
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
