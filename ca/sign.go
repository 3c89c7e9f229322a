package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// throwaway is a key that signs what is judged before the real key signs it: one a process, since only its
// existence matters.
var throwaway = sync.OnceValues(func() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
})

// sign signs a template twice: first with a throwaway key, and judges what came out by the profile; then, if it may
// stand, with the real key. So no wrong certificate is ever signed by a key that anybody trusts.
func sign(p profile, template, issuer *x509.Certificate, key crypto.Signer) (*x509.Certificate, error) {
	trial, err := throwaway()
	if err != nil {
		return nil, fmt.Errorf("making a throwaway key: %w", err)
	}
	public, subject := template.PublicKey, *template
	if issuer == template { // self-signed
		public = key.Public()
	}
	subject.SignatureAlgorithm = x509.ECDSAWithSHA256
	stand := *issuer
	stand.PublicKey = trial.Public()
	draft, err := create(&subject, &stand, public, trial)
	if err != nil {
		return nil, fmt.Errorf("drafting the certificate: %w", err)
	}
	if err := p.judge(draft, template, issuer, public); err != nil {
		return nil, fmt.Errorf("the certificate was not signed: %w", err)
	}
	final := *template
	if final.SignatureAlgorithm, err = signatureAlgorithm(key.Public()); err != nil {
		return nil, err
	}
	cert, err := create(&final, issuer, public, key)
	if err != nil {
		return nil, fmt.Errorf("signing the certificate: %w", err)
	}
	if err := p.judge(cert, template, issuer, public); err != nil {
		return nil, fmt.Errorf("the signed certificate was not given out: %w", err)
	}
	return cert, nil
}

func create(template, issuer *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// signatureAlgorithm matches the hash to the key's strength, SHA-256 or better.
func signatureAlgorithm(public crypto.PublicKey) (x509.SignatureAlgorithm, error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return x509.SHA256WithRSA, nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P384() {
			return x509.ECDSAWithSHA384, nil
		}
		return x509.ECDSAWithSHA256, nil
	}
	return 0, fmt.Errorf("an authority does not sign with a key of type %T", public)
}

// judge reads a certificate as a stranger would and holds it against the profile and what was meant.
func (p profile) judge(cert, meant, issuer *x509.Certificate, public crypto.PublicKey) error {
	rules := []struct {
		holds bool
		rule  string
	}{
		{cert.Version == 3, "a certificate is of version 3 (RFC 5280, 4.1.2.1)"},
		{cert.SerialNumber.Sign() > 0 && len(cert.SerialNumber.Bytes()) <= 20, "a serial is positive and has at most 20 octets (RFC 5280, 4.1.2.2)"},
		{cert.NotBefore.Before(cert.NotAfter), "a validity ends after it begins"},
		{issuer == meant || !cert.NotBefore.Before(issuer.NotBefore) && !cert.NotAfter.After(issuer.NotAfter), "a certificate lies within its issuer's validity"},
		{cert.BasicConstraintsValid && cert.IsCA == p.authority && critical(cert, 19), "basic constraints are critical and say whether it is an authority (RFC 5280, 4.2.1.9)"},
		{!p.authority || cert.MaxPathLen == p.pathLength, "an authority's path length is the profile's"},
		{issuer == meant || !p.authority || p.pathLength < room(issuer), "an authority has room below its issuer (RFC 5280, 4.2.1.9)"},
		{cert.KeyUsage == meant.KeyUsage && critical(cert, 15), "the key usage is critical and the profile's (RFC 5280, 4.2.1.3)"},
		{slices.Equal(cert.ExtKeyUsage, meant.ExtKeyUsage) && len(cert.UnknownExtKeyUsage) == len(meant.UnknownExtKeyUsage), "the extended key usage is the profile's"},
		{len(cert.SubjectKeyId) == 20 && bytes.Equal(cert.SubjectKeyId, meant.SubjectKeyId), "a subject key identifier is there (RFC 5280, 4.2.1.2)"},
		{bytes.Equal(cert.AuthorityKeyId, issuer.SubjectKeyId), "the authority key identifier is the issuer's (RFC 5280, 4.2.1.1)"},
		{!p.needsHost || len(cert.DNSNames)+len(cert.IPAddresses) > 0, "a server has a name or address that devices can type"},
		{slices.Equal(cert.DNSNames, meant.DNSNames) && len(cert.IPAddresses) == len(meant.IPAddresses), "the alternative names are those asked for"},
		{len(cert.EmailAddresses) == 0 && len(cert.URIs) == 0, "no alternative name is an address for mail or a URI"},
		{bytes.Equal(cert.RawSubject, meant.RawSubject) && cert.Subject.CommonName != "", "the subject is the one asked for"},
		{(issuer == meant) == bytes.Equal(cert.RawSubject, cert.RawIssuer), "only the certificate of an authority that stands at the top is its own issuer"},
		{samePublic(cert.PublicKey, public), "the public key is the one asked for"},
		{len(cert.Extensions) == p.extensions(cert), "there is no extension but the profile's"},
	}
	for _, r := range rules {
		if !r.holds {
			return fmt.Errorf("it breaks the rule of the %s profile that %s", p.purpose, r.rule)
		}
	}
	return nil
}

// extensions counts what the profile puts into a certificate: basic constraints, key usage and both key identifiers
// always, the rest as the certificate has a use for it.
func (p profile) extensions(cert *x509.Certificate) int {
	n := 4
	if len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) > 0 {
		n++
	}
	if len(cert.DNSNames)+len(cert.IPAddresses) > 0 {
		n++
	}
	return n
}

// room is how many authorities may stand one below the other under cert (RFC 5280, 4.2.1.9).
func room(cert *x509.Certificate) int {
	if cert.MaxPathLen < 0 {
		return math.MaxInt
	}
	return cert.MaxPathLen
}

// critical tells whether the extension 2.5.29.arc is there and marked critical.
func critical(cert *x509.Certificate, arc int) bool {
	return slices.ContainsFunc(cert.Extensions, func(e pkix.Extension) bool {
		return e.Critical && e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, arc})
	})
}

func samePublic(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// subjectPublicKey returns the bits of the key itself within a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
func subjectPublicKey(der []byte) ([]byte, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		PublicKey asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	return info.PublicKey.Bytes, nil
}

// validDays judges an ordered validity: zero is the profile's own.
func (p profile) validDays(days int, allowLong bool) (int, error) {
	total := days + int(setBack/day)
	switch {
	case days == 0:
		return p.days, nil
	case days < 0:
		return 0, fmt.Errorf("a validity of %d days has ended before it begins", days)
	case days > maxDays:
		return 0, fmt.Errorf("%d days are more than the %d that are taken", days, maxDays)
	case p.maxDays < maxDays && total > p.maxDays && !allowLong:
		return 0, &LongValidityError{Days: total, Most: p.maxDays}
	}
	return days, nil
}

// cut keeps a validity within its issuer's, and tells whether it had to.
func cut(notBefore, notAfter time.Time, issuer *x509.Certificate) (from, to time.Time, wasCut bool) {
	if notBefore.Before(issuer.NotBefore) {
		notBefore = issuer.NotBefore
	}
	if notAfter.After(issuer.NotAfter) {
		return notBefore, issuer.NotAfter, true
	}
	return notBefore, notAfter, false
}
