package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"
)

// dial connects and shakes hands.
func dial(ctx context.Context, o Options, leaf *x509.Certificate, met *Met) (*tls.Conn, error) {
	started := time.Now()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(o.Host, strconv.Itoa(o.Port)))
	if err != nil {
		return nil, err
	}
	met.Address = raw.RemoteAddr().String()
	identity := tls.Certificate{Certificate: o.Identity.Certificate[:1], PrivateKey: o.Identity.PrivateKey, Leaf: leaf}
	conn := tls.Client(raw, &tls.Config{
		// A device knows no name, and judge verifies all that it does.
		InsecureSkipVerify: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			met.see(cs, o.Host)
			return met.judge(o)
		},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			met.AskedForCertificate = true
			return &identity, nil
		},
		ServerName: serverName(o.Host),
		Time:       o.Now,
	})
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	met.Handshake = time.Since(started)
	return conn, nil
}

// serverName is what TLS tells the server that the client wants; it takes no addresses.
func serverName(host string) string {
	if net.ParseIP(host) != nil {
		return ""
	}
	return host
}

// see notes what the handshake shows.
func (m *Met) see(cs tls.ConnectionState, host string) {
	m.Version, m.Cipher = tls.VersionName(cs.Version), tls.CipherSuiteName(cs.CipherSuite)
	m.Sent = cs.PeerCertificates
	if len(m.Sent) == 0 {
		return
	}
	m.Server = m.Sent[0]
	if err := m.Server.VerifyHostname(host); err != nil {
		m.NameFault = nameFault(m.Server, host)
		return
	}
	m.NameMatches = true
}

// explain turns an error of the network into words.
func explain(ctx context.Context, err error, o Options, met Met) error {
	var (
		refusal *Refusal
		dns     *net.DNSError
		record  tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.As(err, &dns):
		return wrap(err, "the name is not known here: check how it is written, and that this machine has the "+
			"device's network and DNS")
	case errors.As(err, &record):
		return wrap(err, "what answers does not speak TLS: the port may be that for plain CoT (8087), or a web "+
			"server's")
	case errors.Is(err, syscall.ECONNREFUSED):
		return wrap(err, "nothing listens there: is the server running, and on this port?")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return wrap(err, "there is no way to it from here: check address, network and firewall")
	}
	if alert := alertOf(err); alert != "" {
		return refusedBy(alert, err, met)
	}
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return late(err, o, met)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return closed(err, met)
	}
	return err
}

// late tells at what point the time ran out.
func late(err error, o Options, met Met) error {
	switch {
	case met.Address == "":
		return wrapf(err, "nothing answered within %s: check address and port, and whether a firewall drops what comes",
			o.Timeout)
	case met.Handshake == 0:
		return wrapf(err, "the TLS handshake was not over within %s: what listens there may be no TLS server, or one "+
			"that is busy with another client (FreeTAKServer takes them one by one)", o.Timeout)
	}
	return wrapf(err, "the server answered no ping within %s: a device drops the connection after 25 s without a "+
		"word, and tries anew for ever", o.Timeout)
}

// closed tells what it may mean that a server hung up without a word.
func closed(err error, met Met) error {
	if met.Handshake == 0 {
		return wrap(err, "the server closed the connection in the middle of the handshake, without saying why: it "+
			"may be no TLS server, or refuse this device; its log tells")
	}
	return wrap(err, "the server closed the connection after the handshake, without saying why: some refuse a client "+
		"so, who is revoked, unknown or disabled; its log tells")
}
