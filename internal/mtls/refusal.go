package mtls

import (
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"
	"time"
)

// A Cause is why a peer was refused.
type Cause int

// The causes. Zero is none of them.
const (
	Revoked     Cause = iota + 1 // revoked, or there is no list to tell
	Expired                      // the certificate, or that of its issuing CA
	NotYetValid                  // the certificate, or that of its issuing CA
	Untrusted                    // not issued by one of Trust.Issuers directly
)

// String returns the cause as a word for logs and metrics: "revoked", "expired", "not_yet_valid", "untrusted".
func (c Cause) String() string {
	switch c {
	case Revoked:
		return "revoked"
	case Expired:
		return "expired"
	case NotYetValid:
		return "not_yet_valid"
	case Untrusted:
		return "untrusted"
	}
	return fmt.Sprintf("cause_%d", int(c))
}

// A Refusal is the error of [Trust.Judge]. What crypto/tls itself refuses, such as a certificate of another CA, does
// not come as a Refusal but as crypto/tls reports it.
type Refusal struct {
	Cause  Cause
	reason string
}

func (r *Refusal) Error() string { return r.reason }

func revoked(leaf *x509.Certificate, noList bool) *Refusal {
	if noList {
		return refuse(Revoked, "%s cannot be let in without a revocation list", calling(leaf))
	}
	return refuse(Revoked, "%s is revoked", calling(leaf))
}

func untrusted(leaf *x509.Certificate) *Refusal {
	return refuse(Untrusted, "%s was not issued by a CA whose clients are let in", calling(leaf))
}

// validity refuses leaf when c, which is leaf or its issuer, is out of date.
func validity(c, leaf *x509.Certificate, now time.Time) *Refusal {
	if !now.Before(c.NotBefore) && !now.After(c.NotAfter) {
		return nil
	}
	who := calling(leaf)
	if c != leaf {
		who = fmt.Sprintf("the CA %q, which issued %s,", c.Subject.CommonName, who)
	}
	if now.After(c.NotAfter) {
		return refuse(Expired, "%s expired at %s", who, c.NotAfter.UTC().Format(time.RFC3339))
	}
	return refuse(NotYetValid, "%s is not valid before %s", who, c.NotBefore.UTC().Format(time.RFC3339))
}

func refuse(c Cause, format string, args ...any) *Refusal {
	return &Refusal{Cause: c, reason: fmt.Sprintf(format, args...)}
}

// calling names a certificate. The name is quoted, since it is whatever its issuer put there.
func calling(c *x509.Certificate) string {
	return fmt.Sprintf("certificate %s of %q", serialOf(c.SerialNumber), c.Subject.CommonName)
}

// serialOf is the serial in lower-case hex of even length, as the revocation list writes it.
func serialOf(n *big.Int) string {
	if n.Sign() == 0 {
		return "00"
	}
	return hex.EncodeToString(n.Bytes())
}
