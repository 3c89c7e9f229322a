package keyfile

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/ftsca/ftsca/internal/secret"
)

var (
	// ErrSealed is returned where a key is sealed and no passphrase can be had.
	ErrSealed = errors.New("the key is sealed with a passphrase")
	// ErrWrongPassphrase is returned where the passphrase does not open the key. Damage to the first or the last bytes of
	// what is sealed looks the same.
	ErrWrongPassphrase = errors.New("wrong passphrase")
)

var (
	errRFC1423 = errors.New("it is sealed in the way of RFC 1423, which is weak: " + anew)
	errDamaged = errors.New("its private key is damaged, or of a kind that is not known")
)

// anew is what to do about a key that openssl reads and we do not.
const anew = "openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW seals it anew"

// IsSealed tells whether a PEM file holds a key that needs a passphrase, be it one that [Parse] cannot open.
func IsSealed(data []byte) bool {
	block, err := find(data)
	return errors.Is(err, errRFC1423) || err == nil && block.Type == sealedType
}

// Parse reads the one private key in a PEM file of at most 64 KiB: PKCS #8, sealed or in clear, PKCS #1 or SEC 1.
// Certificates and other blocks may stand beside it. passphrase is asked only where the key is sealed, and nil means
// [ErrSealed] then, as does the zero Secret; its own error is returned as it is.
//
// What is opened is PBES2 with PBKDF2 and AES or 3DES in CBC mode. What a hostile file asks for, at most 10,000,000
// rounds, is bounded before the passphrase is asked for. A key that [CheckPublic] refuses is not returned.
func Parse(data []byte, passphrase func() (secret.Secret, error)) (crypto.Signer, error) {
	block, err := find(data)
	if err != nil {
		return nil, err
	}
	content := block.Bytes
	if block.Type == sealedType {
		if content, err = open(content, passphrase); err != nil {
			return nil, err
		}
	}
	var key any
	switch block.Type {
	case pkcs1Type:
		key, err = x509.ParsePKCS1PrivateKey(content)
	case sec1Type:
		key, err = x509.ParseECPrivateKey(content)
	default:
		key, err = x509.ParsePKCS8PrivateKey(content)
	}
	if err != nil {
		// The parser's own words could repeat bytes of the key.
		return nil, errDamaged
	}
	s, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of the type %T does not sign", key)
	}
	if err := CheckPublic(s.Public()); err != nil {
		return nil, err
	}
	return s, nil
}

// find returns the PEM block of the one private key.
func find(data []byte) (*pem.Block, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("a file of more than %d bytes is none", maxFile)
	}
	var found *pem.Block
	other := ""
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case clearType, sealedType, pkcs1Type, sec1Type:
			if found != nil {
				return nil, errors.New("it holds several private keys, and which one is meant it does not say")
			}
			found = block
		default:
			other = block.Type
		}
	}
	switch {
	case found == nil && other != "":
		return nil, fmt.Errorf("it holds a PEM block %q and no private key", other)
	case found == nil:
		return nil, errors.New("there is no PEM block in it")
	case found.Headers["DEK-Info"] != "" || found.Headers["Proc-Type"] != "":
		return nil, errRFC1423
	}
	return found, nil
}

func open(der []byte, passphrase func() (secret.Secret, error)) ([]byte, error) {
	e, err := parseEnvelope(der)
	if err != nil {
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
	return e.open(value)
}
