//go:build linux

package endpoint_test

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkIdleSessions has sessions connect and say nothing, and looks at what the server has in memory for each: ten
// seconds after the last handshake, after a collection.
func BenchmarkIdleSessions(b *testing.B) {
	for _, sessions := range []int{5_000, 10_000} {
		for _, kind := range []string{anyEndpoint, bareServer} {
			b.Run(fmt.Sprintf("%d/%s", sessions, kind), func(b *testing.B) {
				for range b.N {
					s := startBenched(b, kind)
					before := s.resident()
					conns := s.connect(sessions)
					time.Sleep(10 * time.Second)
					each := float64(s.resident()-before) / 1024 / float64(sessions)
					if kind == bareServer {
						b.ReportMetric(each, "KiB/session")
					} else {
						atMost(b, "KiB/session", each, 26)
					}
					for _, c := range conns {
						c.Close()
					}
				}
			})
		}
	}
}

// resident is what the server has in memory after a collection, in bytes.
func (s *benched) resident() int64 {
	s.b.Helper()
	var bytes int64
	fmt.Sscan(s.ask("resident"), &bytes)
	return bytes
}
