package keyfile

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
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

// NewSealer returns a sealer with so many rounds of key derivation, at most 10,000,000; 0 stands for [DefaultRounds].
// Only tests have a use for fewer.
func NewSealer(rounds int) Sealer { return Sealer{rounds: rounds} }

// Seal returns the PEM file of a key: PKCS #8, encrypted by PBES2 (RFC 8018) with PBKDF2-HMAC-SHA256 and AES-256-CBC,
// which openssl pkey opens. The zero passphrase leaves the key in clear. What [Parse] would not open again is an error:
// a key that [CheckPublic] refuses, and too many rounds.
func (s Sealer) Seal(key crypto.Signer, passphrase secret.Secret) ([]byte, error) {
	if key == nil {
		return nil, errNoKey
	}
	if err := CheckPublic(key.Public()); err != nil {
		return nil, fmt.Errorf("sealing the private key: %w", err)
	}
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
	if rounds < 1 || rounds > maxRounds {
		return nil, fmt.Errorf("sealing the private key: %d rounds of key derivation: 1 to %d are taken", rounds, maxRounds)
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
