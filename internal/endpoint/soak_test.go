package endpoint_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/testpki"
)

// soakTime is how long FTSCA_SOAK says that the tests of endurance may take; 0 where it says nothing, and they are short.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("FTSCA_SOAK")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("FTSCA_SOAK: %v", err)
	}
	return d
}

// A minute of FTSCA_SOAK has silence for so long that pings alone keep the clients; without it this is a short form.
func TestATAKsStayThroughReloadsAndADrain(t *testing.T) {
	length := 3 * time.Second
	if d := soakTime(t); d > 0 {
		length = min(d, time.Minute)
	}
	w := newWorld(t, func(c *endpoint.Config) { c.NoProtobuf = false })
	g := w.team(4, 100*time.Millisecond)
	reload := func(newcomer string) {
		w.reload()
		w.enlist(g, newcomer)
	}
	time.Sleep(length / 12)
	reload("mate-second")
	time.Sleep(length / 12)
	g.report(0)
	time.Sleep(length / 3)
	w.reload()
	time.Sleep(length / 3)
	g.report(100 * time.Millisecond)
	time.Sleep(length / 12)
	reload("mate-third")
	time.Sleep(length / 12)
	g.check()
	g.leave()
	w.stop()
	protobuf := 0
	for uid, m := range g.mates {
		<-m.ended
		if m.gone != io.EOF {
			t.Errorf("at the drain, the connection of %s ended with %v", uid, m.gone)
		}
		s := m.client.Stats()
		if s.Protobuf {
			protobuf++
		}
		t.Logf("%s: %+v", uid, s)
	}
	if protobuf != 3 {
		t.Errorf("%d of 6 went over to protobuf, want 3", protobuf)
	}
	if got := w.e.Stats().Ended; len(got) != 1 || got[endpoint.Drained] != 6 {
		t.Errorf("sessions ended: %v", got)
	}
}

func TestSoak(t *testing.T) {
	length := soakTime(t)
	if length == 0 {
		length = 3 * time.Second
	}
	w := newWorld(t, func(c *endpoint.Config) {
		c.Log = slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.MaxHandshakes = 64
		c.QueueBytes = 1 << 20
		c.NoProtobuf = false
		c.MaxFailures = endpoint.NoLimit // the attackers share an address with the others
		c.MaxSessionsPerCert = endpoint.NoLimit
		c.MaxEventsPerSecond, c.MaxBytesPerSecond = 0, 0
	})
	g := w.team(6, 200*time.Millisecond)
	time.Sleep(time.Second)
	before, quiet := footprint(), g.p99()

	ctx, cancel := context.WithTimeout(context.Background(), length)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { w.churn(ctx) })
	all.Go(func() { w.keepReloading(ctx) })
	all.Go(func() { w.keepRevoking(ctx) })
	w.keepAttacking(ctx, g)
	all.Wait()

	eventually(t, "all sessions but the team's are over", func() bool { return w.e.Stats().Sessions == 6 })
	g.check()
	t.Logf("p99 of the latency: %v before, %v during", quiet, g.p99())
	t.Logf("%+v", w.e.Stats())
	var after usage
	eventually(t, "goroutines, descriptors and memory return to where they were", func() bool {
		after = footprint()
		return after.goroutines <= before.goroutines && after.descriptors <= before.descriptors &&
			after.heap <= before.heap+8<<20
	})
	t.Logf("%+v before, %+v after", before, after)
	g.leave()
	w.stop()
	for uid, m := range g.mates {
		<-m.ended
		if m.gone != io.EOF {
			t.Errorf("at the drain, the connection of %s ended with %v", uid, m.gone)
		}
	}
}

// A usage is what a process takes up.
type usage struct {
	goroutines, descriptors int
	heap                    uint64 // in bytes, after the collector has run
}

func footprint() usage {
	// Twice, since what a sync.Pool holds outlives one.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u := usage{goroutines: runtime.NumGoroutine(), heap: m.HeapAlloc}
	// Where a system has no such folder, there is nothing to count.
	if open, err := os.ReadDir("/dev/fd"); err == nil {
		u.descriptors = len(open)
	}
	return u
}

// churn has clients come, speak, listen and go.
func (w *world) churn(ctx context.Context) {
	repeat(ctx, 4, func(p *peer) {
		name := fmt.Sprintf("guest-%d", p.number)
		conn, err := dialPatiently(p, w, w.config(w.ca.Client(w.t, name)))
		if err != nil {
			if ctx.Err() == nil {
				w.t.Errorf("%s does not get in: %v", name, err)
			}
			return
		}
		go io.Copy(io.Discard, conn)
		for n := range 1 + rand.IntN(10) {
			io.WriteString(conn, position(name, n)+chat(n, 200)+ping)
			if !p.wait(time.Duration(rand.IntN(200)) * time.Millisecond) {
				break
			}
		}
		conn.Close()
	})
}

// dialPatiently connects like a device: it tries again. It fails only if there is no getting in for a while.
func dialPatiently(p *peer, w *world, config *tls.Config) (*tls.Conn, error) {
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: patience}, Config: config}
	for try := 0; ; try++ {
		conn, err := d.DialContext(p, "tcp", w.address)
		if err == nil {
			return conn.(*tls.Conn), nil
		}
		if try == 3 || !p.wait(time.Second) {
			return nil, err
		}
	}
}

func (w *world) keepReloading(ctx context.Context) {
	repeat(ctx, 1, func(p *peer) {
		w.reload()
		p.wait(time.Second)
	})
}

// keepRevoking has clients come that are revoked while they speak, and want to come back.
func (w *world) keepRevoking(ctx context.Context) {
	repeat(ctx, 1, func(p *peer) {
		cert := w.ca.Client(w.t, "lost")
		conn, err := dialPatiently(p, w, w.config(cert))
		if err != nil {
			return
		}
		io.WriteString(conn, position("lost", p.round)+ping)
		conn.Read(make([]byte, 1)) // what comes first shows that it is served
		w.revoke(cert)
		if err := endOf(conn); err != nil {
			w.t.Errorf("a revoked client: %v", err)
		}
		if conn := p.enter(w, w.config(cert)); conn != nil {
			if err := endOf(conn); err != nil {
				w.t.Errorf("a revoked client that came back: %v", err)
			}
		}
		p.wait(500 * time.Millisecond)
	})
}

// endOf waits until the endpoint has ended a connection.
func endOf(conn *tls.Conn) error {
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("it was not cut")
	}
	return nil
}

// keepAttacking has two attacks at a time, and in the end each with each.
func (w *world) keepAttacking(ctx context.Context, g *team) {
	var all []attack
	for _, a := range attacks() {
		if a.needs != "" {
			if ok, err := testpki.Has(a.needs); err != nil {
				w.t.Fatal(err)
			} else if !ok {
				continue
			}
		}
		all = append(all, a)
	}
	for k := 0; ctx.Err() == nil; k += 2 {
		pair, cancel := context.WithTimeout(ctx, 2*time.Second)
		var running sync.WaitGroup
		for _, n := range []int{k, k + 1 + k/len(all)} {
			run := all[n%len(all)].prepare(w, g)
			running.Go(func() { run(pair) })
		}
		running.Wait()
		cancel()
	}
}
