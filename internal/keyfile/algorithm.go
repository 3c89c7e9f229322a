package keyfile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"
)

// Algorithm names a kind of key, as people give it on the command line.
type Algorithm string

// The algorithms. Every TAK client takes RSA; the curves are those that crypto libraries on phones share.
const (
	RSA2048   Algorithm = "rsa-2048"
	RSA3072   Algorithm = "rsa-3072"
	RSA4096   Algorithm = "rsa-4096"
	ECDSAP256 Algorithm = "ecdsa-p256"
	ECDSAP384 Algorithm = "ecdsa-p384"
)

// Algorithms returns every algorithm, RSA first.
func Algorithms() []Algorithm { return []Algorithm{RSA2048, RSA3072, RSA4096, ECDSAP256, ECDSAP384} }

// ParseAlgorithm returns the algorithm of that name. The error lists the names.
func ParseAlgorithm(s string) (Algorithm, error) {
	if a := Algorithm(s); slices.Contains(Algorithms(), a) {
		return a, nil
	}
	var names []string
	for _, a := range Algorithms() {
		names = append(names, string(a))
	}
	return "", fmt.Errorf("key algorithm %q is none of %s", s, strings.Join(names, ", "))
}

// Generate makes a key. RSA-4096 takes seconds.
func Generate(a Algorithm) (crypto.Signer, error) {
	switch a {
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case RSA4096:
		return rsa.GenerateKey(rand.Reader, 4096)
	case ECDSAP256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case ECDSAP384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	_, err := ParseAlgorithm(string(a))
	return nil, err
}
