package endpoint_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/mtls"
)

func TestRevokedClientIsCutFromItsLiveSession(t *testing.T) {
	w := newWorld(t, nil)
	alice, bob := w.client("alice"), w.client("bob")
	bob.send(position("bob", 1))
	alice.expect(position("bob", 1))
	begun := time.Now()
	w.revoke(bob.cert)
	if got := w.e.Stats().Items; got != 0 {
		t.Errorf("when Judge returned, %d positions of the revoked client were kept", got)
	}
	bob.expectEnd()
	if took := time.Since(begun); took > time.Second {
		t.Errorf("the session was cut after %v", took)
	}
	if got := alice.next(); !strings.Contains(got, `type="t-x-d-d"`) || !strings.Contains(got, `uid="bob"`) {
		t.Errorf("the others got %s", got)
	}
	line := w.log.wait(t, "session cut")
	if line["name"] != "bob" || line["cause"] != "revoked" || line["serial"] == "" || line["address"] == "" {
		t.Errorf("the log says %v", line)
	}
	alice.expectNothing()
	if s := w.e.Stats(); s.Sessions != 1 || s.Ended["revoked"] != 1 {
		t.Errorf("the counters say %+v", s)
	}
}

func TestRevokedClientIsRefusedAnew(t *testing.T) {
	w := newWorld(t, nil)
	bob := w.client("bob")
	w.revoke(bob.cert)
	bob.expectEnd()
	conn, err := tls.Dial("tcp", w.address, w.config(bob.cert))
	if err == nil {
		conn.SetDeadline(time.Now().Add(patience))
		_, err = conn.Read(make([]byte, 1))
		conn.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "remote error: tls: ") {
		t.Errorf("the revoked client got %v, want an alert that says so", err)
	}
	eventually(t, "it is counted", func() bool { return w.e.Stats().Handshakes["revoked"] == 1 })
}

func TestRevokedClientGetsNothingOfWhatStillWaitsForIt(t *testing.T) {
	w := newWorld(t, nil)
	alice, bob := w.client("alice"), w.client("bob")
	bob.conn.(*tls.Conn).NetConn().(*net.TCPConn).SetReadBuffer(4 << 10)
	flood(t, w, alice, 5000) // 3 MB: in the endpoint's queue and in the kernel
	begun := time.Now()
	w.revoke(bob.cert)
	eventually(t, "the session is over", func() bool { return w.e.Stats().Sessions == 1 })
	if took := time.Since(begun); took > time.Second {
		t.Errorf("the session was cut after %v", took)
	}
	got := 0
	for _, err := bob.read(); err == nil; _, err = bob.read() {
		got++
	}
	if got > 100 { // what was in its own kernel already
		t.Errorf("the revoked client was sent %d more events", got)
	}
}

// flood has c send n events of 600 bytes.
func flood(t *testing.T, w *world, c *client, n int) {
	t.Helper()
	before := w.e.Stats().EventsIn
	var b strings.Builder
	for k := range n {
		b.WriteString(chat(k, 600))
	}
	c.send(b.String())
	eventually(t, "the flood came in", func() bool { return w.e.Stats().EventsIn >= before+uint64(n) })
}

func TestPeerRevokedDuringItsHandshakeIsNeverServed(t *testing.T) {
	w := newWorld(t, nil)
	bob := w.ca.Client(t, "bob")
	w.revoke(bob)
	here, there := net.Pipe()
	defer there.Close()
	// The handshake was over before the list changed.
	w.e.Admit(here, peerOf(w, bob))
	there.SetDeadline(time.Now().Add(patience))
	if _, err := there.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the connection ended with %v", err)
	}
	if s := w.e.Stats(); s.Sessions != 0 || s.Handshakes[endpoint.OK] != 0 || s.Handshakes["revoked"] != 1 {
		t.Errorf("the counters say %+v", s)
	}
	if line := w.log.wait(t, "session refused"); line["name"] != "bob" || line["cause"] != "revoked" {
		t.Errorf("the log says %v", line)
	}
}

func peerOf(w *world, cert tls.Certificate) mtls.Peer {
	peer, err := mtls.PeerOf(tls.ConnectionState{
		HandshakeComplete: true,
		VerifiedChains:    [][]*x509.Certificate{{cert.Leaf, w.ca.Cert}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return peer
}

func TestClientThatClosesItsSideIsHeardToTheEndAndGone(t *testing.T) {
	w := newWorld(t, nil)
	alice, bob := w.client("alice"), w.client("bob")
	alice.send(position("alice", 1))
	if err := alice.conn.(*tls.Conn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	bob.expect(position("alice", 1))
	if got := bob.next(); !strings.Contains(got, `type="t-x-d-d"`) {
		t.Errorf("the others got %s", got)
	}
	if err := alice.expectEnd(); err != io.EOF {
		t.Errorf("the connection ended with %v, want TLS's close_notify", err)
	}
	eventually(t, "its session is over", func() bool { return w.e.Stats().Ended[endpoint.Left] == 1 })
}

func TestDrainDeliversWhatWaitsAndSaysGoodbye(t *testing.T) {
	w := newWorld(t, nil)
	alice, bob := w.client("alice"), w.client("bob")
	alice.send(position("alice", 1))
	flood(t, w, alice, 5000)
	stopped := make(chan struct{})
	go func() {
		w.stop()
		close(stopped)
	}()
	bob.expect(position("alice", 1))
	for k := range 5000 {
		bob.expect(chat(k, 600))
	}
	for _, c := range []*client{alice, bob} {
		if err := c.expectEnd(); err != io.EOF {
			t.Errorf("the connection ended with %v, want TLS's close_notify", err)
		}
		c.conn.Close()
	}
	<-stopped
	if _, err := net.Dial("tcp", w.address); err == nil {
		t.Error("the endpoint still takes connections")
	}
	if s := w.e.Stats(); s.Sessions != 0 || s.Ended[endpoint.Drained] != 2 {
		t.Errorf("the counters say %+v", s)
	}
}

func TestDrainEndsThoughAClientDoesNotRead(t *testing.T) {
	w := newWorld(t, func(c *endpoint.Config) {
		c.Drain = 500 * time.Millisecond
		c.QueueBytes, c.QueueEvents = 64<<20, 1<<20
	})
	alice, bob := w.client("alice"), w.client("bob")
	bob.conn.(*tls.Conn).NetConn().(*net.TCPConn).SetReadBuffer(4 << 10)
	for range 20 {
		flood(t, w, alice, 1000)
	}
	shaking, err := net.Dial("tcp", w.address) // and another does not even say hello
	if err != nil {
		t.Fatal(err)
	}
	defer shaking.Close()
	begun := time.Now()
	w.stop()
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("the drain took %v", took)
	}
	if err := bob.expectEnd(); errors.Is(err, io.EOF) {
		t.Error("the client that did not read was told that this was all")
	}
}

func TestStatsCountWhatCameAndWent(t *testing.T) {
	w := newWorld(t, nil)
	clients := []*client{w.client("a"), w.client("b"), w.client("c")}
	clients[0].send(chat(1, 600), chat(2, 600))
	for _, c := range clients[1:] {
		c.expect(chat(1, 600), chat(2, 600))
		c.expectNothing()
	}
	pongs := uint64(5)
	eventually(t, "all is counted", func() bool {
		s := w.e.Stats()
		return s.EventsOut == 4+pongs && s.EventsIn == 2+pongs
	})
	s := w.e.Stats()
	if s.Sessions != 3 || s.Handshakes[endpoint.OK] != 3 || s.BytesIn != 2*600+pongs*uint64(len(ping)) {
		t.Errorf("the counters say %+v", s)
	}
	if s.BytesOut <= 4*600 {
		t.Errorf("%d bytes went out", s.BytesOut)
	}
}
