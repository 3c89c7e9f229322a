package pkcs12_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sslmate "software.sslmate.com/src/go-pkcs12"

	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

func sameKey(a, b crypto.PrivateKey) bool {
	k, ok := a.(interface{ Equal(crypto.PrivateKey) bool })
	return ok && k.Equal(b)
}

func sameCerts(a, b []*x509.Certificate) bool {
	return slices.EqualFunc(a, b, (*x509.Certificate).Equal)
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOwnFilesAreReadBack(t *testing.T) {
	issuing := testpki.NewRoot(t, "Valley Root").Issuing(t, "Valley Issuing")
	for _, c := range []struct {
		name    string
		encoder pkcs12.Encoder
		option  testpki.Option
		form    string
	}{
		{"tak", pkcs12.NewEncoder(pkcs12.TAK, 0), testpki.Units(), "3DES, SHA-1 MAC, 2048 rounds"},
		{"tak, RSA, one round", pkcs12.NewEncoder(pkcs12.TAK, 1), testpki.RSA(2048), "3DES, SHA-1 MAC, 1 rounds"},
		{"modern", pkcs12.NewEncoder(pkcs12.Modern, 3000), testpki.Units(), "AES-256, SHA-256 MAC, 3000 rounds"},
	} {
		alice := issuing.Client(t, "alice", c.option)
		for _, secret := range []string{password, "Zürich 山田", strings.Repeat("long ", 100)} {
			data, err := c.encoder.Identity(key(alice), alice.Leaf, issuing.Chain(), secret)
			if err != nil {
				t.Fatal(err)
			}
			id, err := pkcs12.ReadIdentity(data, secret)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if !sameKey(id.Key, alice.PrivateKey) || !id.Certificate.Equal(alice.Leaf) || !sameCerts(id.Chain, issuing.Chain()) || len(id.Others) > 0 {
				t.Errorf("%s: another identity came back", c.name)
			}
			for _, wrong := range []string{"", "x", secret + " ", strings.ToUpper(secret)} {
				if _, err := pkcs12.ReadIdentity(data, wrong); !errors.Is(err, pkcs12.ErrPassword) || err.Error() != "wrong password" {
					t.Errorf("%s, a wrong password: %v", c.name, err)
				}
			}
			trust, err := c.encoder.TrustStore(issuing.Chain(), secret)
			if err != nil {
				t.Fatal(err)
			}
			anchors, err := pkcs12.ReadTrustStore(trust, secret)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			for i, want := range issuing.Chain() {
				if a := anchors[i]; len(anchors) != 2 || !a.Certificate.Equal(want) || a.Name != want.Subject.CommonName || !a.Java {
					t.Errorf("%s: anchor %d of %d is %q, Java's %t", c.name, i, len(anchors), a.Name, a.Java)
				}
			}
			for _, data := range [][]byte{data, trust} {
				if form, err := pkcs12.Inspect(data); err != nil || form.String() != c.form {
					t.Errorf("%s: form %q, %v", c.name, form, err)
				}
			}
		}
	}
}

// Whatever machine this is, the files of other makers are read; others_test.go has them made anew where it can.
func TestSamplesOfOtherMakersAreRead(t *testing.T) {
	first, err := pkcs12.ReadIdentity(sample(t, "openssl3.p12"), password)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Chain) != 1 || first.Certificate.CheckSignatureFrom(first.Chain[0]) != nil || pkcs12.Describe(first.Chain[0]) != `"Valley Root"` {
		t.Fatalf("a chain of %d", len(first.Chain))
	}
	for name, form := range map[string]string{
		"openssl3.p12":        "AES-256, SHA-256 MAC, 2048 rounds",
		"openssl3-legacy.p12": "RC2-40 and 3DES, SHA-1 MAC, 2048 rounds",
		"openssl3-3des.p12":   "3DES, SHA-1 MAC, 2048 rounds",
		"java17.p12":          "AES-256, SHA-256 MAC, 10000 rounds",
	} {
		id, err := pkcs12.ReadIdentity(sample(t, name), password)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !sameKey(id.Key, first.Key) || !id.Certificate.Equal(first.Certificate) || !sameCerts(id.Chain, first.Chain) || len(id.Others) > 0 || id.Name != "alice" {
			t.Errorf("%s: %q is another identity", name, id.Name)
		}
		if _, err := pkcs12.ReadTrustStore(sample(t, name), password); !errors.Is(err, pkcs12.ErrKeyInside) {
			t.Errorf("%s as a trust store: %v", name, err)
		}
		if got, err := pkcs12.Inspect(sample(t, name)); err != nil || got.String() != form {
			t.Errorf("%s: form %q, %v", name, got, err)
		}
	}
	for name, want := range map[string]pkcs12.Anchor{
		"openssl3-nokeys.p12": {Name: "Valley Root"},
		"java17-trust.p12":    {Name: "valley", Java: true},
	} {
		anchors, err := pkcs12.ReadTrustStore(sample(t, name), password)
		if err != nil || len(anchors) != 1 {
			t.Errorf("%s: %d certificates, %v", name, len(anchors), err)
			continue
		}
		if a := anchors[0]; !a.Certificate.Equal(first.Chain[0]) || a.Name != want.Name || a.Java != want.Java {
			t.Errorf("%s: got %q, Java's %t", name, a.Name, a.Java)
		}
		if _, err := pkcs12.ReadIdentity(sample(t, name), password); !errors.Is(err, pkcs12.ErrNoKey) {
			t.Errorf("%s as an identity: %v", name, err)
		}
	}
}

func TestVectorsOfPBMAC1AreRead(t *testing.T) {
	for name, form := range map[string]string{
		"rfc9579-a1.p12": "AES-256, PBMAC1 SHA-256 MAC, 2048 rounds",
		"rfc9579-a2.p12": "AES-256, PBMAC1 SHA-256 MAC, 2048 rounds",
		"rfc9579-a3.p12": "AES-256, PBMAC1 SHA-512 MAC, 2048 rounds",
	} {
		id, err := pkcs12.ReadIdentity(sample(t, name), "1234")
		if err != nil || id.Certificate == nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := pkcs12.Inspect(sample(t, name)); err != nil || got.String() != form {
			t.Errorf("%s: form %q, %v", name, got, err)
		}
	}
}

func TestWhateverTheLibraryWritesIsRead(t *testing.T) {
	issuing := testpki.NewRoot(t, "Valley Root").Issuing(t, "Valley Issuing")
	alice := issuing.Client(t, "alice")
	for name, encoder := range map[string]*sslmate.Encoder{
		"RC2": sslmate.LegacyRC2, "3DES": sslmate.LegacyDES, "2023": sslmate.Modern2023, "2026": sslmate.Modern2026,
	} {
		for _, secret := range []string{"", "x", password, "Zürich 山田", strings.Repeat("y", 64)} {
			data, err := encoder.Encode(alice.PrivateKey, alice.Leaf, issuing.Chain(), secret)
			if err != nil {
				t.Fatal(err)
			}
			id, err := pkcs12.ReadIdentity(data, secret)
			if err != nil {
				t.Errorf("%s, %q: %v", name, secret, err)
			} else if !sameKey(id.Key, alice.PrivateKey) || !sameCerts(id.Chain, issuing.Chain()) {
				t.Errorf("%s, %q: another identity came back", name, secret)
			}
		}
	}
}

func TestTheCertificateOfTheKeyIsFoundWhereverItStands(t *testing.T) {
	root := testpki.NewRoot(t, "Valley Root")
	issuing, sister := root.Issuing(t, "Valley Issuing"), root.Issuing(t, "Sister")
	alice := issuing.Client(t, "alice")
	renewed := issuing.Client(t, "alice", testpki.Key(key(alice)))
	bob := issuing.Client(t, "bob")
	f := newForge(t)
	certs := func(all ...*x509.Certificate) (bags [][]byte) {
		for _, c := range all {
			bags = append(bags, f.cert(c))
		}
		return bags
	}
	for _, tt := range []struct {
		name          string
		data          []byte
		own           *x509.Certificate
		chain, others []*x509.Certificate
	}{
		{"the root first", f.file(f.sealed(certs(root.Cert, issuing.Cert, alice.Leaf)...), f.clear(f.sealedKey(alice.PrivateKey))),
			alice.Leaf, issuing.Chain(), nil},
		{"among strangers", f.file(f.sealed(certs(bob.Leaf, sister.Cert, root.Cert, alice.Leaf, issuing.Cert)...), f.clear(f.sealedKey(alice.PrivateKey))),
			alice.Leaf, issuing.Chain(), []*x509.Certificate{bob.Leaf, sister.Cert}},
		{"without its issuer", f.file(f.sealed(certs(alice.Leaf, root.Cert)...), f.clear(f.sealedKey(alice.PrivateKey))),
			alice.Leaf, nil, []*x509.Certificate{root.Cert}},
		{"twice the same", f.file(f.sealed(certs(alice.Leaf, alice.Leaf)...), f.clear(f.sealedKey(alice.PrivateKey))), alice.Leaf, nil, nil},
		{"before its renewal", f.file(f.sealed(f.cert(renewed.Leaf, f.localKeyID("2")), f.cert(alice.Leaf, f.localKeyID("1"))),
			f.clear(f.sealedKey(alice.PrivateKey, f.localKeyID("1")))), alice.Leaf, nil, []*x509.Certificate{renewed.Leaf}},
		{"in clear, key and all", f.file(f.clear(f.cert(alice.Leaf)), f.clear(f.clearKey(alice.PrivateKey))), alice.Leaf, nil, nil},
		{"all in one sealed part", f.file(f.sealed(f.sealedKey(alice.PrivateKey), f.cert(alice.Leaf))), alice.Leaf, nil, nil},
		{"each in a part of its own", f.file(f.sealed(certs(alice.Leaf)...), f.sealed(certs(issuing.Cert)...), f.sealed(certs(root.Cert)...),
			f.clear(f.sealedKey(alice.PrivateKey))), alice.Leaf, issuing.Chain(), nil},
		{"beside a list and a secret key", f.file(f.sealed(f.bag(4, f.der(1)), f.bag(5, f.der(1)), f.cert(alice.Leaf)), f.clear(f.sealedKey(alice.PrivateKey))),
			alice.Leaf, nil, nil},
	} {
		id, err := pkcs12.ReadIdentity(tt.data, password)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if !sameKey(id.Key, alice.PrivateKey) || !id.Certificate.Equal(tt.own) || !sameCerts(id.Chain, tt.chain) || !sameCerts(id.Others, tt.others) {
			t.Errorf("%s: got %s, a chain of %d and %d others", tt.name, id.Certificate.Subject, len(id.Chain), len(id.Others))
		}
	}
}

const anew = ": openssl pkcs12 -in OLD -nodes -out PEM && openssl pkcs12 -export -in PEM -out NEW writes it anew; " +
	"delete PEM then, which holds the key in clear"

func TestFilesThatAreNoIdentityAreRefused(t *testing.T) {
	issuing := testpki.NewRoot(t, "Valley Root").Issuing(t, "Valley Issuing")
	alice, bob := issuing.Client(t, "alice"), issuing.Client(t, "bob")
	renewed := issuing.Client(t, "alice", testpki.Key(key(alice)))
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own, err := pkcs12.NewEncoder(pkcs12.TAK, 1).Identity(key(alice), alice.Leaf, nil, password)
	if err != nil {
		t.Fatal(err)
	}
	f := newForge(t)
	signed := f.seq(f.der(3), f.seq(f.oid(1, 2, 840, 113549, 1, 7, 2), f.explicit(f.seq())))
	enveloped := f.file(f.seq(f.oid(1, 2, 840, 113549, 1, 7, 3), f.explicit(f.seq())))
	for _, tt := range []struct {
		name, want string
		data       []byte
	}{
		{"nothing", `it is no PKCS #12 file, or is damaged`, nil},
		{"text", `it is no PKCS #12 file, or is damaged`, []byte("hello")},
		{"PEM", `it is text in PEM, and a PKCS #12 file is binary: openssl pkcs12 -export makes one of it`, testpki.CertPEM(alice.Leaf)},
		{"a certificate", `it is no PKCS #12 file, or is damaged`, alice.Leaf.Raw},
		{"a zip", `it is no PKCS #12 file, or is damaged`, []byte("PK\x03\x04")},
		{"JKS", `it is a Java keystore of the old kind (JKS): keytool -importkeystore -deststoretype PKCS12 makes a PKCS #12 file of it`,
			[]byte{0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2}},
		{"cut short", `it is no PKCS #12 file, or is damaged`, own[:len(own)-1]},
		{"something behind it", `it is no PKCS #12 file, or is damaged`, append(bytes.Clone(own), 0)},
		{"too large", `a file of more than 1048576 bytes is not read`, make([]byte, 1<<20+1)},
		{"version 4", `it is of version 4 of the format, where only version 3 is known`, f.seq(f.der(4), f.seq())},
		{"BER", `it is written in BER, of which only DER is read here` + anew, openEnded(own)},
		{"BER further inside", `it is written in BER, of which only DER is read here` + anew,
			f.seq(f.der(3), f.seq(f.oid(1, 2, 840, 113549, 1, 7, 1), f.explicit(f.node(0, asn1.TagOctetString, f.der([]byte("x"))))))},
		{"signed", `a signature takes the place of the password in it, which is not read: have it made with a password`, signed},
		{"enveloped", `a part of it is encrypted for a certificate, which is not read: have it made with a password`, enveloped},
		{"no MAC", `it has no MAC, so nothing tells whether another hand changed it or the password is right` + anew,
			f.macless(f.clear(f.cert(alice.Leaf), f.clearKey(alice.PrivateKey)))},
		{"no bag", `it holds no private key`, f.file()},
		{"no key", `it holds no private key`, f.file(f.clear(f.cert(alice.Leaf)))},
		{"no certificate", `it holds a private key and no certificate`, f.file(f.clear(f.sealedKey(alice.PrivateKey)))},
		{"another's certificate", `its private key belongs to none of the certificates in it`,
			f.file(f.clear(f.cert(bob.Leaf), f.sealedKey(alice.PrivateKey)))},
		{"two keys", `it holds 2 private keys, and which one is meant it does not say: take the others out`,
			f.file(f.sealed(f.cert(alice.Leaf), f.clearKey(bob.PrivateKey)), f.clear(f.sealedKey(alice.PrivateKey)))},
		{"two certificates of the key", `it holds 2 certificates of its private key, and which one is meant it does not say: take the others out`,
			f.file(f.clear(f.cert(alice.Leaf), f.cert(renewed.Leaf), f.sealedKey(alice.PrivateKey)))},
		{"Ed25519", `its private key is a ed25519.PrivateKey: RSA and ECDSA are read`, f.file(f.clear(f.cert(alice.Leaf), f.sealedKey(edwards)))},
		{"a key that is none", `its private key is damaged, or of a kind that is not known: RSA and ECDSA are read`,
			f.file(f.clear(f.cert(alice.Leaf), f.bag(1, f.seq())))},
		{"a huge key", `its private key has 9004 bytes: at most 8192 are taken`, f.file(f.clear(f.cert(alice.Leaf), f.bag(1, f.der(make([]byte, 9000)))))},
		{"bags within bags", `it has bags within bags, which are not read` + anew, f.file(f.clear(f.bag(6, f.seq())))},
		{"a certificate that is none", `a certificate in it cannot be read: x509: malformed certificate`,
			f.file(f.clear(f.sealedKey(alice.PrivateKey), f.cert(&x509.Certificate{Raw: f.der("x")})))},
		{"a certificate that is none of X.509", `it holds a certificate that is none of X.509`,
			f.file(f.clear(f.bag(3, f.seq(f.oid(1, 2, 840, 113549, 1, 9, 22, 2), f.explicit(f.der("x"))))))},
		{"a key with another password", `wrong password for the private key, though it is that of the file`,
			f.file(f.clear(f.cert(alice.Leaf), f.bag(2, f.seq(f.with(2).pbes2(), f.der(f.encrypt(make([]byte, 200)))))))},
		{"a part that is cut short", `an encrypted part of it is cut short`,
			f.file(f.seq(f.oid(1, 2, 840, 113549, 1, 7, 6), f.explicit(f.seq(f.der(0), f.seq(f.oid(1, 2, 840, 113549, 1, 7, 1), f.pbes2(),
				f.implicit("x"))))))},
	} {
		_, err := pkcs12.ReadIdentity(tt.data, password)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
		if strings.HasPrefix(tt.want, "wrong password") != errors.Is(err, pkcs12.ErrPassword) {
			t.Errorf("%s: %v is taken for a wrong password, or not", tt.name, err)
		}
	}
	if _, err := pkcs12.ReadIdentity(own, "hidden\xff"); err == nil || err.Error() != "the password is not UTF-8" {
		t.Errorf("a password that is not UTF-8: %v", err)
	}
	if _, err := pkcs12.ReadTrustStore(f.file(f.clear()), password); err == nil || err.Error() != "it holds no certificate" {
		t.Errorf("an empty trust store: %v", err)
	}
	many := make([][]byte, 1001)
	for i := range many {
		many[i] = f.cert(alice.Leaf)
	}
	if _, err := pkcs12.ReadTrustStore(f.file(f.clear(many...)), password); err == nil || err.Error() != "it holds more than 1000 certificates" {
		t.Errorf("too many certificates: %v", err)
	}
}

// openEnded returns a file with the length of its outermost element left open, as BER allows.
func openEnded(der []byte) []byte {
	header := 2
	if n := der[1]; n >= 0x80 {
		header += int(n & 0x7f)
	}
	return slices.Concat([]byte{0x30, 0x80}, der[header:], []byte{0, 0})
}

// Damage is never taken for something else: the file is refused, or the byte was of no account, as unused parameters are.
func TestDamageAnywhereIsFound(t *testing.T) {
	alice := testpki.NewRoot(t, "Valley Root").Client(t, "alice")
	f := newForge(t)
	for name, data := range map[string][]byte{
		"ours":   sampleOf(t, alice, pkcs12.TAK),
		"modern": sampleOf(t, alice, pkcs12.Modern),
		"PBMAC1": f.file(f.sealed(f.cert(alice.Leaf, f.localKeyID("1"))), f.clear(f.sealedKey(alice.PrivateKey, f.localKeyID("1")))),
	} {
		passed := 0
		for at := range data {
			if _, err := pkcs12.ReadIdentityWithin(data[:at], password, 10, 30); err == nil {
				t.Errorf("%s, cut at %d: it is read", name, at)
			}
			changed := bytes.Clone(data)
			changed[at] ^= 1 << (at % 8)
			id, err := pkcs12.ReadIdentityWithin(changed, password, 10, 30)
			if err == nil {
				passed++
				if !sameKey(id.Key, alice.PrivateKey) || !id.Certificate.Equal(alice.Leaf) {
					t.Errorf("%s, changed at %d: another identity is read", name, at)
				}
			}
		}
		if passed > 30 {
			t.Errorf("%s: %d bytes are of no account", name, passed)
		}
	}
}

func sampleOf(t *testing.T, c tls.Certificate, p pkcs12.Profile) []byte {
	t.Helper()
	data, err := pkcs12.NewEncoder(p, 1).Identity(key(c), c.Leaf, nil, password)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAlgorithmsThatAreNotReadAreNamed(t *testing.T) {
	f := newForge(t)
	part := func(algorithm []byte) []byte {
		info := f.seq(f.oid(1, 2, 840, 113549, 1, 7, 1), algorithm, f.implicit("x"))
		return f.file(f.seq(f.oid(1, 2, 840, 113549, 1, 7, 6), f.explicit(f.seq(f.der(0), info))))
	}
	pbes1 := func(arc int) []byte {
		return part(f.seq(f.oid(1, 2, 840, 113549, 1, 12, 1, arc), f.seq(f.der(salt), f.der(1))))
	}
	pbes2 := func(kdf, encryption []byte) []byte {
		return part(f.seq(f.oid(1, 2, 840, 113549, 1, 5, 13), f.seq(kdf, encryption)))
	}
	aes256 := f.seq(f.oid(2, 16, 840, 1, 101, 3, 4, 1, 42), f.der(make([]byte, 16)))
	kdf := func(parts ...[]byte) []byte { return f.seq(f.oid(1, 2, 840, 113549, 1, 5, 12), f.seq(parts...)) }
	mac := func(algorithm []byte, more ...[]byte) []byte {
		content := f.seq()
		parts := append([][]byte{f.seq(algorithm, f.der([]byte("x")))}, more...)
		return f.seq(f.der(3), f.seq(f.oid(1, 2, 840, 113549, 1, 7, 1), f.explicit(f.der(content))), f.seq(parts...))
	}
	pbmac1 := func(parts ...[]byte) []byte {
		return mac(f.seq(f.oid(1, 2, 840, 113549, 1, 5, 14), f.seq(kdf(parts...), f.hmacSHA256())), f.der(salt))
	}
	for _, tt := range []struct {
		name, want string
		data       []byte
	}{
		{"RC4", `it is encrypted with RC4-128, where 3DES, RC2 and AES are read` + anew, pbes1(1)},
		{"RC4-40", `it is encrypted with RC4-40, where 3DES, RC2 and AES are read` + anew, pbes1(2)},
		{"3DES with two keys", `it is encrypted with 3DES with two keys, where 3DES, RC2 and AES are read` + anew, pbes1(4)},
		{"unheard of", `it is encrypted with 1.2.840.113549.1.12.1.99, where 3DES, RC2 and AES are read` + anew, pbes1(99)},
		{"GCM", `it is encrypted with AES in GCM mode, where 3DES, RC2 and AES are read` + anew,
			pbes2(f.kdf(), f.seq(f.oid(2, 16, 840, 1, 101, 3, 4, 1, 46), f.seq()))},
		{"scrypt", `its key is derived with scrypt, where PBKDF2 is read` + anew, pbes2(f.seq(f.oid(1, 3, 6, 1, 4, 1, 11591, 4, 11), f.seq()), aes256)},
		{"HMAC with MD5", `its key is derived with 1.2.840.113549.2.6, where HMAC with SHA-1, SHA-256, SHA-384 and SHA-512 are read` + anew,
			pbes2(kdf(f.der(salt), f.der(1), f.seq(f.oid(1, 2, 840, 113549, 2, 6))), aes256)},
		{"a short vector", `its initialisation vector has 8 bytes: AES-256 takes 16`,
			pbes2(f.kdf(), f.seq(f.oid(2, 16, 840, 1, 101, 3, 4, 1, 42), f.der(make([]byte, 8))))},
		{"another key length", `it derives a key of 16 bytes: AES-256 takes 32`, pbes2(kdf(f.der(salt), f.der(1), f.der(16)), aes256)},
		{"a MAC with MD5", `its MAC is made with MD5, where SHA-1, SHA-256, SHA-384 and SHA-512 are read` + anew,
			mac(f.seq(f.oid(1, 2, 840, 113549, 2, 5)), f.der(salt), f.der(1))},
		{"a MAC with SHA-224", `its MAC is made with SHA-224, where SHA-1, SHA-256, SHA-384 and SHA-512 are read` + anew,
			mac(f.seq(f.oid(2, 16, 840, 1, 101, 3, 4, 2, 4)), f.der(salt), f.der(1))},
		{"PBMAC1 without a length", `its MAC (PBMAC1) does not say how long its key is`, pbmac1(f.der(salt), f.der(1), f.hmacSHA256())},
		{"PBMAC1 with a short key", `its MAC (PBMAC1) has a key of 1 bytes: 20 to 64 are taken`, pbmac1(f.der(salt), f.der(1), f.der(1), f.hmacSHA256())},
		{"PBMAC1 with a huge key", `its MAC (PBMAC1) has a key of 1000000000 bytes: 20 to 64 are taken`,
			pbmac1(f.der(salt), f.der(1), f.der(1_000_000_000), f.hmacSHA256())},
	} {
		_, err := pkcs12.ReadIdentity(tt.data, password)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
		if _, again := pkcs12.Inspect(tt.data); again == nil || again.Error() != tt.want {
			t.Errorf("%s, inspected: %v", tt.name, again)
		}
	}
}

// None of these may take the time that it asks for: the test would run into its timeout.
func TestCostlyFilesAreRefusedBeforeAnythingIsDerived(t *testing.T) {
	alice := testpki.NewRoot(t, "Valley Root").Client(t, "alice")
	f := newForge(t)
	cheap := f.sealed(f.cert(alice.Leaf))
	all := func(n int64, count int) [][]byte {
		return slices.Repeat([][]byte{f.with(n).sealedKey(alice.PrivateKey)}, count)
	}
	huge := &forge{t, new(big.Int).Lsh(big.NewInt(1), 9999)}
	for _, tt := range []struct {
		name, want string
		data       []byte
	}{
		{"the MAC", `it asks for 5000001 rounds of key derivation: 1 to 5000000 are taken`, f.with(5_000_001).file(cheap)},
		{"a part", `it asks for 9223372036854775807 rounds of key derivation: 1 to 5000000 are taken`,
			f.file(f.with(1<<63 - 1).sealed(f.cert(alice.Leaf)))},
		{"the key", `it asks for 2147483648 rounds of key derivation: 1 to 5000000 are taken`, f.file(cheap, f.clear(all(1<<31, 1)...))},
		{"a key within a sealed part", `it asks for 2147483648 rounds of key derivation: 1 to 5000000 are taken`,
			f.file(f.sealed(f.cert(alice.Leaf), all(1<<31, 1)[0]))},
		{"beyond counting", `it asks for rounds of key derivation beyond counting: 1 to 5000000 are taken`, f.file(cheap, f.clear(huge.sealedKey(alice.PrivateKey)))},
		{"none", `it asks for 0 rounds of key derivation: 1 to 5000000 are taken`, f.file(cheap, f.clear(all(0, 1)...))},
		{"less than none", `it asks for -1 rounds of key derivation: 1 to 5000000 are taken`, f.file(cheap, f.clear(all(-1, 1)...))},
		{"a thousand keys", `it asks for more than 15000000 rounds of key derivation in all`, f.file(cheap, f.clear(all(5_000_000, 1000)...))},
		{"a thousand keys in a sealed part", `it asks for more than 15000000 rounds of key derivation in all`, f.file(f.sealed(all(5_000_000, 1000)...))},
		{"a thousand parts", `it asks for more than 15000000 rounds of key derivation in all`,
			f.file(slices.Repeat([][]byte{f.with(5_000_000).sealed(f.cert(alice.Leaf))}, 1000)...)},
	} {
		if _, err := pkcs12.ReadIdentity(tt.data, password); err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
		if _, err := pkcs12.ReadTrustStore(tt.data, password); err == nil || err.Error() != tt.want {
			t.Errorf("%s, as a trust store:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

// unknown is a key of which only the public half is known.
type unknown struct{ crypto.Signer }

func (unknown) Public() crypto.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), 65535)
	return &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537}
}

func TestKeysThatKeepAVerifierBusyAreRefused(t *testing.T) {
	alice := testpki.NewRoot(t, "Valley Root").Client(t, "alice", testpki.Key(unknown{}))
	f := newForge(t)
	_, err := pkcs12.ReadTrustStore(f.file(f.clear(f.cert(alice.Leaf))), password)
	if want := `the certificate of "alice" in it has an RSA key of 65536 bits: at most 8192 are taken`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestChainOfAHostileSetEnds(t *testing.T) {
	// Two that signed each other, and a hundred of one name.
	east, west := testpki.NewRoot(t, "East"), testpki.NewRoot(t, "West")
	eastByWest, westByEast := west.Issuing(t, "East", testpki.Key(east.Key)), east.Issuing(t, "West", testpki.Key(west.Key))
	alice := eastByWest.Client(t, "alice")
	chain, others := pkcs12.ChainOf(alice.Leaf, []*x509.Certificate{westByEast.Cert, eastByWest.Cert, alice.Leaf, eastByWest.Cert})
	if !sameCerts(chain, []*x509.Certificate{eastByWest.Cert, westByEast.Cert}) || len(others) > 0 {
		t.Errorf("a chain of %d, and %d others", len(chain), len(others))
	}
	var namesakes []*x509.Certificate
	self := testpki.NewKey(t)
	for range 30 {
		namesakes = append(namesakes, testpki.NewRoot(t, "Same", testpki.Key(self)).Cert)
	}
	above := &testpki.Authority{Cert: namesakes[0], Key: self}
	if chain, _ := pkcs12.ChainOf(above.Client(t, "x").Leaf, namesakes); len(chain) != 1 {
		t.Errorf("a self-signed root has %d above it", len(chain)-1)
	}
	long := testpki.NewRoot(t, "0")
	for i := range 20 {
		long = long.Issuing(t, string(rune('a'+i)))
	}
	if chain, others := pkcs12.ChainOf(long.Client(t, "x").Leaf, long.Chain()); len(chain) != 10 || len(others) != 11 {
		t.Errorf("a chain of %d, and %d others", len(chain), len(others))
	}
}

// RFC 2268, 5; those with all bits of the key effective.
func TestRC2DecryptsTheVectorsOfItsRFC(t *testing.T) {
	for _, v := range [][3]string{
		{"ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"},
		{"3000000000000000", "1000000000000001", "30649edf9be7d2c2"},
		{"88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"},
	} {
		var b [3][]byte
		for i := range v {
			var err error
			if b[i], err = hex.DecodeString(v[i]); err != nil {
				t.Fatal(err)
			}
		}
		if got := pkcs12.DecryptRC2(b[0], b[2]); !bytes.Equal(got, b[1]) {
			t.Errorf("key %s: got %x, want %s", v[0], got, v[1])
		}
	}
}

// The vectors that OpenSSL and BouncyCastle test with, by S. Henson.
func TestDerivationFollowsKnownVectors(t *testing.T) {
	for _, v := range []struct {
		purpose        byte
		password, salt string
		rounds         int
		want           string
	}{
		{1, "smeg", "0a58cf64530d823f", 1, "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"},
		{2, "smeg", "0a58cf64530d823f", 1, "79993dfe048d3b76"},
		{3, "smeg", "3d83c0e4546ac140", 1, "8d967d88f6caa9d714800ab3d48051d63f73a312"},
		{1, "queeg", "05dec959acff72f7", 1000, "ed2034e36328830ff09df1e1a07dd357185dac0d4f9eb3d4"},
		{2, "queeg", "05dec959acff72f7", 1000, "11dedad7758d4860"},
		{3, "queeg", "263216fcc2fab31c", 1000, "5ec4c7a80df652294c3925b6489a7ab857c83476"},
	} {
		salt, err := hex.DecodeString(v.salt)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pkcs12.StretchSHA1(v.purpose, v.password, salt, v.rounds, len(v.want)/2)
		if err != nil || hex.EncodeToString(got) != v.want {
			t.Errorf("%s, purpose %d: got %x, want %s", v.password, v.purpose, got, v.want)
		}
	}
}
