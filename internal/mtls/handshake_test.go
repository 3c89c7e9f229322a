package mtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/mtls"
	"github.com/ftsca/ftsca/internal/testpki"
)

func TestClientOfTheIssuingCAIsLetIn(t *testing.T) {
	s := newSite(t)
	alice := s.issuing.Client(t, "alice", testpki.Units("group:blue", "Team 7"))
	for name, v := range versions {
		t.Run(name, func(t *testing.T) {
			o := meet(t, mtls.NewGate(s.trust(list{}), nil).Config(), version(s.client(alice), v))
			peer := mustPass(t, o)
			if peer.Name != "alice" || o.state.Version != v {
				t.Errorf("got %q on %s", peer.Name, tls.VersionName(o.state.Version))
			}
		})
	}
}

func TestSingleCAIsItsOwnIssuer(t *testing.T) {
	single := testpki.NewRoot(t, "Valley CA")
	trust := &mtls.Trust{
		Certificate: single.Server(t, "localhost"),
		Issuers:     []*x509.Certificate{single.Cert},
		Revocations: list{},
	}
	client := &tls.Config{RootCAs: single.Pool(), ServerName: "localhost",
		Certificates: []tls.Certificate{single.Client(t, "alice")}}
	mustPass(t, meet(t, mtls.NewGate(trust, nil).Config(), client))
}

func TestFreeTAKServersCertificatesAreLetIn(t *testing.T) {
	// Its CA has no key identifier, its leaves have no extension at all.
	s := newSite(t, testpki.NoKeyID())
	bare := s.issuing.Client(t, "alice", testpki.Usages(), testpki.KeyUsage(0))
	if n := len(bare.Leaf.Extensions); n != 0 {
		t.Fatalf("the leaf has %d extensions", n)
	}
	for name, v := range versions {
		t.Run(name, func(t *testing.T) {
			mustPass(t, meet(t, mtls.NewGate(s.trust(list{}), nil).Config(), version(s.client(bare), v)))
		})
	}
}

func TestPeersThatAreRefused(t *testing.T) {
	s := newSite(t)
	alice := s.issuing.Client(t, "alice")
	sister := s.root.Issuing(t, "Hill CA")
	below := s.issuing.Issuing(t, "CA below")
	elsewhere := testpki.NewRoot(t, "Valley CA") // the same name, another key
	with := func(c tls.Certificate, more ...*x509.Certificate) []tls.Certificate {
		for _, m := range more {
			c.Certificate = append(c.Certificate, m.Raw)
		}
		return []tls.Certificate{c}
	}
	tests := []struct {
		name  string
		certs []tls.Certificate
		revoked,
		noList bool
		issuers []*x509.Certificate // nil: the issuing CA
		cause   mtls.Cause          // of Judge, where it is Judge that refuses
		err     string              // the server's
	}{
		{name: "no certificate",
			err: "tls: client didn't provide a certificate"},
		{name: "another CA's client", certs: with(elsewhere.Client(t, "alice")),
			err: `tls: failed to verify certificate: x509: certificate signed by unknown authority ` +
				`(possibly because of "x509: ECDSA verification failure" while trying to verify candidate authority ` +
				`certificate "Valley CA")`},
		{name: "another issuing CA's client under the same root", certs: with(sister.Client(t, "alice"), sister.Cert),
			err: `tls: failed to verify certificate: x509: certificate signed by unknown authority`},
		{name: "another issuing CA's client that brings the root along",
			certs: with(sister.Client(t, "alice"), sister.Cert, s.root.Cert),
			err:   `tls: failed to verify certificate: x509: certificate signed by unknown authority`},
		{name: "the root's own client", certs: with(s.root.Client(t, "alice")),
			err: `tls: failed to verify certificate: x509: certificate signed by unknown authority`},
		{name: "client of a CA below the issuing CA", certs: with(below.Client(t, "alice"), below.Cert),
			cause: mtls.Untrusted},
		{name: "a CA as client", certs: with(tls.Certificate{Certificate: [][]byte{below.Cert.Raw},
			PrivateKey: below.Key, Leaf: below.Cert}), cause: mtls.Untrusted},
		{name: "the issuing CA itself as client", certs: with(tls.Certificate{Certificate: [][]byte{s.issuing.Cert.Raw},
			PrivateKey: s.issuing.Key, Leaf: s.issuing.Cert}), cause: mtls.Untrusted},
		{name: "expired", certs: with(s.issuing.Client(t, "alice", testpki.Expired()))},
		{name: "not yet valid", certs: with(s.issuing.Client(t, "alice", testpki.NotYetValid()))},
		{name: "server certificate used as a client's", certs: with(s.issuing.Server(t, "alice")),
			err: `tls: failed to verify certificate: x509: certificate specifies an incompatible key usage`},
		{name: "an extended key usage for something else",
			certs: with(s.issuing.Client(t, "alice", testpki.Usages(x509.ExtKeyUsageEmailProtection))),
			err:   `tls: failed to verify certificate: x509: certificate specifies an incompatible key usage`},
		{name: "revoked", certs: with(alice), revoked: true, cause: mtls.Revoked},
		{name: "no revocation list", certs: with(alice), noList: true, cause: mtls.Revoked},
		{name: "no issuers", certs: with(alice), issuers: []*x509.Certificate{},
			err: `tls: failed to verify certificate: x509: certificate signed by unknown authority`},
	}
	for _, test := range tests {
		for name, v := range versions {
			t.Run(test.name+" "+name, func(t *testing.T) {
				trust := s.trust(list{})
				if test.revoked {
					trust.Revocations = revoking(s.issuing, test.certs...)
				}
				if test.noList {
					trust.Revocations = nil
				}
				if test.issuers != nil {
					trust.Issuers = test.issuers
				}
				o := meet(t, mtls.NewGate(trust, nil).Config(), version(s.client(test.certs...), v))
				mustRefuse(t, o)
				if got := causeOf(o.server); got != test.cause {
					t.Errorf("cause %s, want %s: %v", got, test.cause, o.server)
				}
				if test.err != "" && (o.server == nil || o.server.Error() != test.err) {
					t.Errorf("got error  %v\nwant error %s", o.server, test.err)
				}
			})
		}
	}
}

func TestIssuingCAThatExpiredLetsNobodyIn(t *testing.T) {
	s := newSite(t)
	alice := s.issuing.Client(t, "alice", testpki.Validity(time.Now().AddDate(-1, 0, 0), time.Now().AddDate(30, 0, 0)))
	late := func() time.Time { return s.issuing.Cert.NotAfter.Add(time.Second) }
	client := s.client(alice)
	client.InsecureSkipVerify = true // the server's certificate is as old as the CA's
	for name, v := range versions {
		t.Run(name, func(t *testing.T) {
			mustRefuse(t, meet(t, mtls.NewGate(s.trust(list{}), late).Config(), version(client, v)))
		})
	}
}

func TestStolenCertificateWithoutItsKeyHasNoName(t *testing.T) {
	s := newSite(t)
	stolen := s.issuing.Client(t, "alice")
	stolen.PrivateKey = testpki.NewKey(t)
	for name, v := range versions {
		t.Run(name, func(t *testing.T) {
			gate := mtls.NewGate(s.trust(list{}), nil)
			o := meet(t, gate.Config(), version(s.client(stolen), v))
			mustRefuse(t, o)
			// The verdict itself was asked, and said yes: that must be worth nothing.
			if err := gate.Trust().Judge(o.state.VerifiedChains, time.Now()); err != nil {
				t.Errorf("the certificate alone is refused: %v", err)
			}
			if got, want := o.server.Error(), "tls: invalid signature by the client certificate: "; len(got) < len(want) ||
				got[:len(want)] != want {
				t.Errorf("got error %q, want %q…", got, want)
			}
		})
	}
}

func TestRevokedUnderOneIssuerOnly(t *testing.T) {
	// Two issuing CAs, as during a rollover, that happen to have used the same serial.
	s := newSite(t)
	older := s.root.Issuing(t, "Older CA")
	mine := s.issuing.Client(t, "alice")
	other := older.Client(t, "bob", testpki.Serial(mine.Leaf.SerialNumber))
	trust := s.trust(revoking(older, other))
	trust.Issuers = append(trust.Issuers, older.Cert)
	gate := mtls.NewGate(trust, nil)
	mustPass(t, meet(t, gate.Config(), s.client(mine)))
	mustRefuse(t, meet(t, gate.Config(), s.client(other)))
}

func TestSwapIsInForceForTheNextHandshake(t *testing.T) {
	s := newSite(t)
	alice, bob := s.issuing.Client(t, "alice"), s.issuing.Client(t, "bob")
	gate := mtls.NewGate(s.trust(list{}), nil)
	config := gate.Config()
	mustPass(t, meet(t, config, s.client(bob)))

	next := s.trust(revoking(s.issuing, bob))
	next.Certificate = s.issuing.Server(t, "localhost")
	gate.Swap(next)
	o := meet(t, config, s.client(bob))
	mustRefuse(t, o)
	if causeOf(o.server) != mtls.Revoked {
		t.Errorf("got %v", o.server)
	}
	client, shown := s.client(alice), []byte(nil)
	client.VerifyConnection = func(cs tls.ConnectionState) error {
		shown = cs.PeerCertificates[0].Raw
		return nil
	}
	mustPass(t, meet(t, config, client))
	if string(shown) != string(next.Certificate.Leaf.Raw) {
		t.Error("the old server certificate was shown")
	}

	gate.Swap(nil)
	o = meet(t, config, s.client(alice))
	if o.server == nil || o.server.Error() != "no trust is in force" {
		t.Errorf("with no trust: %v", o.server)
	}
}

func TestHandshakeInFlightIsJudgedByTheListInForceAtItsEnd(t *testing.T) {
	s := newSite(t)
	alice := s.issuing.Client(t, "alice")
	gate := mtls.NewGate(s.trust(list{}), nil)
	client := s.client()
	client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		gate.Swap(s.trust(revoking(s.issuing, alice))) // the server waits for our certificate now
		return &alice, nil
	}
	o := meet(t, gate.Config(), client)
	mustRefuse(t, o)
	if causeOf(o.server) != mtls.Revoked {
		t.Errorf("got %v", o.server)
	}
}
