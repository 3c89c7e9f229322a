package endpoint

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
	"github.com/ftsca/ftsca/internal/mtls"
)

const (
	// waitSize is the buffer in which an idle session waits: a ping fits in it.
	waitSize = 512
	// linger is how long a peer has to close its side after the endpoint closed the other.
	linger = time.Second
)

// reads are the buffers for those who send a lot. One holds a TLS record.
var reads = sync.Pool{New: func() any { return new([recordSize]byte) }}

// A session is one proved peer: the goroutine that reads from it and the outbox that writes to it.
type session struct {
	id         uint64
	peer       mtls.Peer
	generation int // of the peer's certificate; 0 where nobody knows
	address    string
	since      time.Time
	conn       net.Conn
	under      net.Conn // what conn's TLS runs on; closing it waits for nothing

	endpoint *Endpoint
	out      outbox
	framer   cot.Framer
	messages cot.MessageFramer // once it speaks protobuf
	spoken   encoding          // what the peer speaks, and is spoken to; the reader's own, and the hub's
	strikes  strikes
	budget   budget
	hold     hold
	batch    batch // what is to be published next, and waits for the turn to end
	wait     [waitSize]byte
	waits    bool // a read has to end soon, for batch's sake
	offered  bool // protobuf, and so the peer may ask for it
	told     struct{ impostor, namesake, mission, unsayable, refused reminder }

	cause    atomic.Pointer[Cause] // why the endpoint ended it; nil while it has not
	lingers  atomic.Bool           // all is written, and the peer has a moment to close its side
	active   atomic.Bool           // something came or went since the last look
	heard    atomic.Int64          // how long after since something came, in ns
	quiet    int                   // looks in a row that found nothing; only looked at by Endpoint.look
	received atomic.Uint64         // events
	sent     atomic.Uint64         // events
	dropped  atomic.Uint64         // pieces
}

func (e *Endpoint) newSession(conn, under net.Conn, peer mtls.Peer) *session {
	s := &session{
		id: e.ids.Add(1), peer: peer, address: addressOf(under), since: time.Now(),
		conn: conn, under: under, endpoint: e, generation: e.config.Generation(peer.Serial),
	}
	s.out = outbox{
		conn: conn, limit: load{e.config.QueueEvents, e.config.QueueBytes}, timeout: e.config.Write,
		owner: s, running: &e.running,
	}
	return s
}

func addressOf(c net.Conn) string {
	if a := c.RemoteAddr(); a != nil {
		return a.String()
	}
	return ""
}

// serve reads until the session ends, and ends it.
func (s *session) serve() {
	err := s.read()
	s.publish(&s.batch)
	s.framer.Release()
	s.messages.Release()
	s.end(err)
}

// read takes in what the peer sends. An idle session waits in a small buffer of its own; one that fills it gets a
// large one for as long as it goes on.
func (s *session) read() error {
	var large *[recordSize]byte
	defer func() {
		if large != nil {
			reads.Put(large)
		}
	}()
	for {
		buf := s.wait[:]
		if large != nil {
			buf = large[:]
		}
		s.await()
		n, err := s.conn.Read(buf)
		if s.waits && errors.Is(err, os.ErrDeadlineExceeded) && !s.lingers.Load() {
			err = nil
		}
		if n > 0 {
			s.active.Store(true)
			if err := s.take(buf[:n]); err != nil {
				return err
			}
			if err := s.pace(n); err != nil {
				return err
			}
		}
		switch {
		case err != nil:
			return err
		case n == len(buf) && large == nil:
			large = reads.Get().(*[recordSize]byte)
		case n < len(buf) && large != nil:
			reads.Put(large)
			large = nil
		}
	}
}

// take judges all that is complete, and publishes what is good of it or leaves it to what comes next.
func (s *session) take(data []byte) error {
	if s.spoken == inProtobuf {
		s.messages.Feed(data)
		return s.takeFrames()
	}
	s.framer.Feed(data)
	return s.takePieces()
}

// takePieces takes what came in XML.
func (s *session) takePieces() error {
	b := s.beginIn(inXML)
	var failure error
	for failure == nil {
		piece, ok, err := s.framer.Next()
		if err != nil {
			s.drop(Oversize, len(piece), err)
			s.fail(Oversize)
			failure = err
		}
		if !ok || err != nil {
			break
		}
		s.budget.pieces++
		if failure = s.judge(b, piece); s.spoken == inProtobuf {
			break
		}
	}
	s.pass(b)
	if failure == nil && s.spoken == inProtobuf {
		// What came behind the request, where a peer did not wait for the answer, can only be frames.
		s.messages.Feed(s.framer.Rest())
		s.framer.Release()
		return s.takeFrames()
	}
	return failure
}

// judge answers, drops or adds to b what piece holds. It returns an error when the session is over.
func (s *session) judge(b *batch, piece []byte) error {
	event, err := cot.Parse(piece)
	switch {
	case err != nil:
		return s.strike(len(piece), err)
	case event.IsPing():
		s.receive(inXML, 1, len(event.Raw))
		s.out.putFirst(&parcel{bytes: cot.Pong(s.endpoint.now()), events: 1})
	case event.IsProtocolRequest() && s.offered:
		s.receive(inXML, 1, len(event.Raw))
		s.negotiate(event)
	case event.IsControl():
		s.countDropped(Control)
	case len(event.UID) > longestUID:
		return s.strike(len(piece), errLongUID)
	case !s.speaksFor(event):
	default:
		to, ok := s.route(event)
		if !ok {
			break
		}
		if event.Marti {
			event = event.WithoutMarti()
		}
		s.begin(b, to)
		b.add(event, event.Raw, s.framer.Buffered())
		if b.both {
			s.translate(b, event)
		}
	}
	return nil
}

// beginIn returns what gathers what came in an encoding.
func (s *session) beginIn(e encoding) *batch {
	b := &s.batch
	if b.parcel != nil && b.came != e {
		s.publish(b)
	}
	if b.parcel == nil {
		*b = batch{came: e, both: s.endpoint.hub.needs(e.other())}
	}
	return b
}

// pass publishes what b has gathered, unless the turn is full: then more may come to it until the next one begins.
func (s *session) pass(b *batch) {
	if b.parcel == nil {
		return
	}
	turn := s.allowance()
	if b.to == nil && len(b.parcel.bytes) < turnSize && b.parcel.events < turn.events && s.hold.request(b.parcel, turn) > 0 {
		return
	}
	s.publish(b)
}

// await has the next read end when something waits to be published and may be; and otherwise when something comes.
func (s *session) await() {
	if s.batch.parcel != nil {
		s.pass(&s.batch)
	}
	waits := s.batch.parcel != nil
	if waits == s.waits && !waits || s.lingers.Load() {
		return
	}
	s.waits = waits
	var until time.Time
	if waits {
		until = time.Now().Add(glance)
	}
	_ = s.conn.SetReadDeadline(until)
	if s.lingers.Load() {
		s.linger() // that deadline is not to be moved
	}
}

// begin has b take an event for these receivers: what it has for others is published first.
func (s *session) begin(b *batch, to []destination) {
	if b.parcel != nil && (to != nil || b.to != nil) {
		s.publish(b)
	}
	if b.to = to; to != nil {
		b.both = false // few receive it, and where they need the other form it is made then
	}
}

// publish passes on what b has gathered, and empties it.
func (s *session) publish(b *batch) {
	if b.parcel == nil {
		return
	}
	p, seen, to := b.finish(), b.seen, b.to
	held := s.hold.wait(p, s.allowance())
	s.budget.ready = s.budget.ready.Add(held)
	*b = batch{came: b.came, both: s.endpoint.hub.needs(b.came.other())}
	if to != nil {
		if s.endpoint.hub.send(s, p, to) {
			s.receive(p.came, p.events, len(p.bytes))
		}
		return
	}
	done := s.endpoint.hub.publish(s, p, seen, s.hold.byHandfuls())
	if done.taken {
		s.receive(p.came, p.events, len(p.bytes))
	}
	for _, m := range done.replaced {
		if old, is := m.(*session); is {
			old.cut(Replaced)
		}
	}
	if done.namesake != "" && s.told.namesake.due(time.Now()) {
		s.endpoint.log.Warn("callsign of another name", s.who(), slog.String("other", done.namesake))
	}
}

// strike drops what is malformed, and ends a session in which that came too often.
func (s *session) strike(size int, err error) error {
	s.drop(Malformed, size, err)
	if s.strikes.add(s.endpoint.now()) {
		s.fail(Malformed)
		return err
	}
	return nil
}

func (s *session) receive(in encoding, events, bytes int) {
	s.received.Add(uint64(events))
	c := &s.endpoint.counters.traffic[in]
	c.eventsIn.Add(uint64(events))
	c.bytesIn.Add(uint64(bytes))
}

// drop counts a piece that goes no further, and tells the log of it.
func (s *session) drop(c Cause, size int, err error) {
	s.countDropped(c)
	s.endpoint.log.Info("event dropped", s.who(), slog.String("cause", string(c)), slog.Int("bytes", size),
		slog.Any("error", err))
}

func (s *session) countDropped(c Cause) {
	s.dropped.Add(1)
	s.endpoint.counters.dropped.add(c)
}

// welcome implements member.
func (s *session) welcome(last []*parcel) { s.out.preload(last, asWelcome) }

// hand implements member.
func (s *session) hand(letters []*parcel) { s.out.preload(letters, asLetter) }

// owed implements member.
func (s *session) owed() bool { return s.out.depth(asLetter).events > 0 }

// deliver implements member.
func (s *session) deliver(p *parcel) {
	if !s.out.put(p) {
		// Ending takes the hub's lock, which the caller holds.
		s.endpoint.running.Go(func() { s.cut(Slow) })
	}
}

// wrote implements outboxOwner.
func (s *session) wrote(events, bytes int, in encoding) {
	s.active.Store(true)
	s.sent.Add(uint64(events))
	c := &s.endpoint.counters.traffic[in]
	c.eventsOut.Add(uint64(events))
	c.bytesOut.Add(uint64(bytes))
}

// failed implements outboxOwner.
func (s *session) failed(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.cut(Stalled)
		return
	}
	s.cut(Lost)
}

// flushed implements outboxOwner: it says goodbye, and leaves it to the reader to see the peer do the same.
func (s *session) flushed() {
	s.lingers.Store(true)
	s.linger()
	for _, c := range []net.Conn{s.conn, s.under} {
		half, ok := c.(interface{ CloseWrite() error })
		if !ok || half.CloseWrite() != nil {
			_ = c.Close()
			return
		}
	}
}

// linger gives the peer a moment to close its side.
func (s *session) linger() { _ = s.under.SetReadDeadline(time.Now().Add(linger)) }

// fail sets why the session ends, unless that is known already.
func (s *session) fail(c Cause) bool { return s.cause.CompareAndSwap(nil, &c) }

// cut ends the session at once: when it returns, nothing comes from the peer or goes to it any more. Of several
// causes the first one stands. The reader does the rest.
func (s *session) cut(c Cause) {
	s.fail(c)
	abort(s.under)
	s.out.close()
	s.endpoint.hub.leave(s)
}

// abort closes conn and has the kernel throw away what it has not sent: it may hold megabytes, which it would go on
// delivering to a client that was just revoked.
func abort(conn net.Conn) {
	if tcp, ok := conn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// drain ends the session when all that waits for the peer is written.
func (s *session) drain() {
	s.fail(Drained)
	s.out.finish()
}

// end takes the session out of the endpoint's books. err is what the reader stopped for.
func (s *session) end(err error) {
	if errors.Is(err, io.EOF) {
		s.fail(Left)
	} else {
		s.fail(Lost)
	}
	e := s.endpoint
	cause := *s.cause.Load()
	e.hub.leave(s)
	s.out.close()
	if cause.revoked() {
		e.forget(s.peer.Name) // when it was cut, something of it may have been in hand still
	}
	if cause == Left || cause == Malformed || cause == Oversize {
		_ = s.conn.Close() // with TLS's own goodbye
	} else {
		_ = s.under.Close()
	}
	e.sessions.remove(s)
	e.counters.sessions.Add(-1)
	e.counters.ended.add(cause)
	attrs := []slog.Attr{
		s.who(), slog.String("cause", string(cause)), slog.Duration("lasted", time.Since(s.since)),
		slog.Uint64("received", s.received.Load()), slog.Uint64("sent", s.sent.Load()),
		slog.Uint64("dropped", s.dropped.Load()),
	}
	if cause == Lost {
		attrs = append(attrs, slog.Any("error", err))
	}
	level, what := slog.LevelWarn, "session cut"
	if cause == Left || cause == Lost || cause == Drained || cause == Replaced {
		level, what = slog.LevelInfo, "session ended"
	}
	e.log.LogAttrs(context.Background(), level, what, attrs...)
}

// who names the session in a log line.
func (s *session) who() slog.Attr {
	attrs := []slog.Attr{
		slog.Uint64("session", s.id), slog.String("name", s.peer.Name), slog.String("serial", s.peer.Serial),
		slog.String("fingerprint", s.peer.Fingerprint), slog.String("address", s.address),
	}
	if s.generation > 0 {
		attrs = append(attrs, slog.Int("generation", s.generation))
	}
	return slog.GroupAttrs("", attrs...)
}
