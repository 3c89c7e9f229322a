package endpoint_test

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/testpki"
)

func TestOneMoreThanMaxClientsIsTurnedAwayAfterItsHandshake(t *testing.T) {
	w := newWorld(t, func(c *endpoint.Config) { c.MaxClients = 2 })
	alice, bob := w.client("alice"), w.client("bob")
	w.dial(w.config(w.ca.Client(t, "carol"))).expectEnd()
	line := w.log.wait(t, "session refused")
	if line["name"] != "carol" || line["cause"] != "full" || line["max_clients"] != 2.0 {
		t.Errorf("the log says %v", line)
	}
	if s := w.e.Stats(); s.Sessions != 2 || s.Handshakes[endpoint.Full] != 1 || s.Handshakes[endpoint.OK] != 2 {
		t.Errorf("the counters say %+v", s)
	}
	alice.send(chat(1, 100))
	bob.expect(chat(1, 100))
	bob.conn.Close()
	eventually(t, "a place is free", func() bool { return w.e.Stats().Sessions == 1 })
	w.client("carol").expectNothing()
}

func TestThoseWhoComeInVainCostFewHandshakes(t *testing.T) {
	onStreet(t, endpoint.Config{MaxClients: 1}, func(t *testing.T, s *street) {
		alice, ok := s.visit("192.0.2.1", s.ca.Client(t, "alice"))
		if !ok {
			t.Fatal("she is not served")
		}
		bob := s.ca.Client(t, "bob")
		for range 100 {
			if _, ok := s.visit("192.0.2.2", bob); ok {
				t.Fatal("two are served")
			}
		}
		synctest.Wait()
		if st := s.e.Stats(); st.Handshakes[endpoint.Full] != 20 || st.TurnedAway[endpoint.Full] != 80 {
			t.Errorf("the counters say %+v", st)
		}
		alice.conn.Close()
		synctest.Wait()
		if _, ok := s.visit("192.0.2.2", bob); !ok {
			t.Error("a place is free, and he is not served")
		}
	})
}

func TestReturningDeviceTakesThePlaceOfItsOwnDeadSession(t *testing.T) {
	tests := []struct {
		name   string
		silent time.Duration
		same   bool // certificate
		want   endpoint.Cause
	}{
		{"after half a minute", 30 * time.Second, true, endpoint.OK},
		{"of a session that still speaks", 29 * time.Second, true, endpoint.Full},
		{"of somebody else", 30 * time.Second, false, endpoint.Full},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			bubbleWith(t, endpoint.Config{NoProtobuf: true, MaxClients: 2}, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
				old, other := connect("alice"), connect("bob")
				old.expectNothing()
				time.Sleep(tc.silent)
				other.expectNothing()
				cert := old.cert
				if !tc.same {
					cert = w.ca.Client(t, "alice")
				}
				here, there := net.Pipe()
				again := newClient(t, there)
				w.e.Admit(here, peerOf(w, cert))
				synctest.Wait()
				s := w.e.Stats()
				if tc.want != endpoint.OK {
					old.expectNothing()
					other.expectNothing()
					if s.Handshakes[tc.want] != 1 || s.Sessions != 2 {
						t.Errorf("the counters say %+v", s)
					}
					return
				}
				again.expectNothing()
				other.expectNothing()
				if s.Ended[endpoint.Replaced] != 1 || s.Sessions != 2 {
					t.Errorf("the counters say %+v", s)
				}
				if line := w.log.wait(t, "session ended"); line["name"] != "alice" || line["cause"] != "replaced" {
					t.Errorf("the log says %v", line)
				}
			})
		})
	}
}
