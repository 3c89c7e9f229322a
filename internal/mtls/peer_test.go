package mtls_test

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/ftsca/ftsca/internal/mtls"
	"github.com/ftsca/ftsca/internal/testpki"
)

func hex(c *x509.Certificate) string { return fmt.Sprintf("%x", c.SerialNumber.Bytes()) }

func TestPeerIsTheVerifiedLeaf(t *testing.T) {
	s := newSite(t)
	alice := s.issuing.Client(t, "alice", testpki.Serial(big.NewInt(0xa1b)),
		testpki.Units("group:blue", "Team 7", "group:", "GROUP:red", "group:Überlinger See", "group:blue"))
	peer := mustPass(t, meet(t, mtls.NewGate(s.trust(list{}), nil).Config(), s.client(alice)))
	if peer.Name != "alice" || peer.Serial != "0a1b" {
		t.Errorf("got %q with serial %s", peer.Name, peer.Serial)
	}
	if want := fmt.Sprintf("%x", sha256.Sum256(alice.Leaf.Raw)); peer.Fingerprint != want {
		t.Errorf("got fingerprint %s, want %s", peer.Fingerprint, want)
	}
	if !peer.NotAfter.Equal(alice.Leaf.NotAfter) {
		t.Errorf("got end %s, want %s", peer.NotAfter, alice.Leaf.NotAfter)
	}
	if want := []string{"blue", "Überlinger See"}; !slices.Equal(peer.Groups, want) {
		t.Errorf("got groups %q, want %q", peer.Groups, want)
	}
	if len(peer.Chains) != 1 || len(peer.Chains[0]) != 2 {
		t.Errorf("got %d chains", len(peer.Chains))
	}
}

func TestExtraCertificatesDoNotChangeThePeer(t *testing.T) {
	s := newSite(t)
	alice, bob := s.issuing.Client(t, "alice"), s.issuing.Client(t, "bob")
	stranger := testpki.NewRoot(t, "Elsewhere").Client(t, "admin")
	alice.Certificate = append(alice.Certificate, bob.Leaf.Raw, stranger.Leaf.Raw, s.issuing.Cert.Raw, s.root.Cert.Raw)
	for name, v := range versions {
		t.Run(name, func(t *testing.T) {
			peer := mustPass(t, meet(t, mtls.NewGate(s.trust(list{}), nil).Config(), version(s.client(alice), v)))
			if peer.Name != "alice" || peer.Serial != hex(alice.Leaf) {
				t.Errorf("got %q with serial %s", peer.Name, peer.Serial)
			}
		})
	}
}

func TestSomebodyElsesCertificateInFrontIsNoUse(t *testing.T) {
	// bob's certificate first, alice's key: the handshake must fail, whatever else comes along.
	s := newSite(t)
	alice, bob := s.issuing.Client(t, "alice"), s.issuing.Client(t, "bob")
	mixed := tls.Certificate{Certificate: [][]byte{bob.Leaf.Raw, alice.Leaf.Raw}, PrivateKey: alice.PrivateKey}
	mustRefuse(t, meet(t, mtls.NewGate(s.trust(list{}), nil).Config(), s.client(mixed)))
}

func TestNobodyIsAPeer(t *testing.T) {
	ca := testpki.NewRoot(t, "Valley CA")
	chain := func(c tls.Certificate) [][]*x509.Certificate {
		return [][]*x509.Certificate{{c.Leaf, ca.Cert}}
	}
	alice := ca.Client(t, "alice")
	tests := []struct {
		name  string
		state tls.ConnectionState
		err   string
	}{
		{"handshake not over", tls.ConnectionState{VerifiedChains: chain(alice)},
			"the peer is not known before its handshake is over"},
		{"presented but not verified", tls.ConnectionState{HandshakeComplete: true,
			PeerCertificates: []*x509.Certificate{alice.Leaf}}, "the peer has no verified certificate"},
		{"no name", tls.ConnectionState{HandshakeComplete: true,
			VerifiedChains: chain(ca.Client(t, "", testpki.Serial(big.NewInt(255))))},
			"certificate ff has no common name"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := mtls.PeerOf(test.state); message(err) != test.err {
				t.Errorf("got error %q, want %q", message(err), test.err)
			}
		})
	}
}
