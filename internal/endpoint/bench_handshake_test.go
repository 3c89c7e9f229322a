//go:build unix

package endpoint_test

import (
	"crypto/tls"
	"io"
	"sync"
	"testing"

	"github.com/ftsca/ftsca/internal/testpki"
)

// BenchmarkHandshake compares the CPU time of the server for a full mutual handshake, with 100,000 revoked serials, and
// with all that ftsca serve has an endpoint do for it unless it is told otherwise: the offer of protobuf, the lines of the
// log, the histogram.
func BenchmarkHandshake(b *testing.B) {
	const handshakes = 200
	for name, opts := range map[string][]testpki.Option{"P-256": nil, "RSA-2048": {testpki.RSA(2048)}} {
		b.Run(name, func(b *testing.B) {
			servers := map[string]*benched{}
			for _, kind := range []string{anyEndpoint, bareServer} {
				servers[kind] = startBenched(b, kind, opts...)
			}
			ratio := compare(b, "server-µs/handshake", func(kind string) float64 {
				s := servers[kind]
				before := s.cpu()
				var dialling sync.WaitGroup
				for range 2 {
					dialling.Go(func() {
						for range handshakes / 2 {
							conn, err := tls.Dial("tcp", s.address, s.config)
							if err != nil {
								b.Error(err)
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
				return float64((s.cpu() - before).Microseconds()) / handshakes
			}, anyEndpoint)
			atMost(b, "ratio", ratio, 1.10)
		})
	}
}
