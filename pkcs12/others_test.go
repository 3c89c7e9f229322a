package pkcs12_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

// pems writes alice's key, her certificate and the chain above it to a folder, for other programs to pack.
func pems(t *testing.T) (dir string, alice pkcs12.Identity) {
	t.Helper()
	issuing := testpki.NewRoot(t, "Valley Root").Issuing(t, "Valley Issuing")
	client := issuing.Client(t, "alice", testpki.RSA(2048))
	dir = t.TempDir()
	for name, data := range map[string][]byte{
		"alice.key": testpki.KeyPEM(t, client.PrivateKey), "alice.pem": testpki.CertPEM(client.Leaf), "ca.pem": testpki.CertPEM(issuing.Chain()...),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, pkcs12.Identity{Key: key(client), Certificate: client.Leaf, Chain: issuing.Chain()}
}

func readFile(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestWhateverOpenSSLWritesIsRead(t *testing.T) {
	t.Parallel()
	openssl := testpki.Need(t, "openssl")
	dir, want := pems(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	export := func(t *testing.T, out string, args ...string) []byte {
		t.Helper()
		run(t, openssl, append([]string{"pkcs12", "-export", "-passout", "file:" + in("pw"), "-out", in(out)}, args...)...)
		return readFile(t, dir, out)
	}
	identity := []string{"-in", in("alice.pem"), "-inkey", in("alice.key"), "-certfile", in("ca.pem"), "-name", "Alice Ærlig"}
	for _, tt := range []struct{ name, password, args, form string }{
		{"as it likes", password, "", "AES-256, SHA-256 MAC, 2048 rounds"},
		{"legacy", password, "-legacy", "RC2-40 and 3DES, SHA-1 MAC, 2048 rounds"},
		{"RC2-128", password, "-legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-RC2-128", "RC2-128, SHA-1 MAC, 2048 rounds"},
		{"3DES", password, "-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1", "3DES, SHA-1 MAC, 2048 rounds"},
		{"AES-128 and SHA-512", password, "-certpbe AES-128-CBC -keypbe AES-192-CBC -macalg sha512 -iter 10000",
			"AES-128 and AES-192, SHA-512 MAC, 10000 rounds"},
		{"SHA-384, one round", password, "-macalg sha384 -nomaciter -noiter", "AES-256, SHA-384 MAC, 1 rounds"},
		{"certificates in clear", password, "-certpbe NONE", "AES-256, SHA-256 MAC, 2048 rounds"},
		{"nothing encrypted", password, "-certpbe NONE -keypbe NONE", "not encrypted, SHA-256 MAC, 2048 rounds"},
		{"accents and CJK", "Zürich 山田", "", "AES-256, SHA-256 MAC, 2048 rounds"},
		{"accents and CJK, 3DES", "Zürich 山田", "-descert -keypbe PBE-SHA1-3DES -macalg sha1", "3DES, SHA-1 MAC, 2048 rounds"},
		{"an emoji", "river😀", "", "AES-256, SHA-256 MAC, 2048 rounds"},
		{"an emoji, 3DES", "river😀", "-descert -keypbe PBE-SHA1-3DES -macalg sha1", "3DES, SHA-1 MAC, 2048 rounds"},
		{"an empty password", "", "", "AES-256, SHA-256 MAC, 2048 rounds"},
		{"an empty password, 3DES", "", "-descert -keypbe PBE-SHA1-3DES", "3DES, SHA-256 MAC, 2048 rounds"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(in("pw"), []byte(tt.password+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			data := export(t, "alice.p12", append(identity, strings.Fields(tt.args)...)...)
			id, err := pkcs12.ReadIdentity(data, tt.password)
			if err != nil {
				t.Fatal(err)
			}
			if !sameKey(id.Key, want.Key) || !id.Certificate.Equal(want.Certificate) || !sameCerts(id.Chain, want.Chain) || id.Name != "Alice Ærlig" {
				t.Errorf("another identity came back, of %q", id.Name)
			}
			if form, err := pkcs12.Inspect(data); err != nil || form.String() != tt.form {
				t.Errorf("form %q, %v", form, err)
			}
			if _, err := pkcs12.ReadIdentity(data, tt.password+"x"); !errors.Is(err, pkcs12.ErrPassword) {
				t.Errorf("a wrong password: %v", err)
			}
			trust := export(t, "ca.p12", append([]string{"-nokeys", "-in", in("ca.pem"), "-name", "one", "-caname", "two"}, strings.Fields(tt.args)...)...)
			anchors, err := pkcs12.ReadTrustStore(trust, tt.password)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range want.Chain {
				if len(anchors) != 2 || !anchors[i].Certificate.Equal(c) || anchors[i].Java {
					t.Errorf("certificate %d of %d is %s", i, len(anchors), anchors[i].Certificate.Subject)
				}
			}
		})
	}
}

func TestWhatIsRefusedOpenSSLWritesAnewAsTheErrorSays(t *testing.T) {
	openssl := testpki.Need(t, "openssl")
	dir, want := pems(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	own, err := pkcs12.Encoder{}.Identity(want.Key, want.Certificate, want.Chain, password)
	if err != nil {
		t.Fatal(err)
	}
	run(t, openssl, "pkcs12", "-export", "-in", in("alice.pem"), "-inkey", in("alice.key"), "-certfile", in("ca.pem"), "-nomac",
		"-passout", "pass:"+password, "-out", in("nomac"))
	for name, data := range map[string][]byte{"BER": openEnded(own), "no MAC": readFile(t, dir, "nomac")} {
		_, err := pkcs12.ReadIdentity(data, password)
		if err == nil || !strings.HasSuffix(err.Error(), anew) {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.WriteFile(in("OLD"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		// The command of the error, and the passwords that it would ask for.
		shell := exec.Command("sh", "-c",
			openssl+" pkcs12 -in OLD -nodes -out PEM -passin pass:"+password+" && "+openssl+" pkcs12 -export -in PEM -out NEW -passout pass:"+password)
		shell.Dir = dir
		if out, err := shell.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		id, err := pkcs12.ReadIdentity(readFile(t, dir, "NEW"), password)
		if err != nil || !sameKey(id.Key, want.Key) || !sameCerts(id.Chain, want.Chain) {
			t.Errorf("%s, written anew: %v", name, err)
		}
	}
}

func TestWhateverKeytoolWritesIsRead(t *testing.T) {
	t.Parallel()
	keytool := testpki.Need(t, "keytool")
	dir := t.TempDir()
	store := func(name string, args ...string) []byte {
		t.Helper()
		file := filepath.Join(dir, name)
		run(t, keytool, append(args, "-keystore", file, "-storetype", "PKCS12", "-storepass", password)...)
		return readFile(t, dir, name)
	}
	pair := func(name, alias string) []byte {
		t.Helper()
		return store(name, "-genkeypair", "-alias", alias, "-dname", "CN="+alias, "-keyalg", "EC", "-groupname", "secp256r1")
	}
	root := testpki.NewRoot(t, "Valley Root")
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), testpki.CertPEM(root.Cert), 0o600); err != nil {
		t.Fatal(err)
	}
	trust := []string{"-importcert", "-noprompt", "-alias", "Valley", "-file", filepath.Join(dir, "ca.pem")}

	id, err := pkcs12.ReadIdentity(pair("alone.p12", "alice"), password)
	if err != nil || id.Certificate.Subject.CommonName != "alice" || id.Name != "alice" {
		t.Fatalf("a key alone: %q, %v", id.Name, err)
	}
	id, err = pkcs12.ReadIdentity(store("alone.p12", trust...), password)
	if err != nil || len(id.Others) != 1 || !id.Others[0].Equal(root.Cert) {
		t.Errorf("a key beside a trusted certificate: %d others, %v", len(id.Others), err)
	}
	_, err = pkcs12.ReadIdentity(pair("alone.p12", "bob"), password)
	if want := "it holds 2 private keys, and which one is meant it does not say: take the others out"; err == nil || err.Error() != want {
		t.Errorf("two keys: %v", err)
	}
	anchors, err := pkcs12.ReadTrustStore(store("trust.p12", trust...), password)
	if err != nil || len(anchors) != 1 || !anchors[0].Certificate.Equal(root.Cert) || !strings.EqualFold(anchors[0].Name, "valley") || !anchors[0].Java {
		t.Errorf("a trust store: %+v, %v", anchors, err)
	}
	// What keystore.pkcs12.legacy stands for, with fewer rounds.
	old := []string{"-genkeypair", "-alias", "carol", "-dname", "CN=carol", "-keyalg", "EC", "-groupname", "secp256r1"}
	for property, value := range map[string]string{
		"certProtectionAlgorithm": "PBEWithSHA1AndRC2_40", "certPbeIterationCount": "12", "macAlgorithm": "HmacPBESHA1", "macIterationCount": "11",
		"keyProtectionAlgorithm": "PBEWithSHA1AndDESede", "keyPbeIterationCount": "12",
	} {
		old = append(old, "-J-Dkeystore.pkcs12."+property+"="+value)
	}
	legacy := store("legacy.p12", old...)
	if id, err = pkcs12.ReadIdentity(legacy, password); err != nil || id.Name != "carol" {
		t.Errorf("Java of old: %q, %v", id.Name, err)
	}
	if form, err := pkcs12.Inspect(legacy); err != nil || form.String() != "3DES and RC2-40, SHA-1 MAC, 11 and 12 rounds" {
		t.Errorf("Java of old: form %q, %v", form, err)
	}
}
