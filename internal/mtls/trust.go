package mtls

import (
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"time"
)

// Revocations tells what is revoked. It is called for every handshake and for every live session at a reload, from many
// goroutines at once.
type Revocations interface {
	// Revoked tells whether the certificate that issuer signed under that serial is revoked.
	Revoked(issuer *x509.Certificate, serial *big.Int) bool
}

// Trust is all that a verdict depends on, and the certificate to show to clients. Its fields are not changed once it is
// in use: a change is a new Trust.
type Trust struct {
	// Certificate is the server's own: leaf first, then the issuing CA; with its key.
	Certificate tls.Certificate
	// Issuers are the CAs whose clients are let in: those that issue to clients directly. Each is a trust anchor by
	// itself, self-signed or not. A root that has issuing CAs under it does not belong here, since with it the clients
	// of every CA under it would pass. Empty: nobody is let in.
	Issuers []*x509.Certificate
	// Revocations is the list in force. Nil: everybody is refused.
	Revocations Revocations
	// Loaded is when this picture was taken; it is told to people and decides nothing.
	Loaded time.Time
}

// Judge is the verdict on a peer: nil, or a *[Refusal]. chains are those that crypto/tls verified, as they stand in
// tls.ConnectionState.VerifiedChains, also of a session that was resumed or verified under an earlier Trust. The first
// certificate of the chains must be in date at now, be no CA, and not be revoked; and one of the Issuers, itself in
// date, must have signed it directly. Both ends of a validity are inclusive (RFC 5280, 4.1.2.5).
//
// Judge is pure: it counts, keeps and logs nothing, so that it may be asked about a peer who has proved nothing yet. A
// peer who passes costs no allocation. A nil Trust refuses everybody.
func (t *Trust) Judge(chains [][]*x509.Certificate, now time.Time) error {
	if len(chains) == 0 || len(chains[0]) == 0 {
		return &Refusal{Cause: Untrusted, reason: "the peer has no verified certificate"}
	}
	leaf := chains[0][0]
	if r := validity(leaf, leaf, now); r != nil {
		return r
	}
	if t == nil || leaf.IsCA {
		return untrusted(leaf)
	}
	var refusal *Refusal
	passed := false
	for _, chain := range chains {
		issuer := t.issuer(chain)
		if issuer == nil {
			continue
		}
		// An issuer may have several certificates for the same key. To be revoked under any is to be revoked.
		if t.Revocations == nil || t.Revocations.Revoked(issuer, leaf.SerialNumber) {
			return revoked(leaf, t.Revocations == nil)
		}
		if r := validity(issuer, leaf, now); r != nil {
			refusal = r
			continue
		}
		passed = true
	}
	switch {
	case passed:
		return nil
	case refusal != nil:
		return refusal
	}
	return untrusted(leaf)
}

// issuer is the one of t's issuers that signed the chain's first certificate; nil where none did. A certificate from a
// resumed session has been parsed anew, so certificates are compared by their bytes.
func (t *Trust) issuer(chain []*x509.Certificate) *x509.Certificate {
	if len(chain) < 2 {
		return nil
	}
	for _, ca := range t.Issuers {
		if ca.Equal(chain[1]) {
			return ca
		}
	}
	return nil
}

// anchors is the pool of t's issuers.
func (t *Trust) anchors() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, ca := range t.Issuers {
		pool.AddCert(ca)
	}
	return pool
}
