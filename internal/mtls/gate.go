package mtls

import (
	"crypto/tls"
	"errors"
	"sync/atomic"
	"time"
)

// A Gate holds the trust in force. Its methods may be called from any goroutine.
type Gate struct {
	now     func() time.Time
	force   atomic.Pointer[picture]
	tickets bool // session tickets are handed out; only tests have use for that
}

// picture is a trust and the configuration made from it, swapped as one.
type picture struct {
	trust  *Trust
	config *tls.Config
}

// NewGate returns a gate with t in force. A nil t lets nobody in until the first Swap. now is the clock by which
// certificates are judged; nil means time.Now.
func NewGate(t *Trust, now func() time.Time) *Gate {
	if now == nil {
		now = time.Now
	}
	g := &Gate{now: now}
	g.Swap(t)
	return g
}

// Trust returns the trust in force.
func (g *Gate) Trust() *Trust { return g.force.Load().trust }

// Swap puts t in force for every handshake that begins, and for the verdict of every handshake that is not over.
// Sessions that are over their handshake are the caller's to judge anew. A nil t lets nobody in any more.
func (g *Gate) Swap(t *Trust) {
	g.force.Store(&picture{trust: t, config: g.configOf(t)})
}

// Config returns the configuration for tls.Server or tls.NewListener. It is good for the whole life of the gate: each
// handshake takes what it needs from the trust in force when it begins.
//
// TLS 1.2 and 1.3; a client certificate is required and verified. There are no session tickets, so every connection
// proves its key anew; were there any, a resumed session would be judged all the same.
func (g *Gate) Config() *tls.Config {
	c := g.configOf(nil)
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		p := g.force.Load()
		if p.trust == nil {
			return nil, errors.New("no trust is in force")
		}
		return p.config, nil
	}
	return c
}

// configOf is the configuration of the handshakes that begin under t.
func (g *Gate) configOf(t *Trust) *tls.Config {
	if t == nil {
		t = &Trust{}
	}
	c := &tls.Config{
		Time:         g.now,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    t.anchors(),
		MinVersion:   tls.VersionTLS12,
		CipherSuites: suites(),

		SessionTicketsDisabled: !g.tickets,

		// What goes out is gathered into full records already; small ones at the start only cost more of them.
		DynamicRecordSizingDisabled: true,

		// Not VerifyPeerCertificate, which crypto/tls leaves out when a session is resumed.
		VerifyConnection: func(cs tls.ConnectionState) error {
			return g.Trust().Judge(cs.VerifiedChains, g.now())
		},
	}
	if len(t.Certificate.Certificate) > 0 {
		c.Certificates = []tls.Certificate{t.Certificate}
	}
	return c
}

// suites are those of TLS 1.2 with forward secrecy and authenticated encryption; crypto/tls chooses the order. Those of
// TLS 1.3 all have both.
func suites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
}
