package endpoint

import (
	"context"
	"net"

	"github.com/ftsca/ftsca/internal/mtls"
)

// Admit begins a session on a connection without TLS.
func (e *Endpoint) Admit(conn net.Conn, peer mtls.Peer) { e.admit(conn, conn, peer) }

// Watch does what Serve does in the background, until ctx is done, and drains then.
func (e *Endpoint) Watch(ctx context.Context) {
	e.watch(ctx)
	e.drain()
}
