package pkcs12

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
	"unicode/utf8"
)

// password is one password in the two spellings that keys are derived from.
type password struct {
	text string // UTF-8, as PBES2 and PBMAC1 have it
	bmp  []byte // 16 bits a character and a NUL at the end (RFC 7292, B.1)
}

// newPassword takes what CheckPassword refuses, since others write it.
func newPassword(text string) (password, error) {
	if !utf8.ValidString(text) {
		return password{}, errors.New("the password is not UTF-8")
	}
	return password{text: text, bmp: append(toBMP(text), 0, 0)}, nil
}

// hashed is a hash function with its name for people.
type hashed struct {
	name string
	make func() hash.Hash
}

// digest returns the hash function of an object identifier: the plain one, or the one of an HMAC.
func digest(oid string) (hashed, bool) {
	switch oid {
	case "1.3.14.3.2.26", "1.2.840.113549.2.7":
		return hashed{"SHA-1", sha1.New}, true
	case "2.16.840.1.101.3.4.2.1", "1.2.840.113549.2.9":
		return hashed{"SHA-256", sha256.New}, true
	case "2.16.840.1.101.3.4.2.2", "1.2.840.113549.2.10":
		return hashed{"SHA-384", sha512.New384}, true
	case "2.16.840.1.101.3.4.2.3", "1.2.840.113549.2.11":
		return hashed{"SHA-512", sha512.New}, true
	}
	return hashed{}, false
}

// derivation makes keys of a password. Its rounds are charged.
type derivation struct {
	pbkdf2 bool // RFC 8018, 5.2; else RFC 7292, B.2
	hash   hashed
	salt   []byte
	rounds int
}

// The purposes of what is derived (RFC 7292, B.3). PBKDF2 knows none.
const (
	forKey = 1
	forIV  = 2
	forMAC = 3
)

func (d derivation) derive(p password, purpose byte, size int) ([]byte, error) {
	if d.pbkdf2 {
		return pbkdf2.Key(d.hash.make, p.text, d.salt, d.rounds, size)
	}
	return stretch(d.hash.make, purpose, p.bmp, d.salt, d.rounds, size), nil
}

// stretch follows RFC 7292, B.2, step by step and in its names.
func stretch(newHash func() hash.Hash, purpose byte, password, salt []byte, rounds, size int) []byte {
	h := newHash()
	v := h.BlockSize()
	diversifier := make([]byte, v)
	for i := range diversifier {
		diversifier[i] = purpose
	}
	i := append(fill(salt, v), fill(password, v)...)
	var out []byte
	for {
		a := append(append([]byte(nil), diversifier...), i...)
		for range rounds {
			h.Reset()
			h.Write(a)
			a = h.Sum(a[:0])
		}
		if out = append(out, a...); len(out) >= size {
			return out[:size]
		}
		b := repeat(a, v)
		for block := i; len(block) > 0; block = block[v:] {
			addOne(block[:v], b)
		}
	}
}

// fill repeats s to the next multiple of v.
func fill(s []byte, v int) []byte { return repeat(s, (len(s)+v-1)/v*v) }

// repeat repeats s, which is not empty unless size is 0, to size.
func repeat(s []byte, size int) []byte {
	out := make([]byte, size)
	for n := 0; n < size; {
		n += copy(out[n:], s)
	}
	return out
}

// addOne adds b and one to a, big-endian, and drops the carry.
func addOne(a, b []byte) {
	carry := 1
	for i := len(a) - 1; i >= 0; i-- {
		carry += int(a[i]) + int(b[i])
		a[i] = byte(carry)
		carry >>= 8
	}
}
