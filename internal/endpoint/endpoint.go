package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ftsca/ftsca/internal/mtls"
)

// judgeEvery is how often certificates are looked at for having expired.
const judgeEvery = time.Minute

// idleLooks is how many looks in a row must find a session quiet before it is cut.
const idleLooks = 10

// An Endpoint is a CoT endpoint: its hub, its sessions and its counters. Make one with New; its methods may be called
// from any goroutine.
type Endpoint struct {
	config   Config
	gate     *mtls.Gate
	tls      *tls.Config
	log      *slog.Logger
	now      func() time.Time
	hub      *hub
	items    *items
	held     *held
	groups   *groups
	sessions sessions
	bound    *bindings
	shaking  handshakes
	door     door
	rates    rates
	talk     talk
	counters counters
	ids      atomic.Uint64
	served   atomic.Bool
	running  sync.WaitGroup // every goroutine but that of Serve
}

// New returns an endpoint that waits for Serve. It panics when c.Gate is nil.
func New(c Config) *Endpoint {
	if c.Gate == nil {
		panic("endpoint: Config.Gate is nil")
	}
	c = c.withDefaults()
	items, held := newItems(room{c.Items, c.ItemBytes}, room{c.NameItems, c.NameItemBytes}), newHeld(c.Hold)
	e := &Endpoint{
		config: c, gate: c.Gate, tls: c.Gate.Config(), log: c.Log, now: c.Now, hub: newHub(c.Now, items, held),
		items: items, held: held, groups: newGroups(c.Groups),
		bound:    newBindings(room{maxBindings, maxBindingBytes}, room{nameBindings, nameBindingBytes}),
		sessions: sessions{limit: c.MaxClients, each: c.MaxSessionsPerCert},
		shaking:  handshakes{limit: c.MaxHandshakes, patience: c.Handshake / 5},
		rates:    ratesOf(c),
		talk:     talk{began: time.Now()},
	}
	e.door = newDoor(c, e.sessions.full)
	return e
}

// Serve takes connections from l until ctx is done; then it takes no more, lets the queues empty for Config.Drain at
// most, closes every session with TLS's close_notify and returns nil. It returns an error when l fails for good, after
// draining the same way. When it returns, l is closed and no goroutine of the endpoint runs. It can be called once.
func (e *Endpoint) Serve(ctx context.Context, l net.Listener) error {
	if !e.served.CompareAndSwap(false, true) {
		return errors.New("serving on " + l.Addr().String() + ": this endpoint has served already")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	context.AfterFunc(ctx, func() { _ = l.Close() })
	e.running.Go(func() { e.watch(ctx) })
	err := e.accept(ctx, l)
	stop()
	_ = l.Close()
	e.drain()
	if err != nil {
		return fmt.Errorf("accepting connections on %s: %w", l.Addr(), err)
	}
	return nil
}

// Judge judges every live session by the trust now in force. When it returns, those that did not pass are cut:
// nothing that they sent is passed on any more. Call it after mtls.Gate.Swap; each minute it runs by itself, for the
// sake of certificates that expire.
func (e *Endpoint) Judge() {
	trust, now := e.gate.Trust(), e.now()
	for _, s := range e.sessions.picture() {
		if err := trust.Judge(s.peer.Chains, now); err != nil {
			cause := refusalCause(err)
			s.cut(cause)
			if cause.revoked() {
				e.forget(s.peer.Name)
			}
		}
	}
	// Who is away is revoked too, and leaves things behind.
	authors := map[string][][]*x509.Certificate{}
	e.items.authors(authors)
	e.held.authors(authors)
	for name, chains := range authors {
		if refusalCause(trust.Judge(chains, now)).revoked() {
			e.forget(name)
		}
	}
}

// forget lets go of all that a revoked name has claimed, put on the map, and said to those who are away; unless it is here
// with another certificate.
func (e *Endpoint) forget(name string) {
	for _, s := range e.sessions.picture() {
		if s.peer.Name == name && s.cause.Load() == nil {
			return
		}
	}
	e.bound.releaseName(name)
	e.items.forget(name)
	e.held.forget(name)
}

// Unbind frees a uid from the name that has claimed it, and tells whether one had.
func (e *Endpoint) Unbind(uid string) bool {
	e.held.release(uid)
	return e.bound.release(uid)
}

// Stats returns the counters as they are now.
func (e *Endpoint) Stats() Stats {
	c := &e.counters
	kept, held := e.items.size(), e.held.size()
	xml, protobuf := c.traffic[inXML].picture(), c.traffic[inProtobuf].picture()
	queued, longest := e.queued()
	return Stats{
		Sessions:   int(c.sessions.Load()),
		TurnedAway: e.door.turned.total.picture(),
		Handshakes: c.handshakes.picture(),
		Traffic:    xml.plus(protobuf), XML: xml, Protobuf: protobuf,
		Queued: queued, Longest: longest,
		Dropped: c.dropped.picture(),
		Ended:   c.ended.picture(),
		Items:   kept.count, ItemBytes: kept.bytes, Held: held.count,
		Bound: e.bound.len(),
	}
}

// Alive returns when it has held each lock that sessions, events and names go through. Where one of them is held for ever,
// it never does.
func (e *Endpoint) Alive() {
	e.Stats()
	e.hub.pass()
	e.groups.of(mtls.Peer{})
}

// queued is what waits for peers: of all, and the events of the one that is furthest behind.
func (e *Endpoint) queued() (all Load, longest int) {
	for _, s := range e.sessions.picture() {
		l := s.out.depth(asLive)
		all.Events += l.events
		all.Bytes += l.bytes
		longest = max(longest, l.events)
	}
	return all, longest
}

// shaken counts a handshake that has ended.
func (e *Endpoint) shaken(result Cause, since time.Time) {
	e.counters.handshakes.add(result)
	e.config.Handshaken(result, time.Since(since))
}

// watch looks at all sessions from time to time until ctx is done.
func (e *Endpoint) watch(ctx context.Context) {
	judge := time.NewTicker(judgeEvery)
	defer judge.Stop()
	look := time.NewTicker(max(e.config.Idle/idleLooks, 1))
	defer look.Stop()
	defer e.door.turned.tell()
	for {
		select {
		case <-ctx.Done():
			return
		case <-judge.C:
			e.Judge()
			e.door.turned.tell()
			e.items.sweep(e.now())
			e.held.sweep(e.now())
		case <-look.C:
			e.look()
		}
	}
}

// look cuts the sessions on which nothing came and nothing went for too long. One mark for each read or write and a
// look now and then cost less than a deadline moved with every read.
func (e *Endpoint) look() {
	for _, s := range e.sessions.picture() {
		if s.active.Swap(false) {
			s.quiet = 0
			continue
		}
		if s.quiet++; s.quiet >= idleLooks {
			s.cut(Idle)
		}
	}
}

// admit makes a session of a peer that has proved itself. The session is entered first, so that a change of the trust
// finds it, and judged then, by the trust in force; only one that passes is counted, joins the hub and is
// returned, to be served. Otherwise conn is closed, and admit returns nil.
func (e *Endpoint) admit(conn, under net.Conn, peer mtls.Peer, since time.Time) *session {
	s := e.newSession(conn, under, peer)
	cause, ghost := e.sessions.add(s)
	if ghost != nil {
		ghost.cut(Replaced)
	}
	if cause == Full {
		e.shaken(Full, since)
		e.log.Warn("session refused", s.who(), slog.String("cause", string(Full)),
			slog.Int("max_clients", e.config.MaxClients))
	}
	if cause != OK {
		_ = under.Close()
		return nil
	}
	if err := e.gate.Trust().Judge(peer.Chains, e.now()); err != nil {
		e.sessions.remove(s)
		_ = under.Close()
		cause = refusalCause(err)
		e.shaken(cause, since)
		e.log.Warn("session refused", s.who(), slog.String("cause", string(cause)), slog.Any("error", err))
		return nil
	}
	e.shaken(OK, since)
	e.door.failures.clear(sourceOf(hostOf(under)))
	e.counters.sessions.Add(1)
	s.offer()
	groups := e.hub.join(author{member: s, name: peer.Name, chains: peer.Chains}, func() *groupSet { return e.groups.of(peer) })
	e.log.LogAttrs(context.Background(), slog.LevelInfo, "session started", s.who(), slog.String("groups", groups.text))
	if s.cause.Load() != nil {
		e.hub.leave(s) // cut before it joined; what it sent along with its handshake is not to be heard
	}
	return s
}

// drain ends everything and returns when all goroutines have.
func (e *Endpoint) drain() {
	e.shaking.close()
	e.sessions.close()
	e.hub.close()
	for _, s := range e.sessions.picture() {
		s.drain()
	}
	done, over := make(chan struct{}), time.NewTimer(e.config.Drain)
	defer over.Stop()
	go func() {
		e.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return
	case <-over.C:
	}
	for _, s := range e.sessions.picture() {
		s.cut(Drained)
	}
	<-done
}

func (c Cause) revoked() bool { return c == Cause(mtls.Revoked.String()) }

// refusalCause is the cause for which the trust in force refused a peer.
func refusalCause(err error) Cause {
	var refusal *mtls.Refusal
	if errors.As(err, &refusal) {
		return Cause(refusal.Cause.String())
	}
	return Failed
}
