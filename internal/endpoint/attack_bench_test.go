package endpoint_test

import (
	"testing"
	"time"
)

// BenchmarkAttack measures what healthy clients notice of each attack: the 99th percentile of the latency from one to
// another, before it and while it lasts.
//
// Attackers, healthy clients and the endpoint share one process, and so its scheduler and its collector: what the attackers
// cost themselves counts as well. So the bar is loose, and catches those only who hold all others up; BenchmarkLatency, which
// has the server in a process of its own, has the narrow one.
func BenchmarkAttack(b *testing.B) {
	const loose = 250 * time.Millisecond
	for _, a := range attacks() {
		b.Run(a.name, func(b *testing.B) {
			for b.Loop() {
				o := attacked(b, a, teamEvery, 2*time.Second)
				b.ReportMetric(float64(o.before.Microseconds()), "p99-before-µs")
				atMost(b, "p99-during-µs", float64(o.during.Microseconds()), float64((o.before + loose).Microseconds()))
				o.team.leave()
				o.stop()
			}
		})
	}
}
