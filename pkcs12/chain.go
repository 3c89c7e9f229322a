package pkcs12

import (
	"crypto/x509"
	"errors"
)

// maxChain bounds the work on a hostile set: each step may verify a signature for every certificate.
const maxChain = 10

// ChainOf sorts certificates by whether they stand above leaf: chain is leaf's issuer first, then the issuer of that, and
// so on, at most ten and as far as certs lead; others are the rest, in their order. Each certificate is returned once,
// and leaf not at all. Neither dates are judged nor whether an issuer is a CA.
func ChainOf(leaf *x509.Certificate, certs []*x509.Certificate) (chain, others []*x509.Certificate) {
	seen := map[string]bool{string(leaf.Raw): true}
	for _, c := range certs {
		if !seen[string(c.Raw)] {
			seen[string(c.Raw)] = true
			others = append(others, c)
		}
	}
	for below := leaf; len(chain) < maxChain && string(below.RawIssuer) != string(below.RawSubject); below = chain[len(chain)-1] {
		at := -1
		for i, c := range others {
			if string(below.RawIssuer) == string(c.RawSubject) && verifies(below, c) {
				at = i
				break
			}
		}
		if at < 0 {
			break
		}
		chain = append(chain, others[at])
		others = append(others[:at:at], others[at+1:]...)
	}
	return chain, others
}

// verifies tells whether the key of parent signed child. What is signed in a way that is no longer to be relied on, as
// with SHA-1 in old hierarchies, passes unverified: this is for sorting, not for trusting.
func verifies(child, parent *x509.Certificate) bool {
	err := parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature)
	var insecure x509.InsecureAlgorithmError
	return err == nil || errors.As(err, &insecure)
}
