package keyfile

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

const (
	maxRounds = 10_000_000 // some seconds of work: more is an attack, or a mistake
	maxSalt   = 1024
)

var (
	oidPBES2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidHMACSHA1   = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidDESEDE3CBC = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}
	oidAES128CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	oidAES192CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}
	oidAES256CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

// sealing is an EncryptedPrivateKeyInfo under PBES2 (RFC 5958, 3; RFC 8018, A.4).
type sealing struct {
	Algorithm struct {
		Scheme     asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	Data []byte
}

type pbes2 struct{ KDF, Cipher pkix.AlgorithmIdentifier }

type pbkdf2 struct {
	Salt      []byte
	Rounds    int
	KeyLength int                      `asn1:"optional"`
	PRF       pkix.AlgorithmIdentifier `asn1:"optional"`
}

// checkSealing bounds what opening a sealed key would cost, and refuses what the library that opens it would stumble
// over, before anything is derived.
func checkSealing(der []byte) error {
	var s sealing
	if rest, err := asn1.Unmarshal(der, &s); err != nil || len(rest) > 0 {
		return errors.New("its sealed private key is damaged")
	}
	if !s.Algorithm.Scheme.Equal(oidPBES2) {
		return fmt.Errorf("it is sealed by the scheme %s: PBES2 is known here", s.Algorithm.Scheme)
	}
	var p pbes2
	if _, err := asn1.Unmarshal(s.Algorithm.Parameters.FullBytes, &p); err != nil {
		return errors.New("the parameters of its sealing are damaged")
	}
	if !p.KDF.Algorithm.Equal(oidPBKDF2) {
		return fmt.Errorf("its key derivation is %s: PBKDF2 is known here", p.KDF.Algorithm)
	}
	var kdf pbkdf2
	if _, err := asn1.Unmarshal(p.KDF.Parameters.FullBytes, &kdf); err != nil {
		return errors.New("the parameters of its key derivation are damaged")
	}
	hash := kdf.PRF.Algorithm
	switch {
	case kdf.Rounds < 1 || kdf.Rounds > maxRounds:
		return fmt.Errorf("it asks for %d rounds of key derivation: 1 to %d are taken", kdf.Rounds, maxRounds)
	case len(kdf.Salt) > maxSalt:
		return fmt.Errorf("its salt has %d bytes: at most %d are taken", len(kdf.Salt), maxSalt)
	case len(hash) > 0 && !hash.Equal(oidHMACSHA1) && !hash.Equal(oidHMACSHA256):
		return fmt.Errorf("its key derivation uses %s: HMAC with SHA-256 or SHA-1 is known here", hash)
	}
	block, cipher := 16, p.Cipher.Algorithm
	switch {
	case cipher.Equal(oidDESEDE3CBC):
		block = 8
	case cipher.Equal(oidAES128CBC), cipher.Equal(oidAES192CBC), cipher.Equal(oidAES256CBC):
	default:
		return fmt.Errorf("it is sealed with the cipher %s: AES in CBC mode is known here", cipher)
	}
	var iv []byte
	if _, err := asn1.Unmarshal(p.Cipher.Parameters.FullBytes, &iv); err != nil || len(iv) != block {
		return errors.New("the parameters of its cipher are damaged")
	}
	if len(s.Data) == 0 || len(s.Data)%block != 0 {
		return errors.New("its sealed private key is cut short")
	}
	return nil
}
