package endpoint

import "time"

const (
	// longestHold is how long a session is held at most for what it has published. Who takes longer to get it is slow, and
	// nobody waits for the slow. longestRest is how long with the rest behind it.
	longestHold = 50 * time.Millisecond
	longestRest = 100 * time.Millisecond
	// handful is to how many at a time a flood goes on its way while others speak too: what these say is behind no more than
	// that. longestHandful is how long it waits for those few.
	handful        = 16
	longestHandful = 5 * time.Millisecond
	// glance is how often a session that has something to publish looks whether it may.
	glance = 2 * time.Millisecond
)

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

// request notes that the session has p to publish, in such turns, and returns how long it must not do so yet, as far as is
// known now; 0 where it may.
func (h *hold) request(p *parcel, t turn) time.Duration {
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
	for left := h.request(p, t); left > 0; left = h.request(p, t) {
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
