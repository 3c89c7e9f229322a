package pkcs12

import (
	"crypto/x509"
	"errors"
	"fmt"

	sslmate "software.sslmate.com/src/go-pkcs12"
)

// TrustStore is [Encoder.WriteTrustStore] of certificates that are each called by their common name.
func (e Encoder) TrustStore(cas []*x509.Certificate, password string) ([]byte, error) {
	anchors := make([]Anchor, len(cas))
	for i, c := range cas {
		anchors[i] = Anchor{Certificate: c}
	}
	return e.WriteTrustStore(anchors, password)
}

// WriteTrustStore returns a file of certificates alone, which devices believe: in the order given, each once, each with a
// friendly name of its own (Name, else its common name, made distinct where two are alike but for upper and lower case,
// since Java and Android take those for one) and with Java's trustedKeyUsage attribute, without which Java sees an empty
// store.
//
// It refuses an empty set, a certificate that is no CA, an incomplete set, and a password that [CheckPassword] refuses.
// A set is complete when every certificate leads to a self-signed root within it: ATAK verifies a server by its trust
// store alone and ignores the chain that the server sends.
func (e Encoder) WriteTrustStore(anchors []Anchor, password string) ([]byte, error) {
	form, err := e.form()
	if err != nil {
		return nil, err
	}
	if anchors, err = distinct(anchors); err != nil {
		return nil, err
	}
	set := make([]*x509.Certificate, len(anchors))
	for i, a := range anchors {
		set[i] = a.Certificate
	}
	if err := complete(set); err != nil {
		return nil, err
	}
	if err := CheckPassword(password); err != nil {
		return nil, fmt.Errorf("trust store: %w", err)
	}
	names := anchorNames(anchors)
	entries := make([]sslmate.TrustStoreEntry, len(set))
	for i, c := range set {
		entries[i] = sslmate.TrustStoreEntry{Cert: c, FriendlyName: names[i]}
	}
	data, err := form.EncodeTrustStoreEntries(entries, password)
	if err != nil {
		return nil, fmt.Errorf("writing the trust store: %w", err)
	}
	return data, nil
}

// distinct returns the anchors without repetitions, and an error where one of them is no CA.
func distinct(anchors []Anchor) ([]Anchor, error) {
	if len(anchors) == 0 {
		return nil, errors.New("a trust store needs at least one certificate")
	}
	seen := map[string]bool{}
	var set []Anchor
	for _, a := range anchors {
		c := a.Certificate
		switch {
		case c == nil:
			return nil, errors.New("trust store: a certificate is missing")
		case !c.BasicConstraintsValid || !c.IsCA:
			return nil, fmt.Errorf("trust store: %s is no certificate of a CA", Describe(c))
		case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
			return nil, fmt.Errorf("trust store: the key usage of %s does not allow it to sign certificates", Describe(c))
		case !seen[string(c.Raw)]:
			seen[string(c.Raw)] = true
			set = append(set, a)
		}
	}
	return set, nil
}

// complete tells which certificate does not lead to a self-signed root of the set.
func complete(set []*x509.Certificate) error {
	var reached, waiting []*x509.Certificate
	for _, c := range set {
		if selfSigned(c) {
			reached = append(reached, c)
		} else {
			waiting = append(waiting, c)
		}
	}
	// From the roots downwards, so that two CAs that signed each other hold nobody.
	for i := 0; i < len(reached); i++ {
		var rest []*x509.Certificate
		for _, c := range waiting {
			if signed(c, reached[i]) == nil {
				reached = append(reached, c)
			} else {
				rest = append(rest, c)
			}
		}
		waiting = rest
	}
	if len(waiting) > 0 {
		c := waiting[0]
		return fmt.Errorf("the trust store does not reach a root: it lacks a way from %s to a self-signed certificate "+
			"(issuer %q), and ATAK takes no CA from the server itself", Describe(c), c.Issuer)
	}
	return nil
}

// selfSigned tells whether c is signed with its own key. An algorithm that is not to be relied on any more, as SHA-1
// in old roots, does no harm here: nobody verifies that signature.
func selfSigned(c *x509.Certificate) bool {
	return string(c.RawIssuer) == string(c.RawSubject) && verifies(c, c)
}
