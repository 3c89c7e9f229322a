package keyfile

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/youmark/pkcs8"

	"github.com/ftsca/ftsca/internal/secret"
)

// DefaultRounds is how often PBKDF2-HMAC-SHA256 is run to seal a key: about a quarter of a second, once a command.
const DefaultRounds = 600_000

const saltSize = 16

// The types of the PEM blocks (RFC 7468, 10 and 11; the older two are OpenSSL's).
const (
	clearType  = "PRIVATE KEY"
	sealedType = "ENCRYPTED PRIVATE KEY"
	pkcs1Type  = "RSA PRIVATE KEY"
	sec1Type   = "EC PRIVATE KEY"
)

// Sealer writes private keys. The zero Sealer is that of [DefaultRounds].
type Sealer struct{ rounds int }

// NewSealer returns a sealer with so many rounds of key derivation; 0 stands for [DefaultRounds]. Only tests have a use
// for fewer.
func NewSealer(rounds int) Sealer { return Sealer{rounds: rounds} }

// Seal returns the PEM file of a key: PKCS #8, encrypted by PBES2 (RFC 8018) with PBKDF2-HMAC-SHA256 and AES-256-CBC,
// which openssl pkey opens. The zero passphrase leaves the key in clear.
func (s Sealer) Seal(key crypto.Signer, passphrase secret.Secret) ([]byte, error) {
	if passphrase.IsZero() {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, fmt.Errorf("encoding the private key: %w", err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: clearType, Bytes: der}), nil
	}
	rounds := s.rounds
	if rounds == 0 {
		rounds = DefaultRounds
	}
	der, err := pkcs8.MarshalPrivateKey(key, []byte(passphrase.Reveal()), &pkcs8.Opts{
		Cipher:  pkcs8.AES256CBC,
		KDFOpts: pkcs8.PBKDF2Opts{SaltSize: saltSize, IterationCount: rounds, HMACHash: crypto.SHA256},
	})
	if err != nil {
		return nil, fmt.Errorf("sealing the private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: sealedType, Bytes: der}), nil
}

var (
	// ErrSealed is returned where a key is sealed and no passphrase can be had.
	ErrSealed = errors.New("the key is sealed with a passphrase")
	// ErrWrongPassphrase is returned where the passphrase does not open the key.
	ErrWrongPassphrase = errors.New("wrong passphrase")
)

// IsSealed tells whether a PEM file holds a key that needs a passphrase.
func IsSealed(data []byte) bool {
	block, _ := pem.Decode(data)
	return block != nil && block.Type == sealedType
}

// Parse reads a private key from PEM: PKCS #8, sealed or in clear, PKCS #1 or SEC 1. passphrase is asked only where the
// key is sealed; nil means [ErrSealed] then. What a hostile file asks for is bounded before any key is derived.
func Parse(data []byte, passphrase func() (secret.Secret, error)) (crypto.Signer, error) {
	block, _ := pem.Decode(data)
	// OpenSSL puts the parameters of a curve before the key.
	for block != nil && block.Type == "EC PARAMETERS" {
		block, data = pem.Decode(data)
	}
	if block == nil {
		return nil, errors.New("there is no PEM block in it")
	}
	var key any
	var err error
	switch {
	case block.Headers["DEK-Info"] != "":
		return nil, errors.New("it is sealed in the way of RFC 1423, which is weak: openssl pkey makes it anew")
	case block.Type == clearType:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case block.Type == pkcs1Type:
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case block.Type == sec1Type:
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case block.Type == sealedType:
		return open(block.Bytes, passphrase)
	default:
		return nil, fmt.Errorf("it holds a PEM block %q and no private key", block.Type)
	}
	if err != nil {
		// The parser's own words could repeat bytes of the key.
		return nil, errors.New("its private key is damaged, or of a kind that is not known")
	}
	return signer(key)
}

func open(der []byte, passphrase func() (secret.Secret, error)) (crypto.Signer, error) {
	if err := checkSealing(der); err != nil {
		return nil, err
	}
	if passphrase == nil {
		return nil, ErrSealed
	}
	value, err := passphrase()
	if err != nil {
		return nil, err
	}
	if value.IsZero() {
		return nil, ErrSealed
	}
	key, _, err := pkcs8.ParsePrivateKey(der, []byte(value.Reveal()))
	if err != nil {
		// All else was checked before: what came out of the decryption is no key.
		return nil, ErrWrongPassphrase
	}
	return signer(key)
}

func signer(key any) (crypto.Signer, error) {
	s, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of the type %T does not sign", key)
	}
	if err := CheckPublic(s.Public()); err != nil {
		return nil, err
	}
	return s, nil
}
