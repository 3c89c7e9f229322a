package keyfile_test

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"hash"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/internal/testpki"
)

// equal tells whether two keys are the same.
func equal(a, b crypto.Signer) bool {
	return a != nil && b != nil && a.(interface{ Equal(crypto.PrivateKey) bool }).Equal(b)
}

// sealing is a sealed key whose every part a test can choose. Start with newSealing.
type sealing struct {
	scheme, kdf, cipher, prf asn1.ObjectIdentifier
	salt, iv, content        []byte
	rounds                   *big.Int
	keyLength                int // 0 for none
}

func newSealing(content []byte) sealing {
	return sealing{
		scheme: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, kdf: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12},
		cipher: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, prf: asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9},
		salt: []byte("0123456789abcdef"), iv: []byte("fedcba9876543210"), content: content, rounds: big.NewInt(1000),
	}
}

// encrypt seals content with the passphrase of the tests and a hash, after pad padded it.
func (s sealing) encrypt(t testing.TB, h func() hash.Hash) sealing {
	t.Helper()
	key, err := pbkdf2.Key(h, passphrase.Reveal(), s.salt, int(s.rounds.Int64()), 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	s.content = bytes.Clone(s.content)
	cipher.NewCBCEncrypter(block, s.iv).CryptBlocks(s.content, s.content)
	return s
}

func pad(content []byte) []byte {
	n := aes.BlockSize - len(content)%aes.BlockSize
	return append(bytes.Clone(content), bytes.Repeat([]byte{byte(n)}, n)...)
}

func (s sealing) pem(t testing.TB) []byte {
	t.Helper()
	raw := func(v any) asn1.RawValue {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return asn1.RawValue{FullBytes: der}
	}
	algorithm := func(oid asn1.ObjectIdentifier, parameters asn1.RawValue) asn1.RawValue {
		return raw(pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: parameters})
	}
	derivation := []asn1.RawValue{raw(s.salt), raw(s.rounds)}
	if s.keyLength != 0 {
		derivation = append(derivation, raw(s.keyLength))
	}
	if s.prf != nil {
		derivation = append(derivation, algorithm(s.prf, asn1.NullRawValue))
	}
	parameters := raw([]asn1.RawValue{algorithm(s.kdf, raw(derivation)), algorithm(s.cipher, raw(s.iv))})
	der := raw([]asn1.RawValue{algorithm(s.scheme, parameters), raw(s.content)})
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der.FullBytes})
}

func pkcs8Of(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestSealingsOfOthersAreOpened(t *testing.T) {
	key := newKey(t)
	for _, tt := range []struct {
		name   string
		change func(*sealing)
		hash   func() hash.Hash
	}{
		{"as ours", func(*sealing) {}, sha256.New},
		{"with a key length, as Java's", func(s *sealing) { s.keyLength = 32 }, sha256.New},
		{"without a pseudo-random function, which is HMAC-SHA1", func(s *sealing) { s.prf = nil }, sha1.New},
		{"without one but with a key length", func(s *sealing) { s.prf, s.keyLength = nil, 32 }, sha1.New},
		{"HMAC-SHA1", func(s *sealing) { s.prf[len(s.prf)-1] = 7 }, sha1.New},
		{"HMAC-SHA384", func(s *sealing) { s.prf[len(s.prf)-1] = 10 }, sha512.New384},
		{"HMAC-SHA512", func(s *sealing) { s.prf[len(s.prf)-1] = 11 }, sha512.New},
		{"a salt of 8 bytes, as OpenSSL 1's", func(s *sealing) { s.salt = s.salt[:8] }, sha256.New},
		{"one round", func(s *sealing) { s.rounds = big.NewInt(1) }, sha256.New},
	} {
		s := newSealing(pad(pkcs8Of(t, key)))
		tt.change(&s)
		data := s.encrypt(t, tt.hash).pem(t)
		back, err := keyfile.Parse(data, given(passphrase))
		if err != nil || !equal(back, key) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if _, err := keyfile.Parse(data, given(secret.FromString("wrong"))); !errors.Is(err, keyfile.ErrWrongPassphrase) {
			t.Errorf("%s, a wrong passphrase: %v", tt.name, err)
		}
	}
}

func TestHostileSealingIsRefusedBeforeAnythingIsDerivedOrAsked(t *testing.T) {
	rounds := func(n *big.Int) func(*sealing) { return func(s *sealing) { s.rounds = n } }
	oid := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
	const anew = "; openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW seals it anew"
	const counting = "it asks for rounds of key derivation beyond counting: 1 to 10000000 are taken"
	for _, tt := range []struct {
		name   string
		change func(*sealing)
		want   string
	}{
		{"one round too many", rounds(big.NewInt(10_000_001)), "it asks for 10000001 rounds of key derivation: 1 to 10000000 are taken"},
		{"2^31-1 rounds", rounds(big.NewInt(1<<31 - 1)), "it asks for 2147483647 rounds of key derivation: 1 to 10000000 are taken"},
		{"2^63-1 rounds", rounds(big.NewInt(1<<63 - 1)), "it asks for 9223372036854775807 rounds of key derivation: 1 to 10000000 are taken"},
		{"2^63 rounds", rounds(new(big.Int).Lsh(big.NewInt(1), 63)), counting},
		{"2^32+1000 rounds", rounds(big.NewInt(1<<32 + 1000)), "it asks for 4294968296 rounds of key derivation: 1 to 10000000 are taken"},
		{"2^9999 rounds", rounds(new(big.Int).Lsh(big.NewInt(1), 9999)), counting},
		{"no round", rounds(new(big.Int)), "it asks for 0 rounds of key derivation: 1 to 10000000 are taken"},
		{"less than none", rounds(big.NewInt(-1)), "it asks for -1 rounds of key derivation: 1 to 10000000 are taken"},
		{"no salt", func(s *sealing) { s.salt = nil }, "its salt has 0 bytes: 8 to 1024 are taken"},
		{"a short salt", func(s *sealing) { s.salt = s.salt[:7] }, "its salt has 7 bytes: 8 to 1024 are taken"},
		{"a long salt", func(s *sealing) { s.salt = make([]byte, 1025) }, "its salt has 1025 bytes: 8 to 1024 are taken"},
		{"no initialisation vector", func(s *sealing) { s.iv = nil }, "its initialisation vector has 0 bytes: its cipher takes 16"},
		{"a short one", func(s *sealing) { s.iv = s.iv[:8] }, "its initialisation vector has 8 bytes: its cipher takes 16"},
		{"a long one for 3DES", func(s *sealing) { s.cipher = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7} }, "its initialisation vector has 16 bytes: its cipher takes 8"},
		{"a key length that does not fit", func(s *sealing) { s.keyLength = 16 }, "it derives a key of 16 bytes: its cipher takes 32"},
		{"a huge key length", func(s *sealing) { s.keyLength = 1<<31 - 1 }, "it derives a key of 2147483647 bytes: its cipher takes 32"},
		{"nothing sealed", func(s *sealing) { s.content = nil }, "its sealed private key is cut short"},
		{"half a block", func(s *sealing) { s.content = s.content[:len(s.content)-8] }, "its sealed private key is cut short"},
		{"PBES1", func(s *sealing) { s.scheme = oid }, "it is sealed by the scheme 1.3.6.1.4.1.11591.4.11: PBES2 is known here" + anew},
		{"scrypt", func(s *sealing) { s.kdf = oid }, "its key derivation is 1.3.6.1.4.1.11591.4.11: PBKDF2 is known here" + anew},
		{"an unknown cipher", func(s *sealing) { s.cipher = oid }, "it is sealed with the cipher 1.3.6.1.4.1.11591.4.11: AES and 3DES in CBC mode are known here" + anew},
		{"an unknown function", func(s *sealing) { s.prf = oid }, "its key derivation uses 1.3.6.1.4.1.11591.4.11: HMAC with SHA-1, SHA-256, SHA-384 or SHA-512 is known here" + anew},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSealing(pad(pkcs8Of(t, newKey(t))))
			tt.change(&s)
			data := s.pem(t)
			start := time.Now()
			_, err := keyfile.Parse(data, func() (secret.Secret, error) { t.Error("asked for a passphrase"); return passphrase, nil })
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if took := time.Since(start); took > 500*time.Millisecond {
				t.Errorf("it took %v", took)
			}
			if !keyfile.IsSealed(data) {
				t.Error("it is not known to be sealed")
			}
		})
	}
}

func TestDamagedFramesAreRefused(t *testing.T) {
	block, _ := pem.Decode(newSealing(pad(pkcs8Of(t, newKey(t)))).encrypt(t, sha256.New).pem(t))
	for n := range block.Bytes {
		data := pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes[:n]})
		if _, err := keyfile.Parse(data, given(passphrase)); err == nil || err.Error() != "its sealed private key is damaged" {
			t.Errorf("its first %d bytes: %v", n, err)
		}
	}
	data := pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: append(bytes.Clone(block.Bytes), 0)})
	if _, err := keyfile.Parse(data, given(passphrase)); err == nil || err.Error() != "its sealed private key is damaged" {
		t.Errorf("with a byte behind it: %v", err)
	}
}

func TestARightPassphraseIsNeverCalledWrong(t *testing.T) {
	const damaged = "its private key is damaged, or of a kind that is not known"
	der := pkcs8Of(t, newKey(t))
	inside := bytes.Clone(der)
	inside[len(inside)-1] ^= 1 // the public half no longer fits, or is no point
	unknown := bytes.Replace(der, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x01}, 1)
	for name, content := range map[string][]byte{"a curve that nobody knows": unknown, "a key that is none": frame(t, []byte("no key")), "a frame without one": frame(t, nil)} {
		_, err := keyfile.Parse(newSealing(pad(content)).encrypt(t, sha256.New).pem(t), given(passphrase))
		if err == nil || err.Error() != damaged {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := keyfile.Parse(newSealing(pad(inside)).encrypt(t, sha256.New).pem(t), given(passphrase)); errors.Is(err, keyfile.ErrWrongPassphrase) {
		t.Errorf("a key with one bit changed: %v", err)
	}
}

// frame returns a PrivateKeyInfo with some octets for a key.
func frame(t testing.TB, key []byte) []byte {
	t.Helper()
	der, err := asn1.Marshal(struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}{Algorithm: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 3}}, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestWhatIsNoKeyInsideCountsAsAWrongPassphrase(t *testing.T) {
	der := pkcs8Of(t, newKey(t))
	block := func(last ...byte) []byte { return append(make([]byte, aes.BlockSize-len(last)), last...) }
	for name, content := range map[string][]byte{
		"right padding around nothing":      bytes.Repeat([]byte{16}, 16),
		"right padding around noise":        block(1),
		"padding of no byte":                block(0),
		"padding longer than a block":       bytes.Repeat([]byte{17}, 32),
		"padding of different bytes":        block(3, 2, 3),
		"a frame with something behind it":  pad(append(bytes.Clone(der), 0)),
		"a frame that ends behind its end":  pad(der[:len(der)-1]),
		"a frame of version 2":              pad(append([]byte{0x30, 0x03, 0x02, 0x01}, 0x02)),
		"a key without padding, as it were": append(make([]byte, 0, 160), der[:len(der)/16*16]...),
	} {
		_, err := keyfile.Parse(newSealing(content).encrypt(t, sha256.New).pem(t), given(passphrase))
		if !errors.Is(err, keyfile.ErrWrongPassphrase) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Of 3,000 wrong passphrases some twelve yield right padding by chance.
func TestNoWrongPassphraseIsTakenForADamagedKey(t *testing.T) {
	data, err := keyfile.NewSealer(1).Seal(newKey(t), passphrase)
	if err != nil {
		t.Fatal(err)
	}
	for range 3000 {
		wrong := secret.FromString(rand.Text())
		if _, err := keyfile.Parse(data, given(wrong)); !errors.Is(err, keyfile.ErrWrongPassphrase) {
			t.Fatalf("%q: %v", wrong.Reveal(), err)
		}
	}
}

func TestPassphrasesDifferByEveryByte(t *testing.T) {
	key := newKey(t)
	for _, value := range []string{"x", " leading and trailing ", "Grüße ✈", "\x00\xff", strings.Repeat("long ", 200), "new\nline"} {
		pass := secret.FromString(value)
		data, err := keyfile.NewSealer(1000).Seal(key, pass)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := keyfile.Parse(data, given(pass)); err != nil || !equal(back, key) {
			t.Errorf("%q does not open its own: %v", value, err)
		}
		for _, near := range []string{value + " ", " " + value, strings.TrimSpace(value) + "\n", value + value} {
			if _, err := keyfile.Parse(data, given(secret.FromString(near))); near != value && !errors.Is(err, keyfile.ErrWrongPassphrase) {
				t.Errorf("%q opens what %q sealed: %v", near, value, err)
			}
		}
	}
}

func TestWhatIsSealedIsOpenedAgainOrNotSealedAtAll(t *testing.T) {
	key := newKey(t)
	for _, tt := range []struct {
		name   string
		key    crypto.Signer
		rounds int
		want   string
	}{
		{"too many rounds", key, 10_000_001, "sealing the private key: 10000001 rounds of key derivation: 1 to 10000000 are taken"},
		{"less than no rounds", key, -1, "sealing the private key: -1 rounds of key derivation: 1 to 10000000 are taken"},
		{"no key", nil, 1, "there is no key"},
	} {
		if _, err := keyfile.NewSealer(tt.rounds).Seal(tt.key, passphrase); err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
	first, err := keyfile.NewSealer(1000).Seal(key, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	second, err := keyfile.NewSealer(1000).Seal(key, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first, second) {
		t.Error("salt and initialisation vector are the same twice")
	}
}

func TestTheKeyIsFoundAmongOtherBlocks(t *testing.T) {
	root := testpki.NewRoot(t, "Valley Rescue CA")
	cert := testpki.CertPEM(root.Cert)
	key, other := testpki.KeyPEM(t, root.Key), testpki.KeyPEM(t, newKey(t))
	curve := []byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n")
	const several = "it holds several private keys, and which one is meant it does not say"
	for _, tt := range []struct {
		name string
		data [][]byte
		want string
	}{
		{"alone", [][]byte{key}, ""},
		{"behind a certificate", [][]byte{cert, key}, ""},
		{"before a certificate", [][]byte{key, cert}, ""},
		{"behind the parameters of its curve", [][]byte{curve, key}, ""},
		{"behind what openssl pkcs12 writes", [][]byte{[]byte("Bag Attributes\n    friendlyName: alice\nKey Attributes: <No Attributes>\n"), key}, ""},
		{"behind a byte order mark", [][]byte{[]byte("\xef\xbb\xbf\n"), key}, ""},
		{"with the lines of Windows", [][]byte{bytes.ReplaceAll(key, []byte("\n"), []byte("\r\n"))}, ""},
		{"twice", [][]byte{key, key}, several},
		{"beside another", [][]byte{key, cert, other}, several},
		{"not there", [][]byte{cert}, `it holds a PEM block "CERTIFICATE" and no private key`},
		{"one of OpenSSH", [][]byte{[]byte("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")}, `it holds a PEM block "OPENSSH PRIVATE KEY" and no private key`},
		{"nothing", nil, "there is no PEM block in it"},
		{"no PEM", [][]byte{[]byte("\x30\x82")}, "there is no PEM block in it"},
		{"garbage", [][]byte{[]byte("-----BEGIN PRIVATE KEY-----\nZ2FyYmFnZQ==\n-----END PRIVATE KEY-----\n")}, "its private key is damaged, or of a kind that is not known"},
		{"sealed in the old way", [][]byte{[]byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n")},
			"it is sealed in the way of RFC 1423, which is weak: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW seals it anew"},
		{"too large", [][]byte{bytes.Repeat([]byte("\n"), 64<<10), key}, "a file of more than 65536 bytes is none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := bytes.Join(tt.data, nil)
			back, err := keyfile.Parse(data, func() (secret.Secret, error) { t.Error("asked for a passphrase"); return passphrase, nil })
			got := ""
			if err != nil {
				got = err.Error()
			} else if !equal(back, root.Key) {
				t.Error("another key came back")
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if sealed := keyfile.IsSealed(data); sealed != (tt.name == "sealed in the old way") {
				t.Errorf("IsSealed: %t", sealed)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	key := newKey(f)
	for _, pass := range []secret.Secret{{}, passphrase} {
		data, err := keyfile.NewSealer(1).Seal(key, pass)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	s := newSealing(pad(pkcs8Of(f, key)))
	s.keyLength = 32
	f.Add(s.encrypt(f, sha256.New).pem(f))
	f.Add(testpki.CertPEM(testpki.NewRoot(f, "Valley Rescue CA").Cert))
	f.Fuzz(func(t *testing.T, data []byte) {
		back, err := keyfile.Parse(data, bounded(t, data))
		if err != nil {
			if back != nil {
				t.Error("a key and an error")
			}
			return
		}
		if err := keyfile.CheckPublic(back.Public()); err != nil {
			t.Errorf("a key was read that is not certified: %v", err)
		}
		again, err := keyfile.NewSealer(1).Seal(back, passphrase)
		if err != nil {
			t.Fatalf("what was read is not sealed: %v", err)
		}
		if third, err := keyfile.Parse(again, given(passphrase)); err != nil || !equal(back, third) {
			t.Errorf("it is another key when it is sealed and opened: %v", err)
		}
	})
}

// FuzzEnvelope gives the bytes of a sealed key to the parser as they are: few changes of a PEM file get so far.
func FuzzEnvelope(f *testing.F) {
	block, _ := pem.Decode(newSealing(pad(pkcs8Of(f, newKey(f)))).encrypt(f, sha256.New).pem(f))
	f.Add(block.Bytes)
	f.Fuzz(func(t *testing.T, der []byte) {
		data := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})
		if key, err := keyfile.Parse(data, bounded(t, data)); err == nil && keyfile.CheckPublic(key.Public()) != nil {
			t.Error("a weak key was read")
		}
	})
}

// bounded gives the passphrase to what asks for few rounds: millions of them are allowed, but say nothing to a fuzzer.
func bounded(t *testing.T, data []byte) func() (secret.Secret, error) {
	return func() (secret.Secret, error) {
		rounds, ok := keyfile.Rounds(data)
		if !ok || rounds < 1 || rounds > 10_000_000 {
			t.Errorf("asked for the passphrase of %d rounds", rounds)
		}
		if rounds > 5000 {
			return secret.Secret{}, nil
		}
		return passphrase, nil
	}
}
