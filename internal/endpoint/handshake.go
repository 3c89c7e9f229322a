package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/ftsca/ftsca/internal/mtls"
)

// shake has the peer on conn prove itself and returns a session to be served; otherwise nil, and conn is closed.
func (e *Endpoint) shake(conn net.Conn, p *place) *session {
	growStack()
	keepAlive(conn, e.config.Idle)
	_ = conn.SetDeadline(time.Now().Add(e.config.Handshake))
	secure := tls.Server(conn, e.tls)
	if err := secure.Handshake(); err != nil {
		e.refuse(conn, p, err)
		return nil
	}
	_ = conn.SetDeadline(time.Time{})
	peer, err := mtls.PeerOf(secure.ConnectionState())
	if err != nil {
		e.refuse(conn, p, err)
		return nil
	}
	return e.admit(secure, conn, peer, p.since)
}

// growStack has this goroutine's stack grow to what a handshake needs, in one step and while there is next to nothing on
// it: otherwise it would be doubled three times, and all that is on it copied each time.
//
//go:noinline
func growStack() {
	var space [12 << 10]byte
	runtime.KeepAlive(&space)
}

// refuse closes a connection whose handshake failed. Who the peer claimed to be is not proved at this point, so nothing
// is counted for that name, and the log says so where it repeats the claim.
func (e *Endpoint) refuse(conn net.Conn, p *place, err error) {
	cause := handshakeCause(err)
	if e.shaking.madeRoom(p) {
		cause = Crowded
	}
	e.shaken(cause, p.since)
	e.door.failures.add(sourceOf(hostOf(conn)), time.Now())
	level := slog.LevelInfo
	if cause == Closed {
		level = slog.LevelDebug // a port scan, a health check
	}
	why := slog.Any("error", err)
	var refusal *mtls.Refusal
	if errors.As(err, &refusal) {
		why = slog.Any("unproved", err) // it names whom the peer claimed to be
	}
	e.log.Log(context.Background(), level, "handshake failed", slog.String("address", addressOf(conn)),
		slog.String("cause", string(cause)), why)
	goodbye(conn)
}

// goodbye closes conn so that the peer can still read the alert that says why: closing with bytes unread would reset
// the connection and take the alert away.
func goodbye(conn net.Conn) {
	defer conn.Close()
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = conn.SetReadDeadline(time.Now().Add(linger))
	_, _ = io.CopyN(io.Discard, conn, 2*recordSize)
}

// handshakeCause is the word for what a handshake failed of.
func handshakeCause(err error) Cause {
	var refusal *mtls.Refusal
	var header tls.RecordHeaderError
	var invalid x509.CertificateInvalidError
	var unverified *tls.CertificateVerificationError
	switch {
	case errors.As(err, &refusal):
		return refusalCause(err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return Cause(mtls.Expired.String()) // or not yet valid: package x509 has one reason for both
	case errors.As(err, &unverified):
		return Cause(mtls.Untrusted.String())
	case errors.As(err, &header):
		return NotTLS
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Timeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Closed
	}
	return Failed
}
