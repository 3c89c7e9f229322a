//go:build unix

package endpoint_test

import (
	"sync"
	"testing"
	"time"
)

// A round of BenchmarkLatency: so many clients, and so many events of each, one a second.
const (
	latencyClients = 200
	latencyEvents  = 4
)

// A latencyCase is a server, attacked or not, and how long deliveries took there, round by round, in µs.
type latencyCase struct {
	name     string
	kind     string
	attack   bool
	p50, p99 []float64
}

// BenchmarkLatency has 200 clients send an event a second each, phases spread, and compares how long the slowest of a
// hundred deliveries took with the bare server that nobody attacks. Under attack, one client more does not read at all, and
// another floods. The budgets that an endpoint has by default let ten seconds' worth pass before they hold a flood back, so
// what they change depends on the machine: that case is told, and has no bar.
func BenchmarkLatency(b *testing.B) {
	bare := &latencyCase{name: "bare", kind: bareServer}
	quiet := &latencyCase{name: "quiet", kind: xmlEndpoint}
	attacked := &latencyCase{name: "attacked", kind: xmlEndpoint, attack: true}
	guarded := &latencyCase{name: "budgets-attacked", kind: guardedEndpoint, attack: true}
	all := []*latencyCase{bare, quiet, attacked, guarded}
	for b.Loop() {
		for range rounds {
			for _, c := range all {
				p50, p99 := latencyRound(b, c.kind, c.attack)
				c.p50 = append(c.p50, float64(p50.Microseconds()))
				c.p99 = append(c.p99, float64(p99.Microseconds()))
			}
		}
	}
	for _, c := range all {
		b.ReportMetric(median(c.p50), c.name+"-p50-µs")
		b.ReportMetric(median(c.p99), c.name+"-p99-µs")
		b.Logf("%s: p50 %s µs, p99 %s µs", c.name, spread(c.p50), spread(c.p99))
	}
	atMost(b, "p99/bare", median(quiet.p99)/median(bare.p99), 1.5)
	atMost(b, "attacked/bare", median(attacked.p99)/median(bare.p99), 2)
	b.ReportMetric(median(guarded.p99)/median(bare.p99), "budgets-attacked/bare")
}

// latencyRound has clients send to a server that is there for this round alone. A flood that is held back to a budget goes
// on for half a minute after its sender went: the system has megabytes of it.
func latencyRound(b *testing.B, kind string, attack bool) (p50, p99 time.Duration) {
	b.Helper()
	s := startBenched(b, kind)
	defer s.stop()
	conns := s.connect(latencyClients)
	if attack {
		defer s.besiege()()
	}
	time.Sleep(100 * time.Millisecond) // all have joined
	var all latencies
	var receiving, sending sync.WaitGroup
	for _, c := range conns {
		receiving.Go(func() { all.receive(c.Read) })
	}
	start := time.Now()
	for i, c := range conns {
		sending.Go(func() {
			for k := range latencyEvents {
				time.Sleep(time.Until(start.Add(time.Duration(k)*time.Second + time.Duration(i)*time.Second/latencyClients)))
				if _, err := c.Write(stamped()); err != nil {
					b.Errorf("%s: a client was cut: %v", kind, err)
					return
				}
			}
		})
	}
	sending.Wait()
	const want = latencyClients * (latencyClients - 1) * latencyEvents
	all.await(want)
	if attack {
		s.felt()
	}
	for _, c := range conns {
		c.Close()
	}
	receiving.Wait()
	if kind != bareServer && all.count() != want {
		b.Errorf("%s: %d of %d events arrived", kind, all.count(), want)
	}
	return all.quantiles()
}
