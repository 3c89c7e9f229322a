package pkcs12_test

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"
)

// forge writes files that no encoder would: every part in AES-256 by PBES2, the MAC by PBMAC1.
type forge struct {
	t testing.TB
	// rounds of whatever is made next
	rounds *big.Int
}

func newForge(t testing.TB) *forge { return &forge{t, big.NewInt(1)} }

// with returns the same forge with other rounds.
func (f *forge) with(rounds int64) *forge { return &forge{f.t, big.NewInt(rounds)} }

func (f *forge) der(v any) []byte {
	f.t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		f.t.Fatal(err)
	}
	return der
}

func (f *forge) node(class, tag int, parts ...[]byte) []byte {
	return f.der(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: bytes.Join(parts, nil)})
}

func (f *forge) seq(parts ...[]byte) []byte      { return f.node(0, asn1.TagSequence, parts...) }
func (f *forge) set(parts ...[]byte) []byte      { return f.node(0, asn1.TagSet, parts...) }
func (f *forge) explicit(parts ...[]byte) []byte { return f.node(2, 0, parts...) }
func (f *forge) implicit(content string) []byte {
	return f.der(asn1.RawValue{Class: 2, Tag: 0, Bytes: []byte(content)})
}
func (f *forge) oid(arcs ...int) []byte { return f.der(asn1.ObjectIdentifier(arcs)) }

func (f *forge) hmacSHA256() []byte { return f.seq(f.oid(1, 2, 840, 113549, 2, 9), asn1.NullBytes) }

var salt = []byte("01234567")

// kdf is an AlgorithmIdentifier of PBKDF2 for a key of 32 bytes.
func (f *forge) kdf() []byte {
	return f.seq(f.oid(1, 2, 840, 113549, 1, 5, 12), f.seq(f.der(salt), f.der(f.rounds), f.der(32), f.hmacSHA256()))
}

// pbes2 is an AlgorithmIdentifier.
func (f *forge) pbes2() []byte {
	aes256 := f.seq(f.oid(2, 16, 840, 1, 101, 3, 4, 1, 42), f.der([]byte("fedcba9876543210")))
	return f.seq(f.oid(1, 2, 840, 113549, 1, 5, 13), f.seq(f.kdf(), aes256))
}

// derive spares itself what is meant to be refused before.
func (f *forge) derive() []byte {
	key, err := pbkdf2.Key(sha256.New, password, salt, int(min(f.rounds.Int64(), 1000)), 32)
	if err != nil {
		f.t.Fatal(err)
	}
	return key
}

func (f *forge) encrypt(content []byte) []byte {
	block, err := aes.NewCipher(f.derive())
	if err != nil {
		f.t.Fatal(err)
	}
	n := aes.BlockSize - len(content)%aes.BlockSize
	content = append(bytes.Clone(content), bytes.Repeat([]byte{byte(n)}, n)...)
	cipher.NewCBCEncrypter(block, []byte("fedcba9876543210")).CryptBlocks(content, content)
	return content
}

func (f *forge) bag(kind int, value []byte, attributes ...[]byte) []byte {
	parts := [][]byte{f.oid(1, 2, 840, 113549, 1, 12, 10, 1, kind), f.explicit(value)}
	if attributes != nil {
		parts = append(parts, f.set(attributes...))
	}
	return f.seq(parts...)
}

func (f *forge) pkcs8(key crypto.PrivateKey) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		f.t.Fatal(err)
	}
	return der
}

func (f *forge) clearKey(key crypto.PrivateKey, attributes ...[]byte) []byte {
	return f.bag(1, f.pkcs8(key), attributes...)
}

func (f *forge) sealedKey(key crypto.PrivateKey, attributes ...[]byte) []byte {
	return f.bag(2, f.seq(f.pbes2(), f.der(f.encrypt(f.pkcs8(key)))), attributes...)
}

func (f *forge) cert(c *x509.Certificate, attributes ...[]byte) []byte {
	return f.bag(3, f.seq(f.oid(1, 2, 840, 113549, 1, 9, 22, 1), f.explicit(f.der(c.Raw))), attributes...)
}

// localKeyID is an attribute.
func (f *forge) localKeyID(id string) []byte {
	return f.seq(f.oid(1, 2, 840, 113549, 1, 9, 21), f.set(f.der([]byte(id))))
}

// clear is a part of bags that are not encrypted.
func (f *forge) clear(bags ...[]byte) []byte {
	return f.seq(f.oid(1, 2, 840, 113549, 1, 7, 1), f.explicit(f.der(f.seq(bags...))))
}

// sealed is a part of bags that are encrypted.
func (f *forge) sealed(bags ...[]byte) []byte { return f.seal(f.seq(bags...)) }

// seal is a part of anything that is encrypted.
func (f *forge) seal(content []byte) []byte {
	ciphertext := f.implicit(string(f.encrypt(content)))
	info := f.seq(f.oid(1, 2, 840, 113549, 1, 7, 1), f.pbes2(), ciphertext)
	return f.seq(f.oid(1, 2, 840, 113549, 1, 7, 6), f.explicit(f.seq(f.der(0), info)))
}

// mac is a MacData by PBMAC1.
func (f *forge) mac(content []byte) []byte {
	h := hmac.New(sha256.New, f.derive())
	h.Write(content)
	algorithm := f.seq(f.oid(1, 2, 840, 113549, 1, 5, 14), f.seq(f.kdf(), f.hmacSHA256()))
	return f.seq(f.seq(algorithm, f.der(h.Sum(nil))), f.der([]byte("not used")), f.der(1))
}

// file is a whole file.
func (f *forge) file(parts ...[]byte) []byte {
	content := f.seq(parts...)
	return f.seq(f.der(3), f.seq(f.oid(1, 2, 840, 113549, 1, 7, 1), f.explicit(f.der(content))), f.mac(content))
}

// macless is a file without a MAC.
func (f *forge) macless(parts ...[]byte) []byte {
	return f.seq(f.der(3), f.seq(f.oid(1, 2, 840, 113549, 1, 7, 1), f.explicit(f.der(f.seq(parts...)))))
}
