package endpoint_test

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/testpki"
)

// listen counts the events that c gets until its session ends.
func listen(c *client) (events func() int, ended <-chan struct{}) {
	var n atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		var held []byte
		buf := make([]byte, 32<<10)
		for {
			k, err := c.conn.Read(buf)
			held = append(held, buf[:k]...)
			last := strings.LastIndex(string(held), "</event>")
			if last >= 0 {
				n.Add(int64(strings.Count(string(held), "</event>")))
				held = held[last+len("</event>"):]
			}
			if err != nil {
				return
			}
		}
	}()
	return func() int { return int(n.Load()) }, done
}

func TestPhoneIsNeverHeldBack(t *testing.T) {
	bubble(t, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		phone, other := connect("phone"), connect("other")
		heard, _ := listen(other)
		begun, sent := time.Now(), 0
		for second := range 600 {
			phone.send(position("phone", second))
			sent++
			if second%5 == 0 {
				phone.send(chat(second, 2000), chat(second, 300))
				sent += 2
			}
			if second%60 == 0 { // an overlay of five hundred markers, sent with one touch
				var markers strings.Builder
				for n := range 500 {
					markers.WriteString(chat(n, 1000))
				}
				phone.send(markers.String())
				sent += 500
			}
			if second%15 == 0 {
				phone.expectNothing()
			}
			time.Sleep(time.Second)
		}
		// Of an overlay, what is more than a second's worth is taken in within a second.
		if took := time.Since(begun); took < 10*time.Minute || took > 10*time.Minute+10*time.Second {
			t.Errorf("sending took %v, want 10m, and ten overlays", took)
		}
		synctest.Wait()
		if got := heard(); got != sent {
			t.Errorf("the other heard %d events, want %d", got, sent)
		}
		if lines := w.log.lines(t, heldBack); len(lines) != 0 {
			t.Errorf("the log says %v", lines)
		}
	})
}

const heldBack = "session held back: it sends more than its budget"

func TestBurstBeyondTheBudgetIsHeldBackAndNothingOfItIsLost(t *testing.T) {
	tests := []struct {
		name         string
		events, size int
		longest      time.Duration
	}{
		{"of events", 5000, 100, 15 * time.Second},               // 2000 at once, 200 a second after that
		{"of bytes", 100, 60_000, 13100 * time.Millisecond},      // 2560 KiB at once, 256 KiB a second after that
		{"within the budget", 2000, 200, 900 * time.Millisecond}, // ten seconds' worth, within one
		{"of bytes within the budget", 50, 50_000, 860 * time.Millisecond},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
				gateway, other := connect("gateway"), connect("other")
				heard, _ := listen(other)
				for range 3 {
					begun, before := time.Now(), heard()
					for n := range tc.events {
						gateway.send(chat(n, tc.size))
					}
					if took := time.Since(begun); took > tc.longest || took < tc.longest*9/10 {
						t.Errorf("sending it took %v, want %v", took, tc.longest)
					}
					time.Sleep(time.Minute)
					if got := heard() - before; got != tc.events {
						t.Errorf("the other heard %d events, want %d", got, tc.events)
					}
				}
				if s := w.e.Stats(); s.Sessions != 2 || len(s.Ended) != 0 {
					t.Errorf("the counters say %+v", s)
				}
			})
		})
	}
}

func TestGatewayThatKeepsWithinItsBudgetAfterABurstIsNotCut(t *testing.T) {
	bubble(t, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		gateway, other := connect("gateway"), connect("other")
		heard, _ := listen(other)
		for n := range 5000 {
			gateway.send(chat(n, 100))
		}
		for range 60 { // 190 a second, but not evenly
			begun := time.Now()
			gateway.send(strings.Repeat(chat(0, 100), 1000))
			time.Sleep(time.Second)
			gateway.send(strings.Repeat(chat(0, 100), 900))
			time.Sleep(10*time.Second - time.Since(begun))
		}
		if got := heard(); got != 5000+60*1900 {
			t.Errorf("the other heard %d events, want %d", got, 5000+60*1900)
		}
		if s := w.e.Stats(); s.Sessions != 2 {
			t.Errorf("the counters say %+v", s)
		}
	})
}

func TestFloodIsCutAfterItsGraceAndCostsNobodyElse(t *testing.T) {
	tests := []struct {
		name, piece string
		mostHeard   int
	}{
		{"of events", strings.Repeat(chat(1, 100), 50), 2000 + 32*200},
		{"of long events", chat(1, 60_000), 10 + 32*256<<10/60_000 + 10*256<<10/60_000},
		{"of pings", strings.Repeat(ping, 10), 0},
		{"of control events", strings.Repeat(`<event uid="q" type="t-x-takp-q"></event>`, 10), 0},
		{"of single bytes", "\n", 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
				mallory, alice, bob := connect("mallory"), connect("alice"), connect("bob")
				heard, _ := listen(bob)
				listen(alice)
				listen(mallory)
				begun := time.Now()
				const neighbour = 20 // events, one each second
				var others sync.WaitGroup
				others.Go(func() {
					for n := range neighbour {
						before := time.Now()
						alice.send(chat(n, 100))
						if took := time.Since(before); took != 0 {
							t.Errorf("the neighbour waited %v to send one event", took)
						}
						time.Sleep(time.Second)
					}
				})
				for {
					if _, err := io.WriteString(mallory.conn, tc.piece); err != nil {
						break
					}
				}
				if took := time.Since(begun); took < 30*time.Second || took > 32*time.Second {
					t.Errorf("it was cut after %v, want 30s, and one for its burst", took)
				}
				others.Wait()
				synctest.Wait()
				if got := heard(); got < neighbour || got > neighbour+tc.mostHeard {
					t.Errorf("the others heard %d events, want %d and at most %d", got, neighbour, tc.mostHeard)
				}
				if got := w.e.Stats().Ended[endpoint.Flood]; got != 1 {
					t.Errorf("%d sessions were cut for a flood, want 1", got)
				}
				cut := w.log.lines(t, "session cut")[0]
				if cut["name"] != "mallory" || cut["cause"] != "flood" {
					t.Errorf("the log says %v", cut)
				}
				lines := w.log.lines(t, heldBack)
				if len(lines) != 1 {
					t.Fatalf("the log says %d times that it was held back, want once", len(lines))
				}
				for _, key := range []string{"name", "serial", "events", "bytes", "within", "max_events_per_second", "max_bytes_per_second", "grace"} {
					if _, ok := lines[0][key]; !ok {
						t.Errorf("the log does not say its %s: %v", key, lines[0])
					}
				}
			})
		})
	}
}

func TestSessionThatIsHeldBackAgainAndAgainIsLoggedOnceAMinute(t *testing.T) {
	bubble(t, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		gateway := connect("gateway")
		for range 20 {
			begun := time.Now()
			for n := range 3000 {
				gateway.send(chat(n, 100))
			}
			time.Sleep(30*time.Second - time.Since(begun))
		}
		if got := len(w.log.lines(t, heldBack)); got != 10 {
			t.Errorf("%d lines in ten minutes, want 10", got)
		}
		if got := w.e.Stats().Sessions; got != 1 {
			t.Errorf("%d sessions, want 1", got)
		}
	})
}

func TestSessionIsRevokedWhileItIsHeldBack(t *testing.T) {
	bubbleWith(t, endpoint.Config{NoProtobuf: true, MaxEventsPerSecond: 1}, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		bob := connect("bob")
		var all strings.Builder
		for n := range 50 {
			all.WriteString(chat(n, 100))
		}
		bob.send(all.String())
		synctest.Wait()
		w.revoke(bob.cert)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if s := w.e.Stats(); s.Sessions != 0 || s.Ended["revoked"] != 1 {
			t.Errorf("the counters say %+v", s)
		}
	})
}

func TestFloodOverTLSLeavesTheOthersAlone(t *testing.T) {
	w := newWorld(t, func(c *endpoint.Config) {
		c.MaxEventsPerSecond, c.MaxBytesPerSecond, c.Grace = 100, 1<<20, 300*time.Millisecond
	})
	mallory, alice, bob := w.client("mallory"), w.client("alice"), w.client("bob")
	flooding := make(chan struct{})
	go func() {
		defer close(flooding)
		for {
			if _, err := io.WriteString(mallory.conn, chat(0, 500)); err != nil {
				return
			}
		}
	}()
	next := func(c *client) string { // of alice
		for {
			if event := c.next(); !strings.Contains(event, `"chat-0"`) && !strings.Contains(event, `type="t-x-d-d"`) {
				return event
			}
		}
	}
	for n := range 500 {
		if n > 0 {
			time.Sleep(time.Millisecond)
		}
		want := position("alice", n)
		alice.send(want)
		if got := next(bob); got != want {
			t.Fatalf("bob got %.200s, want %.200s", got, want)
		}
	}
	<-flooding
	eventually(t, "the flood is counted", func() bool { return w.e.Stats().Ended[endpoint.Flood] == 1 })
	if line := w.log.wait(t, "session cut"); line["name"] != "mallory" || line["cause"] != "flood" {
		t.Errorf("the log says %v", line)
	}
	if got := w.e.Stats().Sessions; got != 2 {
		t.Errorf("%d sessions, want 2", got)
	}
}

func TestBudgetTakesNoMemoryForAnEvent(t *testing.T) {
	pay := endpoint.Payer(endpoint.Config{})
	if got := testing.AllocsPerRun(1000, func() { pay(1, 600) }); got != 0 {
		t.Errorf("%v allocations for a read", got)
	}
}

// BenchmarkBudget is what a read costs beside the work for its events.
func BenchmarkBudget(b *testing.B) {
	for _, events := range []int{1, 27} {
		b.Run(fmt.Sprintf("events-per-read=%d", events), func(b *testing.B) {
			pay := endpoint.Payer(endpoint.Config{MaxEventsPerSecond: endpoint.NoLimit, MaxBytesPerSecond: endpoint.NoLimit})
			b.ReportAllocs()
			for b.Loop() {
				pay(events, 600*events)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*events), "ns/event")
		})
	}
}

func TestFramesCountAsEventsDo(t *testing.T) {
	bubbleWith(t, endpoint.Config{}, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		gateway := w.goOver(connect("gateway"))
		begun := time.Now()
		for n := range 5000 { // 2000 at once, 200 a second after that; in bytes it is within its budget
			gateway.send(frameOf(t, chat(n, 100)))
		}
		if took := time.Since(begun); took < 13500*time.Millisecond || took > 15500*time.Millisecond {
			t.Errorf("sending it took %v, want 15s", took)
		}
		if n := len(w.log.lines(t, heldBack)); n != 1 {
			t.Errorf("the log says %d times that it was held back", n)
		}
	})
}
