package endpoint_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/teststream"
)

// A team is clients as they ought to be: each tells its position in an interval and hears those of all the others.
type team struct {
	t     testing.TB
	every time.Duration

	mu        sync.Mutex
	mates     map[string]*mate
	latencies []time.Duration
	leaving   bool
}

// A mate is one of a team.
type mate struct {
	uid    string
	client *teststream.Client
	told   [1024]time.Time // when it told the position of that number, the last ones only
	last   map[string]int  // the number of the last position it heard of each other; guarded by team.mu
	heard  map[string]int  // how many it heard
	first  map[string]int
	others int   // how many messages it heard of those who are no mates
	gone   error // what its Run returned
	ended  chan struct{}
}

func newTeam(t testing.TB, every time.Duration) *team {
	return &team{t: t, every: every, mates: make(map[string]*mate)}
}

// join has a mate speak on conn until ctx is done.
func (g *team) join(ctx context.Context, uid string, conn net.Conn) *mate {
	m := &mate{uid: uid, last: make(map[string]int), heard: make(map[string]int), first: make(map[string]int),
		ended: make(chan struct{})}
	g.mu.Lock()
	m.client = teststream.New(conn, teststream.Options{
		UID: uid, Callsign: strings.ToUpper(uid),
		Protobuf: len(g.mates)%2 == 1, // both forms have to understand each other
		Heard:    func(message teststream.Message) { g.hear(m, message) },
		Told:     func(n int) { g.tell(m, n) },
	})
	g.mates[uid] = m
	g.mu.Unlock()
	go func() {
		defer close(m.ended)
		err := m.client.Run(ctx)
		g.mu.Lock()
		defer g.mu.Unlock()
		m.gone = err
		if err != nil && !g.leaving {
			g.t.Errorf("the connection of %s ended: %v", uid, err)
		}
	}()
	m.client.Report(g.every)
	return m
}

func (g *team) tell(m *mate, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m.told[n%len(m.told)] = time.Now()
}

// hear notes what m heard. The positions of one mate come in turn, without a gap.
func (g *team) hear(m *mate, message teststream.Message) {
	g.mu.Lock()
	defer g.mu.Unlock()
	from := g.mates[message.UID]
	if from == nil || from == m {
		m.others++
		return
	}
	n, last := message.Number, m.last[from.uid]
	m.heard[from.uid]++
	if last == 0 {
		m.first[from.uid] = n // may be the last position that it was sent as a newcomer
	} else if n != last+1 {
		g.t.Errorf("%s heard position %d of %s after %d", m.uid, n, from.uid, last)
	} else {
		g.latencies = append(g.latencies, time.Since(from.told[n%len(from.told)]))
	}
	m.last[from.uid] = n
}

// complete tells whether every mate has heard every other; all of it, where nobody tells more.
func (g *team) complete(all bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.mates {
		for uid, other := range g.mates {
			if other == m {
				continue
			}
			if m.last[uid] == 0 || all && m.last[uid] != other.client.Stats().Positions {
				return false
			}
		}
	}
	return true
}

// report has all mates tell their positions in this interval; 0: no more.
func (g *team) report(every time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.mates {
		m.client.Report(every)
	}
}

// check has all fall silent and shows that none has missed a position of any other, or been cut.
func (g *team) check() {
	g.t.Helper()
	g.report(0)
	for !g.t.Failed() && !g.complete(true) {
		before := g.volume()
		// All that a flood left behind comes first: that may take a while, but something has to come.
		eventually(g.t, "every position has been heard by every mate", func() bool {
			return g.t.Failed() || g.complete(true) || g.volume() > before
		})
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.mates {
		for uid, n := range m.heard {
			if want := m.last[uid] - m.first[uid] + 1; n != want {
				g.t.Errorf("%s heard %d positions of %s, want %d", m.uid, n, uid, want)
			}
		}
		if s := m.client.Stats(); s.Garbage > 0 {
			g.t.Errorf("%s was sent %d bytes that it could not read", m.uid, s.Garbage)
		}
	}
}

// measured tells whether there is a latency since p99 was last asked.
func (g *team) measured() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.latencies) > 0
}

// p99 is the 99th percentile of the latencies since it was last asked.
func (g *team) p99() time.Duration {
	g.mu.Lock()
	all := g.latencies
	g.latencies = nil
	g.mu.Unlock()
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)*99/100]
}

// strangers is how many messages each mate has heard of those who are no mates.
func (g *team) strangers() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make(map[string]int)
	for uid, m := range g.mates {
		all[uid] = m.others
	}
	return all
}

// volume is the number of messages that came to mates.
func (g *team) volume() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, m := range g.mates {
		n += m.others
		for _, heard := range m.heard {
			n += heard
		}
	}
	return n
}

// leave has nobody complain about an ending any more.
func (g *team) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leaving = true
}

// team connects n mates over TLS. They have all heard each other when it returns.
func (w *world) team(n int, every time.Duration) *team {
	w.t.Helper()
	g := newTeam(w.t, every)
	for k := range n {
		w.enlist(g, fmt.Sprint("mate-", k))
	}
	eventually(w.t, "all mates hear each other", func() bool { return g.complete(false) })
	return g
}

// enlist connects one more mate.
func (w *world) enlist(g *team, uid string) *mate {
	w.t.Helper()
	conn, err := tls.Dial("tcp", w.address, w.config(w.ca.Client(w.t, uid)))
	if err != nil {
		w.t.Fatalf("%s, dialling: %v", uid, err)
	}
	// As a phone has it, and not the megabytes in which a flood would wait unseen.
	conn.NetConn().(*net.TCPConn).SetReadBuffer(64 << 10)
	ctx, cancel := context.WithCancel(context.Background())
	m := g.join(ctx, uid, conn)
	w.t.Cleanup(func() {
		cancel()
		<-m.ended
	})
	return m
}
