//go:build unix

package endpoint_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// rounds is how often each of two servers is measured; the two take turns, so that what else the machine does falls on
// both.
const rounds = 11

// A contest is one measure of the endpoint and of the bare server, round by round.
type contest struct{ ours, bare []float64 }

// compare measures both servers, reports the medians, and returns the ratio of the medians. It logs them as well: of a
// benchmark that fails, go test shows no metric.
func compare(b *testing.B, unit string, measure func(kind string) float64, endpointKind string) (ratio float64) {
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
	b.Logf("%s: %s, bare %s", unit, spread(c.ours), spread(c.bare))
	return ours / bare
}

func median(all []float64) float64 { return quantile(all, 0.5) }

func quantile(all []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// spread is the middle half of what was measured, for people.
func spread(all []float64) string {
	return fmt.Sprintf("%.0f [%.0f, %.0f]", median(all), quantile(all, 0.25), quantile(all, 0.75))
}

func seconds(d time.Duration) float64 { return d.Seconds() }
