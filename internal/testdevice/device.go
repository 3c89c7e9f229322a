package testdevice

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"
)

const (
	connectTimeout = 20 * time.Second // ATAK's own
	writeTimeout   = 25 * time.Second // after that long without an answer ATAK resets the connection
	maxMessage     = 65536            // ATAK's receive buffer
	minRead        = 4 << 10
)

// Device is a connected device. One goroutine may use Next and Ping, others Send, at the same time.
type Device struct {
	conn    *tls.Conn
	uid     string
	now     func() time.Time
	buf     []byte
	kept    [][]byte // events that came while a ping waited
	sending sync.Mutex
}

// Dial connects to addr (host:port), or to where the package says if addr is empty, and returns when the handshake is
// done. As ATAK does, it judges the server's certificate by the trust store alone, ignores the chain that the server
// sends and the name in the certificate, and sends its own certificate without a chain, whichever authorities the server
// asked for. In TLS 1.3 a device learns that it was refused only when it reads.
func (p *Package) Dial(ctx context.Context, addr string) (*Device, error) {
	if addr == "" {
		addr = net.JoinHostPort(p.Host, strconv.Itoa(p.Port))
	}
	now := p.Now
	if now == nil {
		now = time.Now
	}
	identity := p.Identity
	config := &tls.Config{
		// The device knows no name, so VerifyConnection does all the work.
		InsecureSkipVerify: true,
		VerifyConnection:   func(cs tls.ConnectionState) error { return p.judge(cs.PeerCertificates[0], now()) },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &identity, nil
		},
		Time: now,
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("connecting to %s: %w", addr, err)
	}
	return &Device{conn: conn, now: now, uid: "ANDROID-" + p.Identity.Leaf.SerialNumber.Text(16)}, nil
}

var anyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}

func (p *Package) judge(leaf *x509.Certificate, now time.Time) error {
	roots, rest := split(p.Authorities)
	options := x509.VerifyOptions{Roots: roots, Intermediates: rest, CurrentTime: now, KeyUsages: anyUsage}
	if _, err := leaf.Verify(options); err != nil {
		return fmt.Errorf("the server's certificate, by the trust store of the package: %w", err)
	}
	return nil
}

// State tells what was negotiated.
func (d *Device) State() tls.ConnectionState { return d.conn.ConnectionState() }

// Send writes bytes as they are. It gives up after 25 seconds.
func (d *Device) Send(raw []byte) error {
	d.sending.Lock()
	defer d.sending.Unlock()
	if err := d.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := d.conn.Write(raw)
	return err
}

// Next returns the next event, up to and with the literal </event>, without the blanks in front of it. It returns an
// error when ctx is done, when the connection is over, and when an event is longer than the 65,536 bytes that ATAK takes.
// A later Next goes on where one that ran out of time stopped.
func (d *Device) Next(ctx context.Context) ([]byte, error) {
	if len(d.kept) > 0 {
		event := d.kept[0]
		d.kept = d.kept[1:]
		return event, nil
	}
	return d.read(ctx)
}

// Ping sends ATAK's ping and waits for the answer. Events that come before it are kept for Next.
func (d *Device) Ping(ctx context.Context) error {
	if err := d.Send(ping(d.uid, d.now())); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	for {
		event, err := d.read(ctx)
		if err != nil {
			return fmt.Errorf("waiting for the answer to a ping: %w", err)
		}
		if kind(event) == "t-x-c-t-r" {
			return nil
		}
		d.kept = append(d.kept, event)
	}
}

// Close ends the connection.
func (d *Device) Close() { _ = d.conn.Close() }

var eventEnd = []byte("</event>")

func (d *Device) read(ctx context.Context) ([]byte, error) {
	searched := 0
	for {
		if i := bytes.Index(d.buf[searched:], eventEnd); i >= 0 {
			end := searched + i + len(eventEnd)
			event := bytes.Clone(bytes.TrimLeft(d.buf[:end], " \t\r\n"))
			d.buf = d.buf[end:]
			return event, nil
		}
		searched = max(0, len(d.buf)-len(eventEnd)+1)
		if len(d.buf) > maxMessage {
			return nil, errors.New("an event is longer than 65536 bytes")
		}
		if err := d.fill(ctx); err != nil {
			return nil, err
		}
	}
}

// fill reads what is there, or waits for something.
func (d *Device) fill(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		_ = d.conn.SetReadDeadline(time.Unix(1, 0))
	})
	if cap(d.buf)-len(d.buf) < minRead {
		d.buf = append(make([]byte, 0, len(d.buf)+32<<10), d.buf...)
	}
	n, err := d.conn.Read(d.buf[len(d.buf):cap(d.buf)])
	d.buf = d.buf[:len(d.buf)+n]
	if !stop() {
		// Only now is the deadline its own no more.
		<-interrupted
	}
	if n > 0 {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
