package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"
	"time"

	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
)

// Foundation is what a new authority starts from.
type Foundation struct {
	Purpose Purpose // [Single], the zero Purpose too, or [Root]
	Subject csr.Subject
	Names   []string // alternative names, DNS names and addresses; few authorities have a use for one
	Key     crypto.Signer
	Days    int // validity from now; zero means ten years, twenty for a root
	Now     time.Time
}

// Found makes the self-signed certificate of an authority: one that issues to servers and clients itself, whose path
// length of zero allows no further authority below it, or a root, which has room for one tier of issuing authorities.
// The error says what in the foundation cannot stand.
func Found(f Foundation) (*x509.Certificate, error) {
	request, err := csr.New(f.Key.Public(), f.Subject, f.Names)
	if err != nil {
		return nil, err
	}
	if len(request.Subject.Groups) != 0 {
		return nil, fmt.Errorf("an authority is in no group")
	}
	p := single()
	switch f.Purpose {
	case Single, "":
	case Root:
		p = root()
	default:
		return nil, fmt.Errorf("an authority of the purpose %q is not founded: its issuer signs its request", f.Purpose)
	}
	template := &x509.Certificate{DNSNames: request.DNSNames, IPAddresses: addresses(request)}
	if template.RawSubject, err = request.Subject.DER(); err != nil {
		return nil, err
	}
	return p.selfSign(template, f.Key, f.Days, f.Now)
}

// FoundBelow makes the certificate of an issuing authority that is founded in one act with the root above it.
func FoundBelow(f Foundation, root *x509.Certificate, rootKey crypto.Signer) (*x509.Certificate, error) {
	request, err := csr.New(f.Key.Public(), f.Subject, f.Names)
	if err != nil {
		return nil, err
	}
	a := Authority{cert: root, clock: Clock{Now: func() time.Time { return f.Now }}}
	d, err := a.draft(Order{Purpose: Issuing, Request: request, Days: f.Days})
	if err != nil {
		return nil, err
	}
	return sign(d.profile, d.template, root, rootKey)
}

// Renew makes the next certificate of an authority that is its own issuer: the same key and names, a new validity from
// now (days: zero means the profile's). What it has issued chains to the new certificate as to the old one.
func Renew(old *x509.Certificate, key crypto.Signer, days int, now time.Time) (*x509.Certificate, error) {
	if err := keyfile.Match(key, old); err != nil {
		return nil, fmt.Errorf("the authority %q: %w", old.Subject.CommonName, err)
	}
	p := single()
	if old.MaxPathLen != 0 {
		p = root()
	}
	p.pathLength = old.MaxPathLen
	return p.selfSign(&x509.Certificate{RawSubject: old.RawSubject, DNSNames: old.DNSNames, IPAddresses: old.IPAddresses}, key, days, now)
}

// selfSign fills in what every authority has, and signs.
func (p profile) selfSign(template *x509.Certificate, key crypto.Signer, days int, now time.Time) (*x509.Certificate, error) {
	days, err := p.validDays(days, false)
	if err != nil {
		return nil, err
	}
	now = now.UTC().Truncate(time.Second)
	template.NotBefore, template.NotAfter = now.Add(-setBack), now.Add(time.Duration(days)*day)
	template.KeyUsage = p.keyUsage
	template.BasicConstraintsValid, template.IsCA = true, true
	template.MaxPathLen, template.MaxPathLenZero = p.pathLength, p.pathLength == 0
	if template.SerialNumber, err = serial(); err != nil {
		return nil, err
	}
	if template.SubjectKeyId, err = keyID(key.Public()); err != nil {
		return nil, err
	}
	template.AuthorityKeyId = template.SubjectKeyId
	return sign(p, template, template, key)
}

// serial returns 128 random bits, positive and not zero (RFC 5280, 4.1.2.2).
func serial() (*big.Int, error) {
	var b [16]byte
	for {
		if _, err := rand.Read(b[:]); err != nil {
			return nil, fmt.Errorf("drawing a serial number: %w", err)
		}
		// A leading zero byte would make serials of differing length; people compare them by eye.
		if b[0] != 0 {
			return new(big.Int).SetBytes(b[:]), nil
		}
	}
}

// KeyID returns the key identifier that certificates of this package have for a key, in lower-case hex.
func KeyID(public crypto.PublicKey) (string, error) {
	id, err := keyID(public)
	return hex.EncodeToString(id), err
}

// keyID is the key identifier of RFC 7093, 2, method 1: the leftmost 160 bits of the SHA-256 of the public key.
func keyID(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("encoding the public key: %w", err)
	}
	bits, err := subjectPublicKey(der)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(bits)
	return sum[:20], nil
}
