package endpoint

import (
	"sync/atomic"
	"time"
)

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
