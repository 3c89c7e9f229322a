package endpoint_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
)

func TestTwoClientsExchangeEventsByteForByteHoweverCutOrMerged(t *testing.T) {
	w := newWorld(t, func(c *endpoint.Config) { c.Bind = endpoint.BindOff }) // both say the same
	alice, bob := w.client("alice"), w.client("bob")
	events := []string{
		position("alice", 1),
		`<event uid='q' type="b-m-p-s-m"  how="h-e"><!-- kept --><point lat='1'  lon="2"/><détail a="&amp;&#x41;">` +
			"\r\n\t<![CDATA[<&]]></détail></event>",
		chat(1, 600), chat(2, 30_000), chat(3, 64<<10),
	}
	last := len(events) - 1 // as long as an event may be, so only white space goes before it
	between := "\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- between -->"
	whole := strings.Join(events[:last], between) + "\r\n " + events[last]
	cuts := []struct {
		name string
		size func() int
	}{
		{"merged into one write", func() int { return len(whole) }},
		{"in pieces of 512 bytes", func() int { return 512 }},
		{"in pieces of 16 KiB", func() int { return 16 << 10 }},
		{"in pieces of 1 to 4000 bytes", func() int { return 1 + rand.IntN(4000) }},
	}
	for _, tc := range cuts {
		for _, way := range []struct{ from, to *client }{{alice, bob}, {bob, alice}} {
			t.Log(tc.name)
			go func() {
				for rest := whole; rest != ""; {
					n := min(tc.size(), len(rest))
					way.from.conn.Write([]byte(rest[:n]))
					rest = rest[n:]
				}
			}()
			way.to.expect(events...)
			way.to.expectNothing()
			way.from.expectNothing()
		}
	}
	one := alice.conn
	go func() {
		for _, b := range []byte(events[0]) {
			one.Write([]byte{b})
		}
	}()
	bob.expect(events[0])
}

func TestPingIsAnsweredAndNotPassedOn(t *testing.T) {
	w := newWorld(t, nil)
	alice, bob := w.client("alice"), w.client("bob")
	alice.send(ping)
	if got := alice.next(); !isPong(got) || !strings.Contains(got, `uid="takPong"`) {
		t.Errorf("the answer to a ping is %s", got)
	}
	alice.send(strings.Replace(ping, "t-x-c-t", "t-x-c-t-r", 1), strings.Replace(ping, "t-x-c-t", "t-x-takp-q", 1))
	alice.send(chat(1, 100))
	bob.expect(chat(1, 100))
	if got := w.e.Stats().Dropped[endpoint.Control]; got != 2 {
		t.Errorf("%d control events were kept back, want 2", got)
	}
}

func TestNewcomerGetsEveryonesLastPositionOnce(t *testing.T) {
	w := newWorld(t, nil)
	alice, gateway := w.client("alice"), w.client("gateway")
	later := time.Now().Add(time.Hour)
	alice.send(position("alice", 1), chat(1, 200), position("alice", 2)+repeated("drone", 1, later))
	gateway.expect(position("alice", 1), chat(1, 200), position("alice", 2), repeated("drone", 1, later))
	gateway.send(repeated("ship", 1, later), repeated("ship", 2, later), repeated("wreck", 1, time.Now().Add(-time.Hour)),
		repeated("alice", 3, later)) // alice speaks for herself
	alice.expect(repeated("ship", 1, later), repeated("ship", 2, later))
	gateway.expectNothing()

	bob := w.client("bob")
	got := map[string]bool{}
	for range 3 {
		got[bob.next()] = true
	}
	for _, want := range []string{position("alice", 2), repeated("drone", 1, later), repeated("ship", 2, later)} {
		if !got[want] {
			t.Errorf("the newcomer was not sent %s", want)
		}
	}
	bob.expectNothing()
}

func TestNewcomerMissesNothingAndSeesNothingOlderAfterNewer(t *testing.T) {
	w := newWorld(t, nil)
	sender := w.client("sender")
	stop := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			default:
				sender.send(position("sender", n))
				if n%16 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		}
	})
	var joining sync.WaitGroup
	for k := range 8 {
		cert := w.ca.Client(t, fmt.Sprint("newcomer ", k))
		joining.Go(func() {
			for range 3 {
				c := w.dial(w.config(cert))
				last := 0
				for range 40 {
					event, err := c.read()
					if err != nil {
						t.Errorf("reading: %v", err)
						return
					}
					var n int
					_, rest, _ := strings.Cut(event, `lat="`)
					fmt.Sscanf(rest, "%d", &n)
					if last != 0 && n != last+1 {
						t.Errorf("position %d came after %d", n, last)
					}
					last = n
				}
				c.conn.Close()
			}
		})
	}
	joining.Wait()
	close(stop)
	sending.Wait()
}

func TestOthersLearnThatAClientIsGone(t *testing.T) {
	w := newWorld(t, nil)
	alice, bob := w.client("alice"), w.client("bob")
	later := time.Now().Add(time.Hour)
	alice.send(position("alice", 1), position("tablet", 1), repeated("drone", 1, later))
	bob.expect(position("alice", 1), position("tablet", 1), repeated("drone", 1, later))
	alice.conn.Close()
	for _, uid := range []string{"alice", "tablet"} {
		got := bob.next()
		if !strings.Contains(got, `type="t-x-d-d"`) || !strings.Contains(got, `<link uid="`+uid+`" type="a-f-G-U-C"`) {
			t.Errorf("after the client left, the others got %s", got)
		}
	}
	bob.expectNothing() // nothing is said of the drone, which may be there still
	carol := w.client("carol")
	carol.expect(repeated("drone", 1, later))
	carol.expectNothing()
}

func TestUIDThatCameBackOnANewConnectionIsNotSaidToBeGone(t *testing.T) {
	w := newWorld(t, nil)
	old, bob := w.client("alice"), w.client("bob")
	old.send(position("alice", 1))
	bob.expect(position("alice", 1))
	again := w.clientWith(old.cert)
	again.send(position("alice", 2))
	bob.expect(position("alice", 2))
	old.conn.Close()
	eventually(t, "the old session ends", func() bool { return w.e.Stats().Sessions == 2 })
	bob.expectNothing()
	w.client("carol").expect(position("alice", 2))
}

func TestMalformedEventIsDroppedAndTheNextPassesOn(t *testing.T) {
	tests := []struct{ name, piece string }{
		{"document type", `<!DOCTYPE event [<!ENTITY a "b">]><event uid="x" type="a-f-G">&a;</event>`},
		{"not well-formed", `<event uid="x" type="a-f-G"><point></event>`},
		{"no event", `<thing></thing></event>`},
		{"control character", "<event uid=\"x\x01\" type=\"a-f-G\"></event>"},
		{"not UTF-8", "<event uid=\"\xff\" type=\"a-f-G\"></event>"},
		{"two roots", `<event uid="x" type="a-f-G"/><event uid="x" type="a-f-G"></event>`},
		{"too deep", `<event uid="x" type="a-f-G">` + strings.Repeat("<a>", 70) + strings.Repeat("</a>", 70) + `</event>`},
	}
	w := newWorld(t, nil)
	alice, bob := w.client("alice"), w.client("bob")
	for i, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			alice.send(chat(2*i, 100) + tc.piece + chat(2*i+1, 100))
			bob.expect(chat(2*i, 100), chat(2*i+1, 100))
			if got := w.e.Stats().Dropped[endpoint.Malformed]; got != uint64(i+1) {
				t.Errorf("%d pieces counted as malformed, want %d", got, i+1)
			}
		})
	}
	line := w.log.wait(t, "event dropped")
	if line["name"] != "alice" || line["cause"] != "malformed" || line["error"] == "" {
		t.Errorf("the log says %v", line)
	}
}

func TestTenthMalformedEventInAMinuteCutsTheSession(t *testing.T) {
	w := newWorld(t, nil)
	alice, bob := w.client("alice"), w.client("bob")
	bad := `<event><point></event>`
	alice.send(strings.Repeat(bad, 9), chat(1, 100))
	bob.expect(chat(1, 100))
	alice.send(chat(2, 100) + bad + chat(3, 100))
	bob.expect(chat(2, 100))
	alice.expectEnd()
	bob.expectNothing()
	if line := w.log.wait(t, "session cut"); line["cause"] != "malformed" || line["name"] != "alice" {
		t.Errorf("the log says %v", line)
	}
}
