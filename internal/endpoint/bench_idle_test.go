//go:build linux

package endpoint_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"testing"
	"time"
)

// BenchmarkIdleSessions has sessions connect and say nothing, and looks at what the server has in memory for each: ten
// seconds after the last handshake, after a collection. Then each has to be there still.
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
					s.stayed(conns)
					for _, c := range conns {
						c.Close()
					}
				}
			})
		}
	}
}

// stayed fails unless the server has all sessions still, and each of them answers a ping. The bare server would hand the
// pings on to everyone: it is only asked.
func (s *benched) stayed(conns []*tls.Conn) {
	s.b.Helper()
	if n := s.stats().Sessions; n != len(conns) {
		s.b.Errorf("%s: %d of %d sessions are left", s.kind, n, len(conns))
	}
	if s.kind != bareServer {
		s.each(len(conns), func(i int) error { return answered(conns[i]) })
	}
}

// answered sends a ping and reads up to its answer.
func answered(conn *tls.Conn) error {
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, ping); err != nil {
		return err
	}
	var got []byte
	for buf := make([]byte, 4<<10); !isPong(string(got)); {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		got = append(got, buf[:n]...)
	}
	return nil
}

// resident is what the server has in memory after a collection, in bytes.
func (s *benched) resident() int64 {
	s.b.Helper()
	var bytes int64
	fmt.Sscan(s.ask("resident"), &bytes)
	return bytes
}
