package endpoint_test

import "testing"

// atMost reports a figure beside the most that it may be, and fails where it is more. What is no number fails, too: it
// comes of a reference that measured nothing.
func atMost(b *testing.B, unit string, got, most float64) {
	b.Helper()
	beside(b, unit, got, most)
	if !(got <= most) {
		b.Errorf("%.3f %s are more than the %.3f of the bar", got, unit, most)
	}
}

// atLeast reports a figure beside the least that it may be, and fails where it is less.
func atLeast(b *testing.B, unit string, got, least float64) {
	b.Helper()
	beside(b, unit, got, least)
	if !(got >= least) {
		b.Errorf("%.3f %s are less than the %.3f of the bar", got, unit, least)
	}
}

// beside reports a figure and its bar. The time of a benchmark as a whole says nothing here.
func beside(b *testing.B, unit string, got, bar float64) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(got, unit)
	b.ReportMetric(bar, unit+"-bar")
}
