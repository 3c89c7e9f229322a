package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"github.com/ftsca/ftsca/csr"
)

// Foundation is what a new authority starts from.
type Foundation struct {
	Subject csr.Subject
	Names   []string // alternative names, DNS names and addresses; few authorities have a use for one
	Key     crypto.Signer
	Days    int // validity from now; zero means ten years
	Now     time.Time
}

// Found makes the self-signed certificate of an authority that issues to servers and clients itself. Its path length
// is zero: no further authority may stand below it. The error says what in the foundation cannot stand.
func Found(f Foundation) (*x509.Certificate, error) {
	request, err := csr.New(f.Key.Public(), f.Subject, f.Names)
	if err != nil {
		return nil, err
	}
	if len(request.Subject.Groups) != 0 {
		return nil, fmt.Errorf("an authority is in no group")
	}
	p := single()
	days, err := p.validDays(f.Days, false)
	if err != nil {
		return nil, err
	}
	now := f.Now.UTC().Truncate(time.Second)
	template := &x509.Certificate{
		NotBefore:             now.Add(-setBack),
		NotAfter:              now.Add(time.Duration(days) * day),
		KeyUsage:              p.keyUsage,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            p.pathLength,
		MaxPathLenZero:        p.pathLength == 0,
		DNSNames:              request.DNSNames,
		IPAddresses:           addresses(request),
	}
	if template.RawSubject, err = request.Subject.DER(); err != nil {
		return nil, err
	}
	if template.SerialNumber, err = serial(); err != nil {
		return nil, err
	}
	if template.SubjectKeyId, err = keyID(f.Key.Public()); err != nil {
		return nil, err
	}
	template.AuthorityKeyId = template.SubjectKeyId
	return sign(p, template, template, f.Key)
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
