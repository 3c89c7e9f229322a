package endpoint

import (
	"math"
	"time"
)

// A rate is how many tokens come to a bucket in a second, and how many it holds.
type rate struct{ perSecond, burst float64 }

// A bucket is a token bucket; the zero value is full. It can be overdrawn, since what a peer sent is known only when
// it has been read. It is for one goroutine at a time.
type bucket struct {
	spent float64 // what it lacks to be full; more than the burst: overdrawn
	at    time.Time
}

// refill adds what has come since the last time; everything else goes by what is in the bucket then.
func (b *bucket) refill(r *rate, now time.Time) {
	b.spent = max(0, b.spent-r.perSecond*now.Sub(b.at).Seconds())
	b.at = now
}

// take takes n tokens, whether they are there or not.
func (b *bucket) take(n int) { b.spent += float64(n) }

func (b *bucket) full() bool { return b.spent == 0 }

// has reports whether there are n tokens.
func (b *bucket) has(r *rate, n float64) bool { return r.burst-b.spent >= n }

// spread is how long n tokens should last where somebody takes from what is there ahead of time: so long that all of it
// lasts for a second. 0 while less than a second's worth is taken.
func (b *bucket) spread(r *rate, n int) time.Duration {
	if b.spent <= r.perSecond {
		return 0
	}
	return time.Duration(float64(n) / r.burst * float64(time.Second))
}

// overdrawn is for how long nothing is to be taken; 0 if the bucket is not overdrawn.
func (b *bucket) overdrawn(r *rate) time.Duration {
	debt := b.spent - r.burst
	if debt <= 0 {
		return 0
	}
	return time.Duration(min(debt/r.perSecond*float64(time.Second), math.MaxInt64/2))
}
