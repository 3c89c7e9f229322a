package keyfile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"sync"
)

const (
	minRSABits  = 2048 // NIST SP 800-131A
	maxRSABits  = 8192 // a larger one costs every device a second and gains nothing
	minExponent = 65537
	maxExponent = 1<<31 - 1 // what many devices hold an exponent in

	smallFactor  = 752 // NIST SP 800-89, 5.3.3: a modulus has no smaller one
	fermatRounds = 100 // CA/Browser Forum Baseline Requirements, 6.1.1.3: so many must not factor a key
)

// CheckPublic tells why a public key is not to be certified: RSA has 2048 to 8192 bits and an odd exponent from 65537
// to 2^31-1 (FIPS 186-5, 5.1, asks for no smaller one), ECDSA lies on P-256 or P-384; nothing else is taken. Neither is
// an RSA key that anybody can factor: with a factor below 752, with two primes that lie close together, or of the chips
// of CVE-2017-15361 (ROCA). It takes well below a millisecond.
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
		return checkFactors(k)
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

// checkFactors looks for the ways in which moduli were found to come apart.
func checkFactors(k *rsa.PublicKey) error {
	rest := new(big.Int).Mod(k.N, primorial())
	if common := rest.GCD(nil, nil, rest, primorial()); common.BitLen() > 1 {
		return fmt.Errorf("an RSA key whose modulus can be divided by %d is broken: make a new one", common)
	}
	if closePrimes(k.N) {
		return errors.New("an RSA key whose two primes lie so close together is broken (CVE-2022-26320): make a new one")
	}
	if isOfFlawedChip(k.N) {
		return errors.New("an RSA key of a chip with the ROCA flaw is broken (CVE-2017-15361): make a new one, outside the chip")
	}
	return nil
}

// primorial is the product of the odd primes below smallFactor.
var primorial = sync.OnceValue(func() *big.Int {
	product := big.NewInt(1)
	for n := int64(3); n < smallFactor; n += 2 {
		if p := big.NewInt(n); p.ProbablyPrime(0) { // which is exact below 2^64
			product.Mul(product, p)
		}
	}
	return product
})

// closePrimes tells whether fermatRounds of Fermat's method factor n: n is a²-b² = (a+b)(a-b), and b is small where the
// primes lie close together, so a is looked for from the root of n upwards (https://fermatattack.secvuln.info).
func closePrimes(n *big.Int) bool {
	one, root := big.NewInt(1), new(big.Int)
	a := new(big.Int).Sqrt(n)
	b2 := new(big.Int).Mul(a, a)
	if b2.Cmp(n) < 0 {
		a.Add(a, one)
		b2.Mul(a, a)
	}
	b2.Sub(b2, n)
	for range fermatRounds {
		if mayBeSquare(b2) {
			if root.Sqrt(b2); root.Mul(root, root).Cmp(b2) == 0 {
				return true
			}
		}
		b2.Add(b2, one).Add(b2, a).Add(b2, a)
		a.Add(a, one)
	}
	return false
}

// mayBeSquare is false for 99 of 100 numbers that are no square, and spares them a root (Cohen, A Course in
// Computational Algebraic Number Theory, algorithm 1.7.3).
func mayBeSquare(n *big.Int) bool {
	moduli := [...]uint64{64, 63, 65, 11}
	rest := new(big.Int).Mod(n, big.NewInt(64*63*65*11)).Uint64()
	for _, m := range moduli {
		found := false
		for x := uint64(0); x <= m/2 && !found; x++ {
			found = x*x%m == rest%m
		}
		if !found {
			return false
		}
	}
	return true
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
