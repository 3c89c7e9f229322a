package endpoint_test

import (
	"testing"
	"time"
)

// BenchmarkAttack measures what healthy clients notice of each attack: the 99th percentile of the latency from one to
// another, before it and while it lasts. Attackers, healthy clients and the endpoint share this process's cores.
func BenchmarkAttack(b *testing.B) {
	for _, a := range attacks() {
		b.Run(a.name, func(b *testing.B) {
			for b.Loop() {
				o := attacked(b, a, 2*time.Second)
				b.ReportMetric(float64(o.before.Microseconds()), "p99-before-µs")
				b.ReportMetric(float64(o.during.Microseconds()), "p99-during-µs")
				b.ReportMetric(0, "ns/op")
				o.team.leave()
				o.stop()
			}
		})
	}
}
