//go:build unix

package endpoint_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const stampMark = "sent='"

// stamped is an event of 600 bytes that says when it was sent.
func stamped() []byte {
	event := fmt.Sprintf("<event version='2.0' uid='stamped' type='b-t-f' time='2026-01-01T00:00:00Z' start='2026-01-01T00:00:00Z' "+
		"stale='2026-01-01T00:01:00Z' how='h-e'><point lat='0' lon='0' hae='0' ce='1' le='1'/><detail><probe %s%020d' fill='", stampMark, time.Now().UnixNano())
	return fmt.Appendf(nil, "%s%s'/></detail></event>", event, bytes.Repeat([]byte("x"), 600-len(event)-len("'/></detail></event>")))
}

// latencies are how long stamped events took.
type latencies struct {
	mu  sync.Mutex
	all []time.Duration
	n   atomic.Int64
}

func (l *latencies) count() int { return int(l.n.Load()) }

// await waits until so many events have come, or long enough to say that some are lost.
func (l *latencies) await(want int) {
	for deadline := time.Now().Add(patience); l.count() < want && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
}

// receive takes the stamps of what comes until the connection ends.
func (l *latencies) receive(read func([]byte) (int, error)) {
	var mine []time.Duration
	var held []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := read(buf)
		now := time.Now().UnixNano()
		held = append(held, buf[:n]...)
		for {
			_, after, ok := bytes.Cut(held, []byte(stampMark))
			if !ok || len(after) < 20 {
				break
			}
			sent, _ := strconv.ParseInt(string(after[:20]), 10, 64)
			mine = append(mine, time.Duration(now-sent))
			l.n.Add(1)
			held = after[20:]
		}
		if len(held) > 1024 {
			held = append(held[:0], held[len(held)-32:]...)
		}
		if err != nil {
			break
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, mine...)
}

func (l *latencies) quantiles() (p50, p99 time.Duration) {
	slices.Sort(l.all)
	if len(l.all) == 0 {
		return 0, 0
	}
	return l.all[len(l.all)/2], l.all[len(l.all)*99/100]
}
