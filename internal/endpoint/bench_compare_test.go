//go:build unix

package endpoint_test

import (
	"slices"
	"testing"
	"time"
)

// rounds is how often each of two servers is measured; the two take turns, so that what else the machine does falls on
// both.
const rounds = 11

// A contest is one measure of the endpoint and of the bare server, round by round.
type contest struct{ ours, bare []float64 }

// compare measures both servers and reports the medians, and the ratio of the medians.
func compare(b *testing.B, unit string, measure func(kind string) float64, endpointKind string) {
	b.Helper()
	var c contest
	for b.Loop() {
		for range rounds {
			c.ours = append(c.ours, measure(endpointKind))
			c.bare = append(c.bare, measure(bareServer))
		}
	}
	ours, bare := median(c.ours), median(c.bare)
	b.ReportMetric(ours, unit)
	b.ReportMetric(bare, "bare-"+unit)
	b.ReportMetric(ours/bare, "ratio")
	b.ReportMetric(0, "ns/op")
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func seconds(d time.Duration) float64 { return d.Seconds() }
