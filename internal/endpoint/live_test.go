package endpoint_test

import (
	"crypto/tls"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
)

func TestSessions(t *testing.T) {
	w := withProtobuf(t)
	if got := w.e.Sessions(); len(got) != 0 {
		t.Fatalf("before anybody came: %+v", got)
	}
	bob, alice := w.client("bob"), w.client("alice")
	alice.send(position("phone-1", 1), repeated("drone", 1, time.Now().Add(time.Hour)), chat(1, 300), "<event><b></event>")
	eventually(t, "all that alice sent is counted", func() bool {
		s := w.e.Sessions()
		return len(s) == 2 && s[0].Received == 4 && s[0].Dropped == 1 && s[1].Sent == 5 && s[1].Queued == (endpoint.Load{})
	})
	w.goOver(bob)
	all := w.e.Sessions()
	a, b := all[0], all[1]
	if a.Name != "alice" || a.Callsign != "PHONE-1" || a.Encoding != "xml" || a.TLS != tls.VersionTLS13 ||
		a.Address != alice.conn.LocalAddr().String() || a.Since.IsZero() || len(a.Fingerprint) != 64 || a.Serial == "" {
		t.Errorf("alice is %+v", a)
	}
	if b.Name != "bob" || b.Callsign != "" || b.Encoding != "protobuf" || b.Queued != (endpoint.Load{}) {
		t.Errorf("bob is %+v", b)
	}
}

func TestKick(t *testing.T) {
	w := newWorld(t, nil)
	cert := w.ca.Client(t, "alice")
	first, second, bob := w.clientWith(cert), w.clientWith(cert), w.client("bob")
	if n := w.e.Kick("eve"); n != 0 {
		t.Errorf("%d sessions of nobody were cut", n)
	}
	if n := w.e.Kick("alice"); n != 2 {
		t.Errorf("%d sessions were cut", n)
	}
	if n := w.e.Kick("alice"); n != 0 {
		t.Errorf("%d sessions were cut again", n)
	}
	first.expectEnd()
	second.expectEnd()
	bob.expectNothing()
	if line := w.log.wait(t, "session cut"); line["name"] != "alice" || line["cause"] != "kicked" {
		t.Errorf("the log says %v", line)
	}
	eventually(t, "both are counted", func() bool { return w.e.Stats().Ended[endpoint.Kicked] == 2 })
	w.clientWith(cert) // it may come back
	if s := w.e.Sessions(); len(s) != 2 {
		t.Errorf("now there are %+v", s)
	}
}

// Who looks and who kicks meets readers, writers and newcomers at every moment; the race detector is the judge.
func TestSessionsAndKickBesideTraffic(t *testing.T) {
	w := withProtobuf(t)
	done := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				w.e.Sessions()
				w.e.Kick("carol")
			}
		}
	})
	alice := w.client("alice")
	for i := range 20 {
		bob := w.client("bob")
		alice.send(position("phone-1", i))
		bob.send(position("phone-2", i))
		w.goOver(bob)
		if conn, err := tls.Dial("tcp", w.address, w.config(w.ca.Client(t, "carol"))); err == nil {
			conn.Close()
		}
		bob.conn.Close()
	}
	close(done)
	looking.Wait()
}

func TestGenerationIsToldWhereItIsKnown(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	known := map[string]int{}
	w := newWorld(t, func(c *endpoint.Config) {
		c.Generation = func(serial string) int {
			mu.Lock()
			defer mu.Unlock()
			asked[serial]++
			return known[serial]
		}
	})
	cert := w.ca.Client(t, "alice")
	serial := fmt.Sprintf("%x", cert.Leaf.SerialNumber.Bytes())
	known[serial] = 3
	w.clientWith(cert)
	if line := w.log.wait(t, "session started"); line["generation"] != 3.0 {
		t.Errorf("the log says %v", line)
	}
	w.client("bob")
	all := w.e.Sessions()
	if len(all) != 2 || all[0].Generation != 3 || all[1].Generation != 0 {
		t.Errorf("the sessions are %+v", all)
	}
	w.e.Kick("alice")
	if line := w.log.wait(t, "session cut"); line["generation"] != 3.0 {
		t.Errorf("the log says %v", line)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) != 2 || asked[serial] != 1 {
		t.Errorf("asked was %v", asked)
	}
}
