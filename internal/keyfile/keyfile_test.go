package keyfile_test

import (
	"bytes"
	"crypto"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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
		if back, err := keyfile.Parse(data, given(passphrase)); err != nil || !equal(key, back) {
			t.Errorf("%s: another key came back, %v", a, err)
		}
		for i := range 50 {
			wrong := secret.FromString("wrong" + strings.Repeat("x", i))
			if _, err := keyfile.Parse(data, given(wrong)); !errors.Is(err, keyfile.ErrWrongPassphrase) {
				t.Errorf("%s: a wrong passphrase: %v", a, err)
			}
		}
		for name, ask := range map[string]func() (secret.Secret, error){"nobody to ask": nil, "no answer": given(secret.Secret{})} {
			if _, err := keyfile.Parse(data, ask); !errors.Is(err, keyfile.ErrSealed) {
				t.Errorf("%s: %s: %v", a, name, err)
			}
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
	back, err := keyfile.Parse(data, func() (secret.Secret, error) { t.Error("asked"); return secret.Secret{}, nil })
	if err != nil || !equal(key, back) {
		t.Errorf("another key came back: %v", err)
	}
}

func TestKeysAreSealedWith600000RoundsUnlessTold(t *testing.T) {
	for name, sealer := range map[string]keyfile.Sealer{"the zero Sealer": {}, "NewSealer(0)": keyfile.NewSealer(0)} {
		data, err := sealer.Seal(newKey(t), passphrase)
		if err != nil {
			t.Fatal(err)
		}
		if rounds, _ := keyfile.Rounds(data); rounds != 600_000 {
			t.Errorf("%s: %d rounds", name, rounds)
		}
	}
}

func TestOpensslOpensWhatIsSealed(t *testing.T) {
	openssl := testpki.Need(t, "openssl")
	for _, a := range []keyfile.Algorithm{keyfile.RSA2048, keyfile.ECDSAP256, keyfile.ECDSAP384} {
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
			out, err = exec.Command(openssl, "pkey", "-in", file, "-passin", "pass:wrong", "-noout").CombinedOutput()
			if (err == nil) != pass.IsZero() {
				t.Errorf("%s, %s, by a wrong passphrase: %v\n%s", a, name, err, out)
			}
		}
	}
}

func TestKeysThatOpensslWritesAreReadOrRefusedWithAReason(t *testing.T) {
	openssl := testpki.Need(t, "openssl")
	pass := "pass:" + passphrase.Reveal()
	const damaged = "its private key is damaged, or of a kind that is not known"
	curve := func(name string, more ...string) []string {
		return append([]string{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + name}, more...)
	}
	clear := filepath.Join(t.TempDir(), "clear.pem")
	if out, err := exec.Command(openssl, curve("P-256", "-out", clear)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	seal := func(how ...string) []string {
		return append([]string{"pkcs8", "-topk8", "-in", clear, "-passout", pass}, how...)
	}
	for _, tt := range []struct {
		name string
		args []string
		want string // a part of the error
	}{
		{"PKCS #8", curve("P-256"), ""},
		{"PKCS #8 sealed", curve("P-384", "-aes256", "-pass", pass), ""},
		{"RSA sealed", []string{"genpkey", "-algorithm", "RSA", "-aes-192-cbc", "-pass", pass}, ""},
		{"PKCS #1", []string{"genrsa", "-traditional", "2048"}, ""},
		{"SEC 1 behind its parameters", []string{"ecparam", "-name", "prime256v1", "-genkey"}, ""},
		{"AES-128, SHA-1", seal("-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"), ""},
		{"AES-256, SHA-384", seal("-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA384"), ""},
		{"AES-256, SHA-512", seal("-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512", "-iter", "5000"), ""},
		{"3DES", seal("-v2", "des3"), ""},
		{"another mode", seal("-v2", "aes-256-cfb"), "AES and 3DES in CBC mode are known here"},
		{"scrypt", seal("-scrypt"), "its key derivation is 1.3.6.1.4.1.11591.4.11: PBKDF2 is known here"},
		{"PBES1", seal("-v1", "PBE-SHA1-3DES"), "it is sealed by the scheme 1.2.840.113549.1.12.1.3: PBES2 is known here"},
		{"the old way", []string{"ec", "-in", clear, "-aes256", "-passout", pass}, "it is sealed in the way of RFC 1423"},
		{"another curve", curve("secp256k1"), damaged},
		{"another curve, sealed", curve("secp256k1", "-aes256", "-pass", pass), damaged},
		{"another curve that is known, sealed", curve("P-521", "-aes256", "-pass", pass), "an ECDSA key on another curve than P-256 or P-384"},
		{"Ed25519, sealed", []string{"genpkey", "-algorithm", "ED25519", "-aes256", "-pass", pass}, "a key of the type ed25519.PublicKey: RSA and ECDSA are taken"},
		{"X25519, sealed", []string{"genpkey", "-algorithm", "X25519", "-aes256", "-pass", pass}, "a key of the type *ecdh.PrivateKey does not sign"},
		{"a weak one, sealed", []string{"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-aes256", "-pass", pass}, "an RSA key of 1024 bits: 2048 to 8192 are taken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data, err := exec.Command(openssl, tt.args...).Output()
			if err != nil {
				t.Fatal(err)
			}
			_, err = keyfile.Parse(data, given(passphrase))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if tt.want == "" && keyfile.IsSealed(data) {
				if _, err := keyfile.Parse(data, given(secret.FromString("wrong"))); !errors.Is(err, keyfile.ErrWrongPassphrase) {
					t.Errorf("a wrong passphrase: %v", err)
				}
			}
		})
	}
}
