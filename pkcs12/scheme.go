package pkcs12

import (
	"crypto/aes"
	"crypto/des"
	"crypto/subtle"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// scheme is an encryption with a password, all of whose sizes are judged.
type scheme struct {
	cipher blockCipher
	kdf    derivation
	iv     []byte // nil where it is derived
}

// blockCipher is a cipher in CBC mode.
type blockCipher struct {
	name               string
	keySize, blockSize int
	make               func(key []byte) (decrypter, error)
}

// decrypter is the half of a cipher.Block that is needed here.
type decrypter interface{ Decrypt(dst, src []byte) }

var errPadding = errors.New("what was decrypted has no right end")

// takeScheme reads an AlgorithmIdentifier of PBES1 or PBES2 and charges its rounds.
func (r *reader) takeScheme(in *cryptobyte.String) (*scheme, error) {
	var rest, parameters cryptobyte.String
	oid, err := takeTyped(in, &rest)
	if err != nil {
		return nil, err
	}
	if err := take(&rest, &parameters, tag.SEQUENCE); err != nil {
		return nil, err
	}
	if !rest.Empty() {
		return nil, errForm
	}
	s := &scheme{}
	if oid == oidPBES2 {
		err = r.takePBES2(s, parameters)
	} else {
		err = r.takePBES1(s, oid, parameters)
	}
	if err != nil {
		return nil, err
	}
	r.form.addCipher(s.cipher.name)
	return s, nil
}

const (
	oidPBES2  = "1.2.840.113549.1.5.13"
	oidPBKDF2 = "1.2.840.113549.1.5.12"
)

// takePBES1 reads the parameters of the format's own schemes (RFC 7292, C).
func (r *reader) takePBES1(s *scheme, oid string, in cryptobyte.String) error {
	switch oid {
	case "1.2.840.113549.1.12.1.3":
		s.cipher = tripleDES()
	case "1.2.840.113549.1.12.1.5":
		s.cipher = blockCipher{"RC2-128", 16, rc2BlockSize, newRC2}
	case "1.2.840.113549.1.12.1.6":
		s.cipher = blockCipher{"RC2-40", 5, rc2BlockSize, newRC2}
	default:
		return unread("it is encrypted with", oid, "3DES, RC2 and AES are")
	}
	var salt cryptobyte.String
	if err := take(&in, &salt, tag.OCTET_STRING); err != nil {
		return err
	}
	s.kdf.salt = salt
	s.kdf.hash, _ = digest("1.3.14.3.2.26")
	var err error
	s.kdf.rounds, err = r.takeRounds(&in)
	if err == nil && !in.Empty() {
		err = errForm
	}
	return err
}

func tripleDES() blockCipher {
	return blockCipher{"3DES", 24, des.BlockSize, func(key []byte) (decrypter, error) { return des.NewTripleDESCipher(key) }}
}

// takePBES2 reads PBES2-params (RFC 8018, A.4).
func (r *reader) takePBES2(s *scheme, in cryptobyte.String) error {
	var kdf, encryption, iv cryptobyte.String
	if err := take(&in, &kdf, tag.SEQUENCE); err != nil {
		return err
	}
	oid, err := takeTyped(&in, &encryption)
	if err != nil {
		return err
	}
	newAES := func(key []byte) (decrypter, error) { return aes.NewCipher(key) }
	switch oid {
	case "2.16.840.1.101.3.4.1.2":
		s.cipher = blockCipher{"AES-128", 16, aes.BlockSize, newAES}
	case "2.16.840.1.101.3.4.1.22":
		s.cipher = blockCipher{"AES-192", 24, aes.BlockSize, newAES}
	case "2.16.840.1.101.3.4.1.42":
		s.cipher = blockCipher{"AES-256", 32, aes.BlockSize, newAES}
	case "1.2.840.113549.3.7":
		s.cipher = tripleDES()
		s.cipher.name = "3DES (PBES2)" // which readers of 3DES as the format has it need not know
	default:
		return unread("it is encrypted with", oid, "3DES, RC2 and AES are")
	}
	if err := takeOctets(encryption, &iv); err != nil {
		return err
	}
	if len(iv) != s.cipher.blockSize {
		return fmt.Errorf("its initialisation vector has %d bytes: %s takes %d", len(iv), s.cipher.name, s.cipher.blockSize)
	}
	s.iv = iv
	var size int
	if s.kdf, size, err = r.takePBKDF2(kdf); err != nil {
		return err
	}
	if size != 0 && size != s.cipher.keySize {
		return fmt.Errorf("it derives a key of %d bytes: %s takes %d", size, s.cipher.name, s.cipher.keySize)
	}
	return nil
}

// takePBKDF2 reads an AlgorithmIdentifier's inside (RFC 8018, A.2). size is 0 where none is given.
func (r *reader) takePBKDF2(in cryptobyte.String) (d derivation, size int, err error) {
	oid, err := takeOID(&in)
	if err != nil {
		return d, 0, err
	}
	if oid != oidPBKDF2 {
		return d, 0, unread("its key is derived with", oid, "PBKDF2 is")
	}
	var parameters, salt cryptobyte.String
	if err := take(&in, &parameters, tag.SEQUENCE); err != nil {
		return d, 0, err
	}
	if err := take(&parameters, &salt, tag.OCTET_STRING); err != nil {
		return d, 0, err
	}
	d.pbkdf2, d.salt = true, salt
	if d.rounds, err = r.takeRounds(&parameters); err != nil {
		return d, 0, err
	}
	if parameters.PeekASN1Tag(tag.INTEGER) && !parameters.ReadASN1Integer(&size) {
		return d, 0, errForm
	}
	prf := "1.2.840.113549.2.7"
	if !parameters.Empty() {
		var rest cryptobyte.String
		if prf, err = takeTyped(&parameters, &rest); err != nil {
			return d, 0, err
		}
	}
	var ok bool
	if d.hash, ok = digest(prf); !ok {
		return d, 0, unread("its key is derived with", prf, "HMAC with SHA-1, SHA-256, SHA-384 and SHA-512 are")
	}
	return d, size, nil
}

// open returns what is encrypted, once the MAC has shown that the password is that of the file.
func (s *scheme) open(p password, ciphertext []byte, what string) ([]byte, error) {
	if len(ciphertext) == 0 || len(ciphertext)%s.cipher.blockSize != 0 {
		return nil, fmt.Errorf("%s of it is cut short", what)
	}
	content, err := s.decrypt(p, ciphertext)
	if errors.Is(err, errPadding) {
		return nil, fmt.Errorf("%w for %s, though it is that of the file", ErrPassword, what)
	}
	if err != nil {
		return nil, fmt.Errorf("decrypting %s: %w", what, err)
	}
	return content, nil
}

// opens tells whether the password decrypts the ciphertext to one SEQUENCE from end to end, as all that is encrypted in
// this format is. With another one the padding alone is right once in 256 times, and the rest once in some million.
func (s *scheme) opens(p password, ciphertext []byte) bool {
	content, err := s.open(p, ciphertext, "")
	in := cryptobyte.String(content)
	var all cryptobyte.String
	return err == nil && in.ReadASN1(&all, tag.SEQUENCE) && in.Empty()
}

func (s *scheme) decrypt(p password, ciphertext []byte) ([]byte, error) {
	size := s.cipher.blockSize
	key, err := s.kdf.derive(p, forKey, s.cipher.keySize)
	if err != nil {
		return nil, err
	}
	iv := s.iv
	if iv == nil {
		if iv, err = s.kdf.derive(p, forIV, size); err != nil {
			return nil, err
		}
	}
	c, err := s.cipher.make(key)
	if err != nil {
		return nil, err
	}
	content := make([]byte, len(ciphertext))
	for at := 0; at < len(content); at += size {
		c.Decrypt(content[at:at+size], ciphertext[at:at+size])
		subtle.XORBytes(content[at:at+size], content[at:at+size], iv)
		iv = ciphertext[at : at+size]
	}
	return unpad(content, size)
}

// unpad takes the padding away (RFC 8018, 6.1.1, step 4).
func unpad(content []byte, blockSize int) ([]byte, error) {
	n := int(content[len(content)-1])
	if n == 0 || n > blockSize {
		return nil, errPadding
	}
	for _, b := range content[len(content)-n:] {
		if int(b) != n {
			return nil, errPadding
		}
	}
	return content[:len(content)-n], nil
}

// unread is the error about an algorithm that is not read, by name where it has one.
func unread(what, oid, read string) error {
	name := oid
	switch oid {
	case "1.2.840.113549.1.12.1.1":
		name = "RC4-128"
	case "1.2.840.113549.1.12.1.2":
		name = "RC4-40"
	case "1.2.840.113549.1.12.1.4":
		name = "3DES with two keys"
	case "1.2.840.113549.1.5.1", "1.2.840.113549.1.5.3", "1.2.840.113549.1.5.10":
		name = "DES"
	case "1.2.840.113549.3.2":
		name = "RC2 in PBES2"
	case "2.16.840.1.101.3.4.1.6", "2.16.840.1.101.3.4.1.26", "2.16.840.1.101.3.4.1.46":
		name = "AES in GCM mode"
	case "1.3.6.1.4.1.11591.4.11":
		name = "scrypt"
	case "1.2.840.113549.2.5":
		name = "MD5"
	case "2.16.840.1.101.3.4.2.4", "1.2.840.113549.2.8":
		name = "SHA-224"
	}
	return fmt.Errorf("%s %s, where %s read: %s", what, name, read, anew)
}
