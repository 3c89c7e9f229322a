package mtls_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/mtls"
	"github.com/ftsca/ftsca/internal/testpki"
)

// patience bounds what hangs; it measures nothing.
const patience = 20 * time.Second

// list is a revocation list: issuer's common name and serial.
type list map[string]bool

func key(issuer *x509.Certificate, serial *big.Int) string {
	return fmt.Sprintf("%s/%x", issuer.Subject.CommonName, serial)
}

func (l list) Revoked(issuer *x509.Certificate, serial *big.Int) bool { return l[key(issuer, serial)] }

// revoking is a list of certificates that issuer signed.
func revoking(issuer *testpki.Authority, certs ...tls.Certificate) list {
	l := list{}
	for _, c := range certs {
		l[key(issuer.Cert, c.Leaf.SerialNumber)] = true
	}
	return l
}

// site is a PKI of two tiers and the endpoint that belongs to it.
type site struct {
	root, issuing *testpki.Authority
	server        tls.Certificate
}

func newSite(t testing.TB, opts ...testpki.Option) *site {
	t.Helper()
	root := testpki.NewRoot(t, "Valley Root")
	issuing := root.Issuing(t, "Valley CA", opts...)
	return &site{root: root, issuing: issuing, server: issuing.Server(t, "localhost")}
}

func (s *site) trust(r mtls.Revocations) *mtls.Trust {
	return &mtls.Trust{
		Certificate: s.server,
		Issuers:     []*x509.Certificate{s.issuing.Cert},
		Revocations: r,
	}
}

// client is the configuration of a device that holds cert, or none.
func (s *site) client(certs ...tls.Certificate) *tls.Config {
	c := &tls.Config{RootCAs: s.root.Pool(), ServerName: "localhost"}
	if len(certs) > 0 {
		// Sent whatever the server asks for: a hostile peer does not look at the accepted authorities.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certs[0], nil }
	}
	return c
}

func version(c *tls.Config, v uint16) *tls.Config {
	c.MinVersion, c.MaxVersion = v, v
	return c
}

// versions are those that the endpoint speaks.
var versions = map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13}

// outcome is what both ends saw of one connection.
type outcome struct {
	server error // of the handshake
	client error // of the handshake or of reading the greeting after it
	// state is the server's, also after a failed handshake.
	state   tls.ConnectionState
	resumed bool // by the client's word
}

// meet connects a client to a server over loopback. The server greets whom it lets in, and only who has read the
// greeting was let in: on TLS 1.3 the client's handshake is over before the server has judged.
func meet(t *testing.T, server, client *tls.Config) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	served := make(chan outcome, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			served <- outcome{server: err}
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		secure := tls.Server(conn, server)
		err = secure.Handshake()
		served <- outcome{server: err, state: secure.ConnectionState()}
		if err == nil {
			_, _ = secure.Write([]byte("hello"))
		}
		_, _ = io.Copy(io.Discard, conn) // closing with bytes unread would reset the alert away
	}()
	var o outcome
	dialer := tls.Dialer{Config: client}
	conn, dialErr := dialer.DialContext(ctx, "tcp", l.Addr().String())
	if dialErr == nil {
		_ = conn.SetDeadline(time.Now().Add(patience))
		_, dialErr = io.ReadFull(conn, make([]byte, len("hello")))
		o.resumed = conn.(*tls.Conn).ConnectionState().DidResume
		_ = conn.Close()
	}
	select {
	case seen := <-served:
		o.server, o.state, o.client = seen.server, seen.state, dialErr
	case <-ctx.Done():
		t.Fatal("the server did not end its handshake")
	}
	return o
}

// mustPass wants both ends content, and returns the peer.
func mustPass(t *testing.T, o outcome) mtls.Peer {
	t.Helper()
	if o.server != nil || o.client != nil {
		t.Fatalf("refused: server says %v, client says %v", o.server, o.client)
	}
	peer, err := mtls.PeerOf(o.state)
	if err != nil {
		t.Fatal(err)
	}
	return peer
}

// mustRefuse wants the connection refused at both ends, and nobody's name known.
func mustRefuse(t *testing.T, o outcome) {
	t.Helper()
	if o.server == nil {
		t.Error("the server let the peer in")
	}
	if o.client == nil {
		t.Error("the client was greeted")
	}
	if peer, err := mtls.PeerOf(o.state); err == nil {
		t.Errorf("a refused peer has the name %q", peer.Name)
	}
}

// causeOf is the cause of a refusal by Judge; zero for any other error.
func causeOf(err error) mtls.Cause {
	var r *mtls.Refusal
	if errors.As(err, &r) {
		return r.Cause
	}
	return 0
}
