//go:build unix

package endpoint_test

import (
	"crypto/tls"
	"io"
	"sync"
	"testing"

	"github.com/ftsca/ftsca/internal/testpki"
)

// BenchmarkHandshake compares the CPU time of the server for a full mutual handshake, with 100,000 revoked serials, the lines
// of the log and the histogram, the offer of protobuf, and all that a session's beginning and end take: what ftsca serve does
// unless it is told otherwise. What it takes without the offer is told beside it.
func BenchmarkHandshake(b *testing.B) {
	for name, opts := range map[string][]testpki.Option{"P-256": nil, "RSA-2048": {testpki.RSA(2048)}} {
		b.Run(name, func(b *testing.B) {
			servers := map[string]*benched{}
			for _, kind := range []string{xmlEndpoint, anyEndpoint, bareServer} {
				servers[kind] = startBenched(b, kind, opts...)
			}
			var plain, offering, bare []float64
			for b.Loop() {
				for range rounds {
					plain = append(plain, servers[xmlEndpoint].shakeHands(600))
					offering = append(offering, servers[anyEndpoint].shakeHands(600))
					bare = append(bare, servers[bareServer].shakeHands(600))
				}
			}
			b.Logf("server-µs/handshake: %s, without the offer %s, bare %s", spread(offering), spread(plain), spread(bare))
			b.ReportMetric(median(plain)/median(bare), "without-the-offer-ratio")
			atMost(b, "ratio", median(offering)/median(bare), 1.10)
		})
	}
}

// shakeHands has so many clients come and go, two at a time, and returns the CPU time that the server took for each, in µs.
func (s *benched) shakeHands(handshakes int) float64 {
	before := s.cpu()
	var dialling sync.WaitGroup
	for range 2 {
		dialling.Go(func() {
			for range handshakes / 2 {
				conn, err := tls.Dial("tcp", s.address, s.config)
				if err != nil {
					s.b.Error(err)
					return
				}
				// Only the server's own goodbye shows that it is done.
				conn.CloseWrite()
				io.Copy(io.Discard, conn)
				conn.Close()
			}
		})
	}
	dialling.Wait()
	return float64((s.cpu() - before).Microseconds()) / float64(handshakes)
}
