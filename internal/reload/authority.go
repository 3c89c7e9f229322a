package reload

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/ftsca/ftsca/crl"
)

// authority is the CAs of ca.pem.
type authority struct {
	part
	cas      []*x509.Certificate // in the order of the file
	lists    [][sha256.Size]byte // the X.509 lists in the file, by the SHA-256 of their DER
	warnings []string            // what was passed over in the file
}

// load returns whether the CAs are others now, and whether there is something else to warn of.
func (a *authority) load(s *source) (changed, warned bool) {
	a.touched = s.touched
	if !s.changed {
		return false, false
	}
	loaded, err := readBundle(s)
	a.fault(err, s)
	if err != nil {
		return false, false
	}
	changed = !slices.EqualFunc(a.cas, loaded.cas, (*x509.Certificate).Equal)
	warned = !slices.Equal(a.warnings, loaded.warnings)
	a.cas, a.lists, a.warnings = loaded.cas, loaded.lists, loaded.warnings
	return changed, warned
}

func readBundle(s *source) (a authority, err error) {
	data, err := s.content()
	if err != nil {
		return a, fmt.Errorf("reading the CAs: %w", err)
	}
	for block := range blocks(data) {
		switch block.Type {
		case listBlock:
			a.lists = append(a.lists, sha256.Sum256(block.Bytes))
		case "CERTIFICATE":
			ca, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return a, fmt.Errorf("the CAs in %s: %w", s.path, err)
			}
			if !ca.BasicConstraintsValid || !ca.IsCA {
				// In the pool it would let its holder in without any CA of ours having a say.
				a.warnings = append(a.warnings, fmt.Sprintf("%s has a certificate of %q, which is no CA: it was passed over",
					s.path, ca.Subject.CommonName))
				continue
			}
			a.cas = append(a.cas, ca)
		default:
			a.warnings = append(a.warnings, fmt.Sprintf("%s has a block %q, which was passed over", s.path, block.Type))
		}
	}
	if len(a.cas) == 0 {
		return a, fmt.Errorf("the CAs in %s: there is no CA's certificate in it", s.path)
	}
	return a, nil
}

// issuers are the CAs whose clients are let in: those below a root, or the roots themselves where there is nothing
// below them. It warns of those that are left out.
func (l *loader) issuers() (issuing []*x509.Certificate, revoked []string) {
	var roots []*x509.Certificate
	for _, ca := range l.authority.cas {
		switch {
		case selfSigned(ca):
			roots = append(roots, ca)
		case l.isRevoked(ca):
			revoked = append(revoked, fmt.Sprintf("the CA %q is revoked: its clients are not let in", ca.Subject.CommonName))
		default:
			issuing = append(issuing, ca)
		}
	}
	if len(issuing)+len(revoked) == 0 {
		return roots, nil
	}
	return issuing, revoked
}

// expired warns of issuers none of whose clients can be let in.
func expired(issuers []*x509.Certificate, now time.Time) (warnings []string) {
	for _, ca := range issuers {
		if now.After(ca.NotAfter) {
			warnings = append(warnings, fmt.Sprintf("the CA %q expired at %s: its clients are not let in",
				ca.Subject.CommonName, ca.NotAfter.UTC().Format(time.RFC3339)))
		}
	}
	return warnings
}

func selfSigned(ca *x509.Certificate) bool {
	return bytes.Equal(ca.RawSubject, ca.RawIssuer) && ca.CheckSignatureFrom(ca) == nil
}

// isRevoked tells whether a CA above it has revoked ca. Only an entry that names its issuer counts: the serials of CAs
// are short with some tools, and a client's entry without issuer must not take the whole CA with it.
func (l *loader) isRevoked(ca *x509.Certificate) bool {
	serial := crl.SerialOf(ca.SerialNumber)
	for _, above := range l.authority.cas {
		if above == ca || ca.CheckSignatureFrom(above) != nil {
			continue
		}
		id := crl.KeyID(above)
		for _, e := range l.list.inForce {
			if e.Serial == serial && e.Issuer == id && id != "" {
				return true
			}
		}
	}
	return false
}
