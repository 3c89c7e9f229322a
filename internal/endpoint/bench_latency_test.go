//go:build unix

package endpoint_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkLatency has 200 clients send an event a second each, phases spread, and reports how long the slowest of a
// hundred deliveries took. Under attack, one client more does not read at all, and another floods.
func BenchmarkLatency(b *testing.B) {
	for _, mode := range []struct {
		kind   string
		attack bool
	}{{bareServer, false}, {xmlEndpoint, false}, {xmlEndpoint, true}, {guardedEndpoint, false}, {guardedEndpoint, true}} {
		name := mode.kind
		if mode.attack {
			name += "/attacked"
		}
		b.Run(name, func(b *testing.B) {
			for range b.N {
				s := startBenched(b, mode.kind)
				conns := s.connect(200)
				stop := make(chan struct{})
				var hostile sync.WaitGroup
				if mode.attack {
					deaf, flood := s.dial(), s.dial()
					defer deaf.Close()
					hostile.Go(func() {
						event := []byte(chat(0, 600))
						for {
							select {
							case <-stop:
								return
							default:
							}
							if _, err := flood.Write(event); err != nil {
								flood.Close()
								flood = s.dial() // it comes back as often as it is cut
							}
						}
					})
				}
				all := newLatencies()
				var receiving sync.WaitGroup
				for _, c := range conns {
					receiving.Go(func() { all.receive(c.Read) })
				}
				var sending sync.WaitGroup
				for i, c := range conns {
					sending.Go(func() {
						time.Sleep(time.Duration(i) * time.Second / time.Duration(len(conns)))
						for range 10 {
							if _, err := c.Write(stamped()); err != nil {
								b.Error(err)
								return
							}
							time.Sleep(time.Second)
						}
					})
				}
				sending.Wait()
				close(stop)
				time.Sleep(200 * time.Millisecond)
				for _, c := range conns {
					c.Close()
				}
				receiving.Wait()
				hostile.Wait()
				want := 200 * 199 * 10
				if mode.kind != bareServer && all.count() != want {
					b.Errorf("%d of %d events arrived", all.count(), want)
				}
				p50, p99 := all.quantiles()
				b.ReportMetric(float64(p50.Microseconds()), "p50-µs")
				b.ReportMetric(float64(p99.Microseconds()), "p99-µs")
			}
		})
	}
}

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

func newLatencies() *latencies { return &latencies{} }

func (l *latencies) count() int { return int(l.n.Load()) }

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
