package endpoint_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
)

// budgeted is an attack on an endpoint with the budget that it has by default. It goes on until that is overdrawn.
func budgeted(a attack) attack {
	var attacked *world
	prepare := a.prepare
	a.prepare = func(w *world, g *team) func(context.Context) {
		attacked = w
		return prepare(w, g)
	}
	// The grace is short, for the system has megabytes of a flood in its buffers, which go on being heard at the budget.
	a.config = func(c *endpoint.Config) { c.MaxEventsPerSecond, c.MaxBytesPerSecond, c.Grace = 0, 0, 2*time.Second }
	a.floods, a.over = true, func(endpoint.Stats) bool { return len(attacked.log.lines(attacked.t, heldBack)) > 0 }
	return a
}

func floodOfEvents() attack {
	burst := strings.Repeat(chat(1, 600), 27)
	return budgeted(speaking("a flood of events", func(*peer, int) string { return burst }, nil))
}

func floodOfPings() attack {
	burst := strings.Repeat(ping, 50)
	return budgeted(attack{
		name: "a flood of pings whose answers nobody reads",
		prepare: func(w *world, _ *team) func(context.Context) {
			config := w.config(w.ca.Client(w.t, "eve"))
			return func(ctx context.Context) {
				repeat(ctx, 2, func(p *peer) {
					if conn := p.enter(w, config); conn != nil {
						for _, err := io.WriteString(conn, burst); err == nil; {
							_, err = io.WriteString(conn, burst)
						}
						conn.NetConn().Close()
					}
				})
			}
		},
	})
}

func floodOfPositions() attack {
	return budgeted(speaking("a flood of positions of ever new devices", func(p *peer, piece int) string {
		var b strings.Builder
		for k := range 10 {
			b.WriteString(repeated(fmt.Sprintf("eve-%d-%d-%d-%d", p.number, p.round, piece, k), 1, time.Now().Add(time.Hour)))
		}
		return b.String()
	}, nil))
}

// slowReaders take next to nothing of what a talker says, who is never ahead of the others.
func slowReaders() attack {
	return attack{
		name:   "slow readers",
		config: func(c *endpoint.Config) { c.QueueBytes = 256 << 10 },
		prepare: func(w *world, g *team) func(context.Context) {
			config, talker := w.config(w.ca.Client(w.t, "eve")), w.client("talker")
			const size = 50
			burst := strings.Repeat(chat(1, 600), size)
			return func(ctx context.Context) {
				go io.Copy(io.Discard, talker.conn)
				go repeat(ctx, 2, func(p *peer) {
					p.dialer.Control = narrow
					conn := p.enter(w, config)
					if conn == nil {
						return
					}
					raw := conn.NetConn()
					for err := error(nil); err == nil && p.wait(100*time.Millisecond); {
						_, err = raw.Read(make([]byte, 1))
					}
					raw.Close()
				})
				base, sent := g.strangers(), 0
				repeat(ctx, 1, func(p *peer) {
					for uid, n := range g.strangers() {
						if _, known := base[uid]; !known && n > 0 { // before that it may not have joined
							base[uid] = n - sent
						}
					}
					io.WriteString(talker.conn, burst)
					sent += size
					for uid := range base {
						for g.strangers()[uid] < base[uid]+sent && p.wait(time.Millisecond) {
						}
					}
				})
				talker.conn.Close()
			}
		},
		over: cutFor(endpoint.Slow, 2),
	}
}
