package endpoint

import (
	"context"
	"net"
	"time"

	"github.com/ftsca/ftsca/internal/mtls"
)

// Admit begins a session on a connection without TLS.
func (e *Endpoint) Admit(conn net.Conn, peer mtls.Peer) {
	if s := e.admit(conn, conn, peer, time.Now()); s != nil {
		e.running.Go(s.serve)
	}
}

// Watch does what Serve does in the background, until ctx is done, and drains then.
func (e *Endpoint) Watch(ctx context.Context) {
	e.watch(ctx)
	e.drain()
}

// RememberFailing sets how many addresses that failed are remembered.
func (e *Endpoint) RememberFailing(n int) { e.door.failures.size = n }

// Payer returns what a session of an endpoint with this Config does to its budget at each read.
func Payer(c Config) func(events, bytes int) {
	r, b := ratesOf(c.withDefaults()), budget{}
	return func(events, bytes int) {
		b.pieces = events
		_, _, _ = b.pay(&r, bytes, time.Now())
	}
}

// MaxPongs is how many answers wait for a peer that does not read.
const MaxPongs = maxPongs
