package mtls_test

import (
	"crypto/tls"
	"testing"

	"github.com/ftsca/ftsca/internal/mtls"
	"github.com/ftsca/ftsca/internal/testpki"
)

func TestOldVersionsAreRefused(t *testing.T) {
	s := newSite(t)
	alice := s.issuing.Client(t, "alice")
	gate := mtls.NewGate(s.trust(list{}), nil)
	for _, v := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		t.Run(tls.VersionName(v), func(t *testing.T) {
			mustRefuse(t, meet(t, gate.Config(), version(s.client(alice), v)))
		})
	}
}

func TestOnlySuitesWithForwardSecrecyAndAEADAreTaken(t *testing.T) {
	s := newSite(t)
	alice := s.issuing.Client(t, "alice")
	servers := map[string]tls.Certificate{
		"ECDSA": s.server,
		"RSA": s.issuing.Leaf(t, "localhost", testpki.Names("localhost"), testpki.RSA(2048),
			testpki.Template(withKeyEncipherment)),
	}
	// Each list is paired with the server key that it needs, so that nothing but the suite can be the reason.
	tests := []struct {
		name, server string
		suite        uint16
		taken        bool
	}{
		{"ECDHE-RSA AES-128-GCM", "RSA", tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, true},
		{"ECDHE-RSA ChaCha20", "RSA", tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, true},
		{"ECDHE-ECDSA AES-256-GCM", "ECDSA", tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, true},
		{"CBC with ECDHE-RSA", "RSA", tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, false},
		{"CBC with SHA-256 and ECDHE-RSA", "RSA", tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, false},
		{"CBC with ECDHE-ECDSA", "ECDSA", tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, false},
		{"RSA key exchange with GCM", "RSA", tls.TLS_RSA_WITH_AES_128_GCM_SHA256, false},
		{"RSA key exchange with CBC", "RSA", tls.TLS_RSA_WITH_AES_256_CBC_SHA, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			trust := s.trust(list{})
			trust.Certificate = servers[test.server]
			trust.Certificate.Certificate = append(trust.Certificate.Certificate[:1:1], s.issuing.Cert.Raw)
			client := version(s.client(alice), tls.VersionTLS12)
			client.CipherSuites = []uint16{test.suite}
			o := meet(t, mtls.NewGate(trust, nil).Config(), client)
			if !test.taken {
				mustRefuse(t, o)
				return
			}
			mustPass(t, o)
			if o.state.CipherSuite != test.suite {
				t.Errorf("got %s", tls.CipherSuiteName(o.state.CipherSuite))
			}
		})
	}
}

func TestNoSessionIsResumed(t *testing.T) {
	s := newSite(t)
	alice := s.issuing.Client(t, "alice")
	config := mtls.NewGate(s.trust(list{}), nil).Config()
	for name, v := range versions {
		t.Run(name, func(t *testing.T) {
			client := version(s.client(alice), v)
			cache := &counting{ClientSessionCache: tls.NewLRUClientSessionCache(4)}
			client.ClientSessionCache = cache
			for range 2 {
				o := meet(t, config, client)
				mustPass(t, o)
				if o.resumed {
					t.Error("the session was resumed")
				}
			}
			if cache.put > 0 {
				t.Errorf("%d session tickets were offered", cache.put)
			}
		})
	}
}

func TestRevokedClientIsRefusedOnResumption(t *testing.T) {
	s := newSite(t)
	alice := s.issuing.Client(t, "alice")
	for name, v := range versions {
		t.Run(name, func(t *testing.T) {
			gate := mtls.NewGateWithTickets(s.trust(list{}), nil)
			config := gate.Config()
			client := version(s.client(alice), v)
			client.ClientSessionCache = tls.NewLRUClientSessionCache(4)
			mustPass(t, meet(t, config, client))
			o := meet(t, config, client)
			if mustPass(t, o); !o.resumed || !o.state.DidResume {
				t.Fatal("the session was not resumed, so this test would show nothing")
			}

			gate.Swap(s.trust(revoking(s.issuing, alice)))
			o = meet(t, config, client)
			mustRefuse(t, o)
			if causeOf(o.server) != mtls.Revoked {
				t.Errorf("got %v", o.server)
			}
			if !o.state.DidResume {
				t.Error("it was a full handshake that was refused")
			}
		})
	}
}

// counting is a session cache that counts the tickets it is given.
type counting struct {
	tls.ClientSessionCache
	put int
}

func (c *counting) Put(key string, cs *tls.ClientSessionState) {
	if cs != nil {
		c.put++
	}
	c.ClientSessionCache.Put(key, cs)
}
