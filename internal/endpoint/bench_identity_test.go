//go:build unix

package endpoint_test

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/testpki"
)

// newSquad is a crowd whose sender says where it is, over and over. In groups, each is in three: that of all, that of
// every fourth, and its own, so that no two sets are the same.
func newSquad(b *testing.B, kind string, clients int, groups bool) *crowd {
	b.Helper()
	c := &crowd{b: b, server: startBenched(b, kind)}
	head, tail, _ := strings.Cut(position("sender", 1), "</detail>")
	c.message = []byte(head + "<remarks>" + strings.Repeat("x", 600-len(position("sender", 1))-len("<remarks></remarks>")) + "</remarks></detail>" + tail)
	for i := range clients {
		var units []string
		if groups {
			units = []string{"group:all", fmt.Sprintf("group:troop-%d", i%4), fmt.Sprintf("group:own-%d", i)}
		}
		config := c.server.config.Clone()
		config.Certificates = []tls.Certificate{c.server.ca.Client(b, fmt.Sprintf("client-%d", i), testpki.Units(units...))}
		conn, err := tls.Dial("tcp", c.server.address, config)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { conn.Close() })
		if i == 0 {
			c.sender = conn
			continue
		}
		c.conns, c.hear = append(c.conns, conn), append(c.hear, c.message)
	}
	c.server.await(clients)
	time.Sleep(100 * time.Millisecond) // all have joined
	return c
}

// BenchmarkIdentity compares the deliveries for each second of the server's CPU time where a uid is bound and each client
// is in groups of its own with those where nobody looks and all are in one group.
func BenchmarkIdentity(b *testing.B) {
	for _, clients := range []int{50, 200} {
		for _, pace := range []struct{ events, burst, window int }{{800, 1, 1}, {21600, 27, 8}} {
			b.Run(fmt.Sprintf("clients=%d/events-per-write=%d", clients, pace.burst), func(b *testing.B) {
				full, plain := newSquad(b, xmlEndpoint, clients, true), newSquad(b, unboundEndpoint, clients, false)
				events := pace.events * 50 / clients
				var c contest
				for b.Loop() {
					for range 2 * rounds {
						c.ours = append(c.ours, full.send(events, pace.burst, pace.window))
						c.bare = append(c.bare, plain.send(events, pace.burst, pace.window))
					}
				}
				b.Logf("deliveries/server-cpu-s: %s, without %s", spread(c.ours), spread(c.bare))
				atLeast(b, "ratio", median(c.ours)/median(c.bare), 0.95)
			})
		}
	}
}
