package endpoint_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/testpki"
)

// bubble runs f with an endpoint whose sessions have no TLS, in a time of its own. connect begins a session.
func bubble(t *testing.T, f func(t *testing.T, w *world, connect func(name string, opts ...testpki.Option) *client)) {
	bubbleWith(t, endpoint.Config{NoProtobuf: true}, f)
}

// bubbleWith is bubble with limits of its own.
func bubbleWith(t *testing.T, c endpoint.Config, f func(t *testing.T, w *world, connect func(name string, opts ...testpki.Option) *client)) {
	synctest.Test(t, func(t *testing.T) {
		w := newPKI(t, time.Now)
		c.Gate, c.Log = w.gate, slog.New(slog.NewJSONHandler(w.log, nil))
		w.e = endpoint.New(c)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			w.e.Watch(ctx)
			close(done)
		}()
		w.stop = sync.OnceFunc(func() {
			cancel()
			<-done
		})
		defer w.stop()
		f(t, w, func(name string, opts ...testpki.Option) *client {
			return w.admit(w.ca.Client(t, name, opts...))
		})
	})
}

// admit begins a session without TLS.
func (w *world) admit(cert tls.Certificate) *client {
	here, there := net.Pipe()
	c := newClient(w.t, there)
	c.cert = cert
	w.e.Admit(here, peerOf(w, cert))
	return c
}

func TestSessionEndsInTheMinuteInWhichItsCertificateExpires(t *testing.T) {
	bubble(t, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		begun := time.Now()
		alice := connect("alice")
		bob := connect("bob", testpki.Validity(begun.Add(-time.Hour), begun.Add(90*time.Second)))
		time.Sleep(100 * time.Second)
		bob.expectNothing() // expired, but not looked at yet
		bob.conn.SetReadDeadline(time.Time{})
		if _, err := bob.conn.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the session ended with %v", err)
		}
		if took := time.Since(begun); took != 2*time.Minute {
			t.Errorf("the session was cut after %v, want 2m", took)
		}
		alice.expectNothing()
		synctest.Wait()
		if line := w.log.wait(t, "session cut"); line["name"] != "bob" || line["cause"] != "expired" {
			t.Errorf("the log says %v", line)
		}
	})
}

func TestSilentSessionIsCutAfterFiveMinutesAndNotBefore(t *testing.T) {
	bubble(t, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		begun := time.Now()
		pinging, silent := connect("pinging"), connect("silent")
		var others sync.WaitGroup
		others.Go(func() {
			for range 20 {
				time.Sleep(20 * time.Second)
				pinging.expectNothing()
			}
		})
		if _, err := io.ReadAll(silent.conn); err != nil {
			t.Errorf("the session ended with %v", err)
		}
		if took := time.Since(begun); took < 5*time.Minute || took > 5*time.Minute+30*time.Second {
			t.Errorf("the silent session was cut after %v", took)
		}
		others.Wait()
		if got := w.e.Stats().Ended[endpoint.Idle]; got != 1 {
			t.Errorf("%d sessions were cut as idle, want 1", got)
		}
	})
}

func TestSilentListenerInABusyNetStays(t *testing.T) {
	bubble(t, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		talker, listener := connect("talker"), connect("listener")
		for n := range 20 {
			time.Sleep(time.Minute)
			talker.send(chat(n, 100))
			listener.expect(chat(n, 100))
		}
	})
}

func TestWriteThatTakesTooLongCutsTheSession(t *testing.T) {
	bubble(t, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		begun := time.Now()
		alice, stuck := connect("alice"), connect("stuck")
		alice.send(chat(1, 100))
		for w.e.Stats().Sessions == 2 {
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if took := time.Since(begun); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("the session was cut after %v", took)
		}
		if got := w.e.Stats().Ended[endpoint.Stalled]; got != 1 {
			t.Errorf("%d sessions were cut as stalled, want 1", got)
		}
		alice.expectNothing()
		stuck.expectEnd()
	})
}

func TestNineMalformedEventsAMinuteAreBorne(t *testing.T) {
	bubble(t, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		alice := connect("alice")
		for range 5 {
			for range 9 {
				alice.send(`<event><a></event>`)
			}
			alice.expectNothing()
			time.Sleep(time.Minute)
		}
		for range 10 {
			alice.send(`<event><a></event>`)
		}
		alice.expectEnd()
	})
}

func TestHandshakeThatTakesTooLongIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPKI(t, time.Now)
		w.e = endpoint.New(endpoint.Config{Gate: w.gate, NoProtobuf: true})
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- w.e.Serve(ctx, l) }()
		here, there := net.Pipe()
		begun := time.Now()
		l.conns <- here
		if _, err := io.ReadAll(there); err != nil {
			t.Errorf("the connection ended with %v", err)
		}
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("the handshake was ended after %v, want 10s", took)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve returned %v", err)
		}
		if got := w.e.Stats().Handshakes[endpoint.Timeout]; got != 1 {
			t.Errorf("%d handshakes are counted as timed out, want 1", got)
		}
	})
}

// pipes is a listener without a network.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }
