package keyfile_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/internal/testpki"
)

var passphrase = secret.FromString("correct horse battery staple")

func given(s secret.Secret) func() (secret.Secret, error) {
	return func() (secret.Secret, error) { return s, nil }
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := keyfile.Generate(keyfile.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSealedKeyComesBackWithItsPassphraseAlone(t *testing.T) {
	for _, a := range []keyfile.Algorithm{keyfile.RSA2048, keyfile.ECDSAP256, keyfile.ECDSAP384} {
		key, err := keyfile.Generate(a)
		if err != nil {
			t.Fatal(err)
		}
		data, err := keyfile.NewSealer(1000).Seal(key, passphrase)
		if err != nil {
			t.Fatal(err)
		}
		if !keyfile.IsSealed(data) {
			t.Errorf("%s: not sealed", a)
		}
		back, err := keyfile.Parse(data, given(passphrase))
		if err != nil || !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(back.Public()) {
			t.Errorf("%s: another key came back, %v", a, err)
		}
		for i := range 50 {
			wrong := secret.FromString("wrong" + strings.Repeat("x", i))
			if _, err := keyfile.Parse(data, given(wrong)); !errors.Is(err, keyfile.ErrWrongPassphrase) {
				t.Errorf("%s: a wrong passphrase: %v", a, err)
			}
		}
		if _, err := keyfile.Parse(data, nil); !errors.Is(err, keyfile.ErrSealed) {
			t.Errorf("%s: no passphrase: %v", a, err)
		}
	}
}

func TestKeyInClearAsksForNothing(t *testing.T) {
	key := newKey(t)
	data, err := keyfile.NewSealer(0).Seal(key, secret.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	if keyfile.IsSealed(data) {
		t.Error("it is sealed")
	}
	if _, err := keyfile.Parse(data, func() (secret.Secret, error) { t.Error("asked"); return secret.Secret{}, nil }); err != nil {
		t.Error(err)
	}
}

func TestOpensslOpensWhatIsSealed(t *testing.T) {
	openssl := testpki.Need(t, "openssl")
	for _, a := range []keyfile.Algorithm{keyfile.RSA2048, keyfile.ECDSAP256} {
		key, err := keyfile.Generate(a)
		if err != nil {
			t.Fatal(err)
		}
		for name, pass := range map[string]secret.Secret{"sealed": passphrase, "clear": {}} {
			data, err := keyfile.NewSealer(0).Seal(key, pass)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "key.pem")
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(openssl, "pkey", "-in", file, "-passin", "pass:"+passphrase.Reveal(), "-check", "-noout").CombinedOutput()
			if err != nil || !bytes.Contains(out, []byte("Key is valid")) {
				t.Errorf("%s, %s: %v\n%s", a, name, err, out)
			}
		}
	}
}

func TestKeysThatOpensslWritesAreRead(t *testing.T) {
	openssl := testpki.Need(t, "openssl")
	tests := []struct {
		name string
		args []string
	}{
		{"PKCS #8", []string{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}},
		{"PKCS #8 sealed", []string{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256", "-pass", "pass:" + passphrase.Reveal()}},
		{"PKCS #1", []string{"genrsa", "-traditional", "2048"}},
		{"SEC 1 behind its parameters", []string{"ecparam", "-name", "prime256v1", "-genkey"}},
	}
	for _, tt := range tests {
		data, err := exec.Command(openssl, tt.args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keyfile.Parse(data, given(passphrase)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestHostileSealingIsRefusedBeforeAnythingIsDerived(t *testing.T) {
	sealed := func(rounds int) []byte {
		data, err := keyfile.NewSealer(rounds).Seal(newKey(t), passphrase)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	// The rounds of a real file, 1000, are made 2^30 in place: both are written in two bytes and more.
	block, _ := pem.Decode(sealed(0x10000))
	at := bytes.Index(block.Bytes, []byte{0x02, 0x03, 0x01, 0x00, 0x00})
	if at < 0 {
		t.Fatal("the rounds are not where they were")
	}
	huge := bytes.Clone(block.Bytes)
	copy(huge[at+2:], []byte{0x7f, 0xff, 0xff})
	short := bytes.Clone(block.Bytes[:len(block.Bytes)-5])
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "there is no PEM block in it"},
		{"many rounds", pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: raise(huge, at)}), "it asks for 2147483647 rounds of key derivation: 1 to 10000000 are taken"},
		{"cut short", pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: short}), "its sealed private key is damaged"},
		{"certificate", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}), `it holds a PEM block "CERTIFICATE" and no private key`},
		{"garbage", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("garbage")}), "its private key is damaged, or of a kind that is not known"},
		{"RFC 1423", []byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"),
			"it is sealed in the way of RFC 1423, which is weak: openssl pkey makes it anew"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, err := keyfile.Parse(tt.data, func() (secret.Secret, error) { t.Error("asked for a passphrase"); return passphrase, nil })
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			t.Logf("took %s", time.Since(start))
		})
	}
}

// raise makes the three-byte number at a place four bytes long, 0x7fffffff, and lengthens all that it lies in.
func raise(der []byte, at int) []byte {
	out := append(bytes.Clone(der[:at]), 0x02, 0x04, 0x7f, 0xff, 0xff, 0xff)
	out = append(out, der[at+5:]...)
	// The outermost length has two bytes, the ones within have one; each enclosing sequence grows by one.
	for i := 0; i < at; {
		if out[i] != 0x30 {
			i += 2 + int(out[i+1])
			continue
		}
		if out[i+1] == 0x81 {
			out[i+2]++
			i += 3
		} else if out[i+1] == 0x82 {
			out[i+3]++
			i += 4
		} else {
			out[i+1]++
			i += 2
		}
	}
	return out
}

func TestKeyThatOthersCanReadIsNotUsed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps no modes")
	}
	data, err := keyfile.NewSealer(0).Seal(newKey(t), secret.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "ca.key")
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o660: false, 0o644: false} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		_, err := keyfile.Load(name, nil)
		var lax *keyfile.ModeError
		if ok != (err == nil) || !ok && (!errors.As(err, &lax) || lax.Path != name) {
			t.Errorf("mode %o: %v", mode, err)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name, bytes.Repeat([]byte("x"), 100_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keyfile.Load(name, nil); err == nil || !strings.Contains(err.Error(), "more than 65536 bytes") {
		t.Errorf("a large file: %v", err)
	}
}

func TestWeakOrOddKeysAreNotCertified(t *testing.T) {
	modulus := func(bits uint) *big.Int {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		return n.Add(n, big.NewInt(1))
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		key  crypto.PublicKey
		want string
	}{
		{"short", &rsa.PublicKey{N: modulus(1024), E: 65537}, "an RSA key of 1024 bits: 2048 to 8192 are taken"},
		{"long", &rsa.PublicKey{N: modulus(16384), E: 65537}, "an RSA key of 16384 bits: 2048 to 8192 are taken"},
		{"none", &rsa.PublicKey{}, "an RSA key of 0 bits: 2048 to 8192 are taken"},
		{"even modulus", &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}, "an RSA key with an even modulus is none"},
		{"small exponent", &rsa.PublicKey{N: modulus(2048), E: 3}, "an RSA key with the exponent 3: 65537 to 2147483647 are taken"},
		{"even exponent", &rsa.PublicKey{N: modulus(2048), E: 65538}, "an RSA key with the even exponent 65538 is none"},
		{"P-224", p224.Public(), "an ECDSA key on another curve than P-256 or P-384, which devices do not share"},
		{"Ed25519", edwards, "a key of the type ed25519.PublicKey: RSA and ECDSA are taken"},
		{"nothing", nil, "a key of the type <nil>: RSA and ECDSA are taken"},
	}
	for _, tt := range tests {
		if err := keyfile.CheckPublic(tt.key); err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
	if err := keyfile.CheckPublic(newKey(t).Public()); err != nil {
		t.Error(err)
	}
}

func TestAlgorithmIsOneOfTheList(t *testing.T) {
	want := `key algorithm "rsa-1024" is none of rsa-2048, rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384`
	if _, err := keyfile.ParseAlgorithm("rsa-1024"); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, pass := range []secret.Secret{{}, passphrase} {
		data, err := keyfile.NewSealer(1).Seal(newKey(f), pass)
		if err != nil {
			f.Fatal(err)
		}
		block, _ := pem.Decode(data)
		f.Add(block.Type, block.Bytes)
	}
	f.Fuzz(func(t *testing.T, kind string, der []byte) {
		data := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		key, err := keyfile.Parse(data, func() (secret.Secret, error) { return secret.Secret{}, nil })
		if err == nil && keyfile.CheckPublic(key.Public()) != nil {
			t.Error("a weak key was read")
		}
	})
}
