package mtls

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// groupPrefix marks the organizational units that name a group; others, as adopted certificates have them, mean
// nothing.
const groupPrefix = "group:"

// A Peer is who stands at the other end, by its certificate alone. A certificate does not tell its generation; who
// knows what was issued finds that by the serial.
type Peer struct {
	// Name is the subject's common name, never empty.
	Name string
	// Serial is the certificate's serial number in lower-case hex of even length.
	Serial string
	// Fingerprint is the SHA-256 of the certificate in lower-case hex, 64 digits.
	Fingerprint string
	// NotAfter is the last second in which the certificate is valid.
	NotAfter time.Time
	// Groups are the names after "group:" in the subject's organizational units, in their order, each once. Nil where
	// the certificate names none.
	Groups []string
	// Chains are the verified chains, for [Trust.Judge].
	Chains [][]*x509.Certificate
}

// PeerOf returns the peer of a connection whose handshake is over. Only the first certificate of the first verified
// chain counts: a peer can send any number of others along that nobody has verified. It is an error when the handshake
// is not over, since the peer has then not proved that it holds the key; when the peer has no verified certificate; and
// when the certificate has no common name.
func PeerOf(cs tls.ConnectionState) (Peer, error) {
	if !cs.HandshakeComplete {
		return Peer{}, errors.New("the peer is not known before its handshake is over")
	}
	if len(cs.VerifiedChains) == 0 || len(cs.VerifiedChains[0]) == 0 {
		return Peer{}, errors.New("the peer has no verified certificate")
	}
	leaf := cs.VerifiedChains[0][0]
	sum := sha256.Sum256(leaf.Raw)
	p := Peer{
		Name:        leaf.Subject.CommonName,
		Serial:      serialOf(leaf.SerialNumber),
		Fingerprint: hex.EncodeToString(sum[:]),
		NotAfter:    leaf.NotAfter,
		Groups:      GroupsOf(leaf),
		Chains:      cs.VerifiedChains,
	}
	if p.Name == "" {
		return Peer{}, fmt.Errorf("certificate %s has no common name", p.Serial)
	}
	return p, nil
}

// GroupsOf returns the groups that a certificate names, as [Peer.Groups] has them.
func GroupsOf(c *x509.Certificate) []string {
	var groups []string
	for _, unit := range c.Subject.OrganizationalUnit {
		name, ok := strings.CutPrefix(unit, groupPrefix)
		if ok && name != "" && !slices.Contains(groups, name) {
			groups = append(groups, name)
		}
	}
	return groups
}
