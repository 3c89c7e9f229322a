package endpoint_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/testpki"
)

func TestPeerThatDoesNotPassIsRefusedWithoutEffectOnOthers(t *testing.T) {
	w := newWorld(t, nil)
	alice, bob := w.client("alice"), w.client("bob")
	alice.send(position("alice", 1))
	bob.expect(position("alice", 1))
	mallory := w.ca.Client(t, "mallory")
	w.revoke(mallory)
	stolen := alice.cert
	stolen.PrivateKey = testpki.NewKey(t)
	sister := w.root.Issuing(t, "Sister Issuing")
	tls11 := w.config(w.ca.Client(t, "old"))
	tls11.MinVersion, tls11.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	weak := w.config(w.ca.Client(t, "weak"))
	weak.MaxVersion = tls.VersionTLS12
	weak.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
	tests := []struct {
		name   string
		config *tls.Config
		cause  endpoint.Cause
	}{
		{"no certificate", &tls.Config{RootCAs: w.root.Pool(), ServerName: "localhost"}, endpoint.Failed},
		{"another CA", w.config(testpki.NewRoot(t, "Other").Client(t, "eve")), "untrusted"},
		{"another issuing CA under the same root", w.config(sister.Client(t, "eve")), "untrusted"},
		{"the root itself", w.config(w.root.Client(t, "eve")), "untrusted"},
		{"expired", w.config(w.ca.Client(t, "eve", testpki.Expired())), "expired"},
		{"not yet valid", w.config(w.ca.Client(t, "eve", testpki.NotYetValid())), "expired"},
		{"a server's certificate", w.config(w.server), "untrusted"},
		{"revoked", w.config(mallory), "revoked"},
		{"without a name", w.config(w.ca.Client(t, "")), endpoint.Failed},
		{"a stolen certificate without its key", w.config(stolen), endpoint.Failed},
		{"TLS 1.1", tls11, endpoint.Failed},
		{"a suite without authenticated encryption", weak, endpoint.Failed},
	}
	for _, tc := range tests {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			config := tc.config.Clone()
			if config.MaxVersion == 0 {
				config.MaxVersion = version
			}
			before := w.e.Stats()
			conn, err := tls.Dial("tcp", w.address, config)
			if err == nil {
				// In TLS 1.3 the client is done before the server has judged it.
				conn.SetDeadline(time.Now().Add(patience))
				_, err = conn.Read(make([]byte, 1))
				conn.Close()
			}
			var timeout net.Error
			if err == nil || errors.As(err, &timeout) && timeout.Timeout() {
				t.Errorf("%s, %s: the endpoint let it in (%v)", tc.name, tls.VersionName(config.MaxVersion), err)
			}
			eventually(t, tc.name+" is counted as "+string(tc.cause), func() bool {
				return w.e.Stats().Handshakes[tc.cause] == before.Handshakes[tc.cause]+1
			})
			after := w.e.Stats()
			if after.Sessions != 2 || after.Handshakes[endpoint.OK] != 2 || len(after.Ended) != 0 {
				t.Errorf("%s, %s: it left a trace: %+v", tc.name, tls.VersionName(config.MaxVersion), after)
			}
		}
	}
	alice.send(chat(1, 100))
	bob.expect(chat(1, 100))
	if got := len(w.log.lines(t, "session started")); got != 2 {
		t.Errorf("%d sessions are in the log, want 2", got)
	}
}

func TestClientWithoutExtendedKeyUsageIsServed(t *testing.T) {
	w := newWorld(t, nil)
	w.clientWith(w.ca.Client(t, "fts", testpki.Usages()))
	if got := w.e.Stats().Sessions; got != 1 {
		t.Errorf("%d sessions, want 1", got)
	}
}

func TestGarbageInsteadOfTLSIsClosed(t *testing.T) {
	w := newWorld(t, nil)
	alice, bob := w.client("alice"), w.client("bob")
	conn, err := net.Dial("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, position("eve", 1))
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("the connection ended with %v", err)
	}
	if line := w.log.wait(t, "handshake failed"); line["cause"] != "not_tls" || line["address"] != conn.LocalAddr().String() {
		t.Errorf("the log says %v", line)
	}
	alice.send(chat(1, 100))
	bob.expect(chat(1, 100))
}

func TestManyWhoReturnAtOnceAreAllServed(t *testing.T) {
	w := newWorld(t, func(c *endpoint.Config) {
		c.MaxHandshakes = 4
		c.MaxFailures = 1 // they share an address, and none of them fails
		c.MaxSessionsPerCert = endpoint.NoLimit
	})
	cert := w.ca.Client(t, "team")
	var all sync.WaitGroup
	for range 60 {
		all.Go(func() {
			conn, err := tls.Dial("tcp", w.address, w.config(cert))
			if err != nil {
				t.Errorf("dialling: %v", err)
				return
			}
			io.WriteString(conn, ping)
			conn.SetDeadline(time.Now().Add(patience))
			if _, err := conn.Read(make([]byte, 1)); err != nil {
				t.Errorf("waiting for the pong: %v", err)
			}
			conn.Close()
		})
	}
	all.Wait()
	if got := w.e.Stats().Handshakes[endpoint.OK]; got != 60 {
		t.Errorf("%d handshakes, want 60", got)
	}
}

func TestGoroutinesAreGoneAfterTwoHundredConnections(t *testing.T) {
	w := newWorld(t, nil)
	cert := w.ca.Client(t, "alice")
	w.clientWith(cert).conn.Close()
	eventually(t, "no session", func() bool { return w.e.Stats().Sessions == 0 })
	before := runtime.NumGoroutine()
	for k := range 200 {
		switch k % 4 {
		case 0:
			conn, err := net.Dial("tcp", w.address)
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
		case 1:
			c := w.clientWith(cert)
			c.conn.(*tls.Conn).NetConn().(*net.TCPConn).SetLinger(0) // ends with a reset
			c.conn.(*tls.Conn).NetConn().Close()
		default:
			w.clientWith(cert).conn.Close()
		}
	}
	eventually(t, "goroutines return to where they were", func() bool {
		return w.e.Stats().Sessions == 0 && runtime.NumGoroutine() <= before
	})
	w.stop()
	eventually(t, "all goroutines are gone", func() bool { return runtime.NumGoroutine() <= before-2 })
}

func TestSessionIsLoggedWithWhoItIs(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client("eve\nlevel=ERROR msg=\"forged\"")
	peer := c.cert.Leaf
	started := w.log.wait(t, "session started")
	if started["name"] != peer.Subject.CommonName || started["address"] != c.conn.LocalAddr().String() {
		t.Errorf("the log says %v", started)
	}
	if serial := strings.TrimLeft(started["serial"].(string), "0"); serial != peer.SerialNumber.Text(16) {
		t.Errorf("the log says serial %s, want %x", serial, peer.SerialNumber)
	}
	if got := started["fingerprint"].(string); len(got) != 64 {
		t.Errorf("the log says fingerprint %q", got)
	}
	// Whoever has the answer already may be gone before the endpoint counts that it wrote it.
	eventually(t, "the answer is counted", func() bool { return w.e.Stats().EventsOut == 1 })
	c.conn.Close()
	ended := w.log.wait(t, "session ended")
	if ended["session"] != started["session"] || ended["cause"] != "left" || ended["received"] != 1.0 || ended["sent"] != 1.0 {
		t.Errorf("the log says %v", ended)
	}
}

// A flaky listener fails before it works.
type flaky struct {
	net.Listener
	failures int
}

func (l *flaky) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, errors.New("accept: too many open files")
	}
	return l.Listener.Accept()
}

func TestListenerThatFailsIsTriedAgain(t *testing.T) {
	w := newPKI(t, nil)
	w.e = endpoint.New(endpoint.Config{Gate: w.gate})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.address = l.Addr().String()
	w.serve(&flaky{l, 4})
	w.client("alice")
}

func TestServeTellsThatItsListenerWasClosed(t *testing.T) {
	w := newPKI(t, nil)
	e := endpoint.New(endpoint.Config{Gate: w.gate})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := e.Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returned %v", err)
	}
	err = e.Serve(t.Context(), l)
	if want := "serving on " + l.Addr().String() + ": this endpoint has served already"; err == nil || err.Error() != want {
		t.Errorf("Serve returned %v, want %s", err, want)
	}
}
