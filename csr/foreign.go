package csr

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
)

// Foreign is a request that somebody else made, read by [Parse]. Its own key has signed it.
type Foreign struct {
	// Asked is what an authority may take of it, vetted. It has no groups, since nobody puts himself into one, and no
	// CommonName where the request has none, as many tools leave it out: [Foreign.As] gives it both.
	Asked Request
	// Authority tells that it asks for the powers of an authority, to sign certificates or revocation lists, be it by
	// basic constraints, by a key usage or by Netscape's certificate type.
	Authority bool
	// NotTaken says in words, safe for a terminal, what else it asks for: extensions, alternative names of other kinds,
	// attributes, parts of the subject that no certificate of ours has, and groups. It is in the request's order.
	NotTaken []string
	// Algorithm is that of its signature. It may be one with SHA-1, which ATAK 4.6 signs with; no certificate may follow it.
	Algorithm x509.SignatureAlgorithm
	// DER is the request itself.
	DER []byte
	// Fingerprint is the SHA-256 of DER in lower-case hex, 64 digits.
	Fingerprint string
}

// Name returns the name that the request suggests: its common name, else its first DNS name that is neither a wildcard
// nor too long for a common name, else "".
func (f Foreign) Name() string {
	if f.Asked.Subject.CommonName != "" {
		return f.Asked.Subject.CommonName
	}
	for _, name := range f.Asked.DNSNames {
		if len(name) <= MaxNameLength && !strings.HasPrefix(name, "*.") {
			return name
		}
	}
	return ""
}

// As returns the request under a name and in groups that the authority decides; all else stays as it was asked for. The
// error says which of them cannot stand in a certificate, and why. A Foreign with Authority asks for a certificate that
// neither a client nor a server has: that is for the caller to look at first.
func (f Foreign) As(name string, groups []string) (Request, error) {
	r := f.Asked
	r.Subject.CommonName, r.Subject.Groups = name, groups
	var err error
	if r.Subject, err = r.Subject.Vet(); err != nil {
		return Request{}, err
	}
	return r, nil
}

// Rows shows the request in full, for people: each row has a label and a text of one line, safe for a terminal. What is
// not there has no row; what is not taken has one for each item.
func (f Foreign) Rows() [][2]string {
	names := append([]string{}, f.Asked.DNSNames...)
	for _, a := range f.Asked.Addresses {
		names = append(names, a.String())
	}
	var rows [][2]string
	add := func(label, text string) {
		if text != "" {
			rows = append(rows, [2]string{label, text})
		}
	}
	add("name", f.Asked.Subject.CommonName)
	add("subject", distinguished(f.Asked.Subject))
	add("names", strings.Join(names, " "))
	add("key", keyName(f.Asked.PublicKey))
	add("signed with", f.Algorithm.String())
	add("fingerprint", f.Fingerprint)
	if f.Authority {
		add("asks for", "the powers of an authority")
	}
	for _, word := range f.NotTaken {
		add("not taken", word)
	}
	return rows
}

// distinguished writes a subject as RFC 4514 does.
func distinguished(s Subject) string {
	der, err := s.DER()
	if err != nil {
		return ""
	}
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &name); err != nil {
		return ""
	}
	return name.String()
}

// keyName names a key as people order one.
func keyName(public crypto.PublicKey) string {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("rsa-%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ecdsa-" + strings.ToLower(strings.ReplaceAll(k.Curve.Params().Name, "-", ""))
	}
	return ""
}
