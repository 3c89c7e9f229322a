package endpoint

import (
	"sync/atomic"
	"time"
)

// longestHold is how long a session is held at most for what it has published. Who takes longer to get it is slow, and
// nobody waits for the slow.
const longestHold = 50 * time.Millisecond

// A hold keeps a session from saying more than the others can hear: it publishes once what it published before is on its
// way to most of them, and as much time again has passed as that took. So a flood takes half of the endpoint's time at
// most, it waits on its sender's side and not in the others' queues, and nothing of it is lost. Who speaks now and then
// is never held.
type hold struct {
	last  *delivery     // of what was published last
	wake  chan struct{} // told when most have it
	timer *time.Timer
}

// publishing notes that p goes out now.
func (h *hold) publishing(p *parcel) {
	if h.wake == nil {
		h.wake = make(chan struct{}, 1)
	}
	h.last = &delivery{begun: time.Now(), wake: h.wake}
	p.delivery = h.last
}

// wait returns when the session may publish, and how long that took.
func (h *hold) wait() (held time.Duration) {
	if h.last == nil {
		return 0
	}
	begun := time.Now()
	for now := begun; ; now = time.Now() {
		left := h.last.release().Sub(now)
		if left <= 0 {
			return now.Sub(begun)
		}
		h.pause(left)
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

// A delivery is how far a parcel has come on its way to those who receive it.
type delivery struct {
	begun  time.Time
	wake   chan<- struct{}
	most   atomic.Int32 // how many most of them are; 0: that is not known yet, or nobody is there
	landed atomic.Int32 // to how many it was sent
	took   atomic.Int64 // how long until those were most, in ns; 0 while they are not
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

// expect says how many receive p, for those who wait until they have.
func (p *parcel) expect(receivers int) {
	if p.delivery != nil {
		p.delivery.expect(receivers)
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

// release is when the sender may publish again, as far as is known now.
func (d *delivery) release() time.Time {
	took := time.Duration(d.took.Load())
	if took == 0 {
		return d.begun.Add(longestHold)
	}
	return d.begun.Add(min(2*took, longestHold))
}
