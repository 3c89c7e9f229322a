package keyfile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
)

const (
	minRSABits  = 2048 // NIST SP 800-131A
	maxRSABits  = 8192 // a larger one costs every device a second and gains nothing
	minExponent = 65537
	maxExponent = 1<<31 - 1 // what many devices hold an exponent in
)

// CheckPublic tells why a public key is not to be certified: RSA has 2048 to 8192 bits and an odd exponent from 65537
// to 2^31-1 (FIPS 186-5, 5.1, asks for no smaller one), ECDSA lies on P-256 or P-384; nothing else is taken.
func CheckPublic(public crypto.PublicKey) error {
	switch k := public.(type) {
	case *rsa.PublicKey:
		bits := 0
		if k != nil && k.N != nil && k.N.Sign() > 0 {
			bits = k.N.BitLen()
		}
		switch {
		case bits < minRSABits || bits > maxRSABits:
			return fmt.Errorf("an RSA key of %d bits: %d to %d are taken", bits, minRSABits, maxRSABits)
		case k.N.Bit(0) == 0:
			return errors.New("an RSA key with an even modulus is none")
		case k.E < minExponent || k.E > maxExponent:
			return fmt.Errorf("an RSA key with the exponent %d: %d to %d are taken", k.E, minExponent, maxExponent)
		case k.E%2 == 0:
			return fmt.Errorf("an RSA key with the even exponent %d is none", k.E)
		}
		return nil
	case *ecdsa.PublicKey:
		//lint:ignore SA1019 a key without coordinates panics in every function that takes their place
		if k == nil || k.X == nil || k.Y == nil {
			return errors.New("an ECDSA key without a point is none")
		}
		if k.Curve != elliptic.P256() && k.Curve != elliptic.P384() {
			return errors.New("an ECDSA key on another curve than P-256 or P-384, which devices do not share")
		}
		if _, err := k.ECDH(); err != nil {
			return fmt.Errorf("an ECDSA key that is no point of its curve: %w", err)
		}
		return nil
	}
	return fmt.Errorf("a key of the type %T: RSA and ECDSA are taken", public)
}

var errNoKey = errors.New("there is no key")

// Match tells that a certificate is not the key's, or that there is not one of each.
func Match(key crypto.Signer, cert *x509.Certificate) error {
	if key == nil {
		return errNoKey
	}
	if cert == nil {
		return errors.New("there is no certificate")
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(cert.PublicKey) {
		return errors.New("the key is not the certificate's")
	}
	return nil
}
