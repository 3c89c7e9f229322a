package endpoint_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
)

// A street is an endpoint that serves in a time of its own, to connections that come from anywhere.
type street struct {
	*world
	listener *pipes
}

func onStreet(t *testing.T, c endpoint.Config, f func(t *testing.T, s *street)) {
	synctest.Test(t, func(t *testing.T) {
		w := newPKI(t, time.Now)
		s := &street{w, &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}}
		c.Gate, c.NoProtobuf, c.Log = w.gate, true, slog.New(slog.NewJSONHandler(w.log, nil))
		w.e = endpoint.New(c)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- w.e.Serve(ctx, s.listener) }()
		f(t, s)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve returned %v", err)
		}
	})
}

// placed is a connection that comes from somewhere.
type placed struct {
	net.Conn
	from net.Addr
}

func (p placed) RemoteAddr() net.Addr { return p.from }

// arrive connects from an address.
func (s *street) arrive(from string) net.Conn {
	here, there := net.Pipe()
	s.listener.conns <- placed{here, &net.TCPAddr{IP: net.ParseIP(from), Port: 4242}}
	return there
}

// knock fails in a handshake from an address, and returns what became of it.
func (s *street) knock(from string) (c endpoint.Cause) {
	before := s.e.Stats()
	conn := s.arrive(from)
	go conn.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	io.Copy(io.Discard, conn)
	conn.Close()
	synctest.Wait()
	after := s.e.Stats()
	for cause, n := range after.TurnedAway {
		if n > before.TurnedAway[cause] {
			return cause
		}
	}
	for cause, n := range after.Handshakes {
		if n > before.Handshakes[cause] {
			return cause
		}
	}
	return "nothing"
}

// visit connects from an address with a certificate; ok tells whether it is served.
func (s *street) visit(from string, cert tls.Certificate) (c *client, ok bool) {
	conn := tls.Client(s.arrive(from), s.config(cert))
	c = newClient(s.t, conn)
	if _, err := io.WriteString(conn, ping); err != nil {
		return nil, false
	}
	event, err := c.read()
	return c, err == nil && isPong(event)
}

func (s *street) knockTimes(from string, n int, want endpoint.Cause) {
	s.t.Helper()
	for k := range n {
		if got := s.knock(from); got != want {
			s.t.Fatalf("knock %d from %s: %s, want %s", k+1, from, got, want)
		}
	}
}

func TestAddressThatFailsTooOftenIsNotListenedToForAWhile(t *testing.T) {
	tests := []struct{ name, bad, same, other string }{
		{"IPv4", "192.0.2.7", "192.0.2.7", "192.0.2.8"},
		{"IPv4 within IPv6", "192.0.2.7", "::ffff:192.0.2.7", "::ffff:192.0.2.8"},
		{"IPv6, by its /64", "2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			onStreet(t, endpoint.Config{}, func(t *testing.T, s *street) {
				s.knockTimes(tc.bad, 120, endpoint.NotTLS)
				s.knockTimes(tc.same, 30, endpoint.Failures)
				s.knockTimes(tc.bad, 30, endpoint.Failures)
				s.knockTimes(tc.other, 1, endpoint.NotTLS)
				if _, ok := s.visit(tc.other, s.ca.Client(t, "alice")); !ok {
					t.Error("another address is not listened to")
				}
				time.Sleep(500 * time.Millisecond)
				s.knockTimes(tc.bad, 1, endpoint.NotTLS)
				s.knockTimes(tc.bad, 1, endpoint.Failures)
				time.Sleep(time.Minute)
				s.knockTimes(tc.bad, 120, endpoint.NotTLS)
				s.knockTimes(tc.bad, 1, endpoint.Failures)
			})
		})
	}
}

func TestSuccessMakesAnAddressAsGoodAsNew(t *testing.T) {
	onStreet(t, endpoint.Config{}, func(t *testing.T, s *street) {
		const team = "203.0.113.9"
		s.knockTimes(team, 119, endpoint.NotTLS)
		if _, ok := s.visit(team, s.ca.Client(t, "alice")); !ok {
			t.Fatal("she is not served")
		}
		s.knockTimes(team, 120, endpoint.NotTLS)
		s.knockTimes(team, 1, endpoint.Failures)
	})
}

func TestSessionsOutliveTheFailuresOfTheirAddress(t *testing.T) {
	onStreet(t, endpoint.Config{}, func(t *testing.T, s *street) {
		alice, ok := s.visit("203.0.113.9", s.ca.Client(t, "alice"))
		s.knockTimes("203.0.113.9", 120, endpoint.NotTLS)
		s.knockTimes("203.0.113.9", 1, endpoint.Failures)
		if !ok {
			t.Fatal("she is not served")
		}
		alice.expectNothing()
	})
}

func TestAddressWhoseFailureLiesLongestBackIsForgottenFirst(t *testing.T) {
	onStreet(t, endpoint.Config{MaxFailures: 2}, func(t *testing.T, s *street) {
		s.e.RememberFailing(3)
		s.knockTimes("192.0.2.1", 2, endpoint.NotTLS)
		s.knockTimes("192.0.2.2", 2, endpoint.NotTLS)
		s.knockTimes("192.0.2.3", 2, endpoint.NotTLS)
		s.knockTimes("192.0.2.1", 1, endpoint.Failures)
		s.knockTimes("192.0.2.4", 1, endpoint.NotTLS)
		s.knockTimes("192.0.2.2", 1, endpoint.Failures)
		s.knockTimes("192.0.2.1", 1, endpoint.NotTLS)
	})
}

func TestLogTellsOfABurstOnceAndHowManyWereTurnedAway(t *testing.T) {
	onStreet(t, endpoint.Config{}, func(t *testing.T, s *street) {
		s.knockTimes("192.0.2.7", 120, endpoint.NotTLS)
		s.knockTimes("192.0.2.7", 57, endpoint.Failures)
		first := s.log.lines(t, "turning connections away")
		if len(first) != 1 || first[0]["address"] != "192.0.2.7" || first[0]["cause"] != "failures" {
			t.Errorf("the log says %v", first)
		}
		if got := s.log.lines(t, "connections turned away"); len(got) != 0 {
			t.Errorf("the log says %v", got)
		}
		time.Sleep(time.Hour)
		sum := s.log.lines(t, "connections turned away")
		if len(sum) != 1 || sum[0]["address"] != "192.0.2.7" || sum[0]["cause"] != "failures" || sum[0]["connections"] != 57.0 {
			t.Errorf("the log says %v", sum)
		}
		if got := s.e.Stats().TurnedAway[endpoint.Failures]; got != 57 {
			t.Errorf("%d are counted, want 57", got)
		}
	})
}

func TestLogStaysShortHoweverManyAddressesAreTurnedAway(t *testing.T) {
	onStreet(t, endpoint.Config{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, func(t *testing.T, s *street) {
		for n := range 300 {
			s.knockTimes(fmt.Sprintf("192.0.%d.%d", n/100, n%100), 2, endpoint.NotAllowed)
		}
		time.Sleep(90 * time.Second)
		if got := len(s.log.lines(t, "turning connections away")); got != 65 {
			t.Errorf("%d lines at once, want 65", got)
		}
		total := 0.0
		sums := s.log.lines(t, "connections turned away")
		for _, line := range sums {
			total += line["connections"].(float64)
		}
		if len(sums) != 65 || total != 600 {
			t.Errorf("%d lines for %v connections, want 65 for 600", len(sums), total)
		}
	})
}

func TestOnlyAllowedNetworksAreListenedTo(t *testing.T) {
	tests := []struct {
		allow string
		from  string
		want  endpoint.Cause
	}{
		{"", "192.0.2.7", endpoint.NotTLS},
		{"10.0.0.0/8", "10.1.2.3", endpoint.NotTLS},
		{"10.0.0.0/8", "::ffff:10.1.2.3", endpoint.NotTLS},
		{"10.0.0.0/8", "11.1.2.3", endpoint.NotAllowed},
		{"10.0.0.0/8", "::ffff:11.1.2.3", endpoint.NotAllowed},
		{"10.0.0.0/8", "2001:db8::1", endpoint.NotAllowed},
		{"10.0.0.0/8,2001:db8::/32", "2001:db8:7::1", endpoint.NotTLS},
		{"192.0.2.7/32", "192.0.2.7", endpoint.NotTLS},
		{"192.0.2.7/32", "192.0.2.8", endpoint.NotAllowed},
		{"0.0.0.0/0", "192.0.2.8", endpoint.NotTLS},
		{"0.0.0.0/0", "2001:db8::1", endpoint.NotAllowed},
		{"10.0.0.0/8", "", endpoint.NotAllowed}, // it has no address
	}
	for _, tc := range tests {
		var allow []netip.Prefix
		for text := range strings.SplitSeq(tc.allow, ",") {
			if text != "" {
				allow = append(allow, netip.MustParsePrefix(text))
			}
		}
		t.Run(tc.allow+" from "+tc.from, func(t *testing.T) {
			onStreet(t, endpoint.Config{Allow: allow}, func(t *testing.T, s *street) {
				s.knockTimes(tc.from, 1, tc.want)
			})
		})
	}
}

func TestAddressThatIsNotAllowedIsClosedBeforeTLS(t *testing.T) {
	w := newWorld(t, func(c *endpoint.Config) { c.Allow = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	if conn, err := tls.Dial("tcp", w.address, w.config(w.ca.Client(t, "alice"))); err == nil {
		conn.Close()
		t.Error("the handshake succeeded")
	}
	eventually(t, "it is counted", func() bool { return w.e.Stats().TurnedAway[endpoint.NotAllowed] == 1 })
	if s := w.e.Stats(); len(s.Handshakes) != 0 {
		t.Errorf("the counters say %+v", s)
	}
	line := w.log.wait(t, "turning connections away")
	if line["address"] != "127.0.0.1" || line["cause"] != "not_allowed" {
		t.Errorf("the log says %v", line)
	}
	w.stop()
	if line := w.log.wait(t, "connections turned away"); line["connections"] != 1.0 {
		t.Errorf("at the end the log says %v", line)
	}
}

func TestAddressThatFailedTooOftenIsClosedBeforeTLS(t *testing.T) {
	w := newWorld(t, func(c *endpoint.Config) { c.MaxFailures = 3 })
	alice := w.client("alice")
	eve := w.config(w.root.Issuing(t, "Sister Issuing").Client(t, "eve"))
	for w.e.Stats().TurnedAway[endpoint.Failures] == 0 {
		if got := w.e.Stats().Handshakes["untrusted"]; got > 20 { // a failure counts for its address a moment later
			t.Fatalf("%d handshakes failed and none was turned away", got)
		}
		if conn, err := tls.Dial("tcp", w.address, eve); err == nil {
			conn.SetDeadline(time.Now().Add(patience))
			conn.Read(make([]byte, 1))
			conn.Close()
		}
	}
	alice.expectNothing()
}

func TestWhoSaysNothingForAMinuteAfterTheHandshakeIsServed(t *testing.T) {
	onStreet(t, endpoint.Config{}, func(t *testing.T, s *street) {
		conn := tls.Client(s.arrive("192.0.2.7"), s.config(s.ca.Client(t, "itak")))
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(61 * time.Second)
		newClient(t, conn).expectNothing()
		_ = conn.Close()
	})
}
