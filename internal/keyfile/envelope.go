package keyfile

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ftsca/ftsca/internal/secret"
)

// The library that seals does not open. It panics on ciphertexts and initialisation vectors of a wrong length, derives
// as many rounds as a file wants, overlooks the key length that Java writes, and calls every content that it cannot
// read a wrong password.

// envelope is an EncryptedPrivateKeyInfo (RFC 5958, 3) in PBES2 with PBKDF2 (RFC 8018, A.4 and A.2), all of whose sizes
// are judged.
type envelope struct {
	salt       []byte
	rounds     int
	prf        func() hash.Hash
	keySize    int
	newBlock   func(key []byte) (cipher.Block, error)
	iv         []byte
	ciphertext []byte
}

const (
	maxRounds = 10_000_000 // some seconds of work: more is an attack, or a mistake
	minSalt   = 8          // octets; RFC 8018, 4.1
	maxSalt   = 1024
)

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
)

var errEnvelope = errors.New("its sealed private key is damaged")

// parseEnvelope bounds what opening a sealed key would cost before anything is derived.
func parseEnvelope(der []byte) (*envelope, error) {
	input := cryptobyte.String(der)
	var outer, sealing, parameters, kdf, kdfParameters, encryption, ciphertext cryptobyte.String
	var scheme, derivation asn1.ObjectIdentifier
	if !input.ReadASN1(&outer, tag.SEQUENCE) || !input.Empty() ||
		!outer.ReadASN1(&sealing, tag.SEQUENCE) || !sealing.ReadASN1ObjectIdentifier(&scheme) ||
		!outer.ReadASN1(&ciphertext, tag.OCTET_STRING) || !outer.Empty() {
		return nil, errEnvelope
	}
	if !scheme.Equal(oidPBES2) {
		return nil, fmt.Errorf("it is sealed by the scheme %s: PBES2 is known here; %s", scheme, anew)
	}
	if !sealing.ReadASN1(&parameters, tag.SEQUENCE) || !sealing.Empty() ||
		!parameters.ReadASN1(&kdf, tag.SEQUENCE) || !kdf.ReadASN1ObjectIdentifier(&derivation) ||
		!parameters.ReadASN1(&encryption, tag.SEQUENCE) || !parameters.Empty() {
		return nil, errEnvelope
	}
	if !derivation.Equal(oidPBKDF2) {
		return nil, fmt.Errorf("its key derivation is %s: PBKDF2 is known here; %s", derivation, anew)
	}
	if !kdf.ReadASN1(&kdfParameters, tag.SEQUENCE) || !kdf.Empty() {
		return nil, errEnvelope
	}
	e := &envelope{ciphertext: ciphertext}
	if err := e.readCipher(encryption); err != nil {
		return nil, err
	}
	if err := e.readDerivation(kdfParameters); err != nil {
		return nil, err
	}
	if len(e.ciphertext) == 0 || len(e.ciphertext)%len(e.iv) != 0 {
		return nil, errors.New("its sealed private key is cut short")
	}
	return e, nil
}

// readCipher reads the encryption scheme (RFC 8018, B.2).
func (e *envelope) readCipher(in cryptobyte.String) error {
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1ObjectIdentifier(&oid) {
		return errEnvelope
	}
	blockSize := aes.BlockSize
	e.newBlock = aes.NewCipher
	switch oid.String() {
	case "2.16.840.1.101.3.4.1.2":
		e.keySize = 16
	case "2.16.840.1.101.3.4.1.22":
		e.keySize = 24
	case "2.16.840.1.101.3.4.1.42":
		e.keySize = 32
	case "1.2.840.113549.3.7":
		e.keySize, e.newBlock, blockSize = 24, des.NewTripleDESCipher, des.BlockSize
	default:
		return fmt.Errorf("it is sealed with the cipher %s: AES and 3DES in CBC mode are known here; %s", oid, anew)
	}
	var iv cryptobyte.String
	if !in.ReadASN1(&iv, tag.OCTET_STRING) || !in.Empty() {
		return errEnvelope
	}
	if len(iv) != blockSize {
		return fmt.Errorf("its initialisation vector has %d bytes: its cipher takes %d", len(iv), blockSize)
	}
	e.iv = iv
	return nil
}

// readDerivation reads the parameters of PBKDF2, when the cipher has told how long the key has to be.
func (e *envelope) readDerivation(in cryptobyte.String) error {
	var salt cryptobyte.String
	if !in.ReadASN1(&salt, tag.OCTET_STRING) {
		return errEnvelope
	}
	if len(salt) < minSalt || len(salt) > maxSalt {
		return fmt.Errorf("its salt has %d bytes: %d to %d are taken", len(salt), minSalt, maxSalt)
	}
	var rounds int64
	if !in.ReadASN1Integer(&rounds) {
		// Most likely a number of more than 63 bits.
		return fmt.Errorf("it asks for rounds of key derivation beyond counting: 1 to %d are taken", maxRounds)
	}
	if rounds < 1 || rounds > maxRounds {
		return fmt.Errorf("it asks for %d rounds of key derivation: 1 to %d are taken", rounds, maxRounds)
	}
	e.salt, e.rounds = salt, int(rounds)
	if in.PeekASN1Tag(tag.INTEGER) {
		var size int
		if !in.ReadASN1Integer(&size) {
			return errEnvelope
		}
		if size != e.keySize {
			return fmt.Errorf("it derives a key of %d bytes: its cipher takes %d", size, e.keySize)
		}
	}
	return e.readPRF(in)
}

// readPRF reads the pseudo-random function: HMAC-SHA1 where none is given (RFC 8018, A.2).
func (e *envelope) readPRF(in cryptobyte.String) error {
	e.prf = sha1.New
	if in.Empty() {
		return nil
	}
	var algorithm cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&algorithm, tag.SEQUENCE) || !in.Empty() || !algorithm.ReadASN1ObjectIdentifier(&oid) {
		return errEnvelope
	}
	switch oid.String() {
	case "1.2.840.113549.2.7":
	case "1.2.840.113549.2.9":
		e.prf = sha256.New
	case "1.2.840.113549.2.10":
		e.prf = sha512.New384
	case "1.2.840.113549.2.11":
		e.prf = sha512.New
	default:
		return fmt.Errorf("its key derivation uses %s: HMAC with SHA-1, SHA-256, SHA-384 or SHA-512 is known here; %s", oid, anew)
	}
	return nil
}

// open returns the PrivateKeyInfo that is sealed, or ErrWrongPassphrase.
func (e *envelope) open(passphrase secret.Secret) ([]byte, error) {
	key, err := pbkdf2.Key(e.prf, passphrase.Reveal(), e.salt, e.rounds, e.keySize)
	if err != nil {
		return nil, fmt.Errorf("deriving a key from the passphrase: %w", err)
	}
	block, err := e.newBlock(key)
	if err != nil {
		return nil, fmt.Errorf("opening what is sealed: %w", err)
	}
	content := make([]byte, len(e.ciphertext))
	cipher.NewCBCDecrypter(block, e.iv).CryptBlocks(content, e.ciphertext)
	content, ok := unpad(content, block.BlockSize())
	if !ok || !isPrivateKeyInfo(content) {
		return nil, ErrWrongPassphrase
	}
	return content, nil
}

// unpad takes the padding away (RFC 8018, 6.1.1, step 4).
func unpad(content []byte, blockSize int) ([]byte, bool) {
	n := int(content[len(content)-1])
	if n == 0 || n > blockSize {
		return nil, false
	}
	for _, b := range content[len(content)-n:] {
		if int(b) != n {
			return nil, false
		}
	}
	return content[:len(content)-n], true
}

// isPrivateKeyInfo tells whether content has the frame of one PrivateKeyInfo (RFC 5958, 2), whatever the key in it.
// One wrong passphrase in 256 yields right padding; with a frame whose lengths all fit it is fewer than one in 2^40.
func isPrivateKeyInfo(content []byte) bool {
	input := cryptobyte.String(content)
	var info, algorithm, key cryptobyte.String
	var version int
	return input.ReadASN1(&info, tag.SEQUENCE) && input.Empty() &&
		info.ReadASN1Integer(&version) && (version == 0 || version == 1) &&
		info.ReadASN1(&algorithm, tag.SEQUENCE) && info.ReadASN1(&key, tag.OCTET_STRING)
}
