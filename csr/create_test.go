package csr_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/testpki"
)

// keys are one of each kind that is certified.
func keys(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	short, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	long, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"rsa-2048": short, "ecdsa-p256": testpki.NewKey(t), "ecdsa-p384": long}
}

func request(t testing.TB, key crypto.Signer, subject csr.Subject, names ...string) csr.Request {
	t.Helper()
	r, err := csr.New(key.Public(), subject, names)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatIsCreatedIsReadBackWhole(t *testing.T) {
	algorithms := map[string]x509.SignatureAlgorithm{"rsa-2048": x509.SHA256WithRSA, "ecdsa-p256": x509.ECDSAWithSHA256, "ecdsa-p384": x509.ECDSAWithSHA384}
	for name, key := range keys(t) {
		want := request(t, key, csr.Subject{CommonName: "Zoë, O=x", Organization: "Valley + Rescue", Unit: "Alpine", Locality: "Fernie",
			Province: "BC", Country: "ca", Groups: []string{"blue"}}, "fts.example.org", "*.example.org", "10.0.0.5", "2001:db8::1")
		file, err := csr.Create(key, want)
		if err != nil {
			t.Fatal(err)
		}
		f := one(t, file)
		if f.Algorithm != algorithms[name] || f.Authority {
			t.Errorf("%s: signed with %s, an authority's: %t", name, f.Algorithm, f.Authority)
		}
		if told := []string{`unit "group:blue": the authority decides who is in which group`}; !slices.Equal(f.NotTaken, told) {
			t.Errorf("%s: not taken: %q", name, f.NotTaken)
		}
		got, err := f.As(f.Name(), []string{"blue"})
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, want)
		if !slices.Contains(f.Rows(), [2]string{"key", name}) {
			t.Errorf("%s: shown as %q", name, f.Rows())
		}
	}
}

func same(t testing.TB, got, want csr.Request) {
	t.Helper()
	gotName, _ := got.Subject.DER()
	wantName, _ := want.Subject.DER()
	if !bytes.Equal(gotName, wantName) || !slices.Equal(got.DNSNames, want.DNSNames) || !slices.Equal(got.Addresses, want.Addresses) ||
		!want.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(got.PublicKey) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestARequestOfAnAuthoritySaysSo(t *testing.T) {
	key := testpki.NewKey(t)
	file, err := csr.CreateAuthority(key, request(t, key, csr.Subject{CommonName: "Valley Rescue Issuing"}))
	if err != nil {
		t.Fatal(err)
	}
	f := one(t, file)
	if want := []string{"basic constraints CA:TRUE", "key usage keyCertSign, cRLSign"}; !f.Authority || !slices.Equal(f.NotTaken, want) {
		t.Errorf("an authority's: %t, not taken: %q", f.Authority, f.NotTaken)
	}
	parsed, err := x509.ParseCertificateRequest(f.DER)
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed.Extensions) != 2 || !parsed.Extensions[0].Critical || !parsed.Extensions[1].Critical {
		t.Errorf("it asks for %v", parsed.Extensions)
	}
}

func TestNothingIsSignedThatCannotStand(t *testing.T) {
	key, other := testpki.NewKey(t), testpki.NewKey(t)
	good := request(t, key, csr.Subject{CommonName: "alice"})
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		key     crypto.Signer
		request csr.Request
		want    string
	}{
		{"no key", nil, good, "there is no key"},
		{"another's key", other, good, "the key is not the request's"},
		{"the zero request", key, csr.Request{}, "the key is not the request's"},
		{"a weak key", short, csr.Request{PublicKey: short.Public(), Subject: good.Subject}, "public key: an RSA key of 1024 bits: 2048 to 8192 are taken"},
		{"no name", key, csr.Request{PublicKey: key.Public()}, `name "": it is empty`},
		{"a wrong DNS name", key, csr.Request{PublicKey: key.Public(), Subject: good.Subject, DNSNames: []string{"a b"}}, `name "a b": ' ' does not stand in a DNS name`},
	} {
		for _, create := range []func(crypto.Signer, csr.Request) ([]byte, error){csr.Create, csr.CreateAuthority} {
			if file, err := create(tt.key, tt.request); message(err) != tt.want || file != nil {
				t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
			}
		}
	}
}

// run runs a program in a folder of its own and returns what it prints.
func run(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestOpensslReadsWhatIsCreated(t *testing.T) {
	openssl := testpki.Need(t, "openssl")
	for name, key := range keys(t) {
		dir := t.TempDir()
		write := func(file []byte, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "csr.pem"), file, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		show := func(wanted ...string) {
			t.Helper()
			out := run(t, dir, openssl, "req", "-in", "csr.pem", "-verify", "-noout", "-text", "-nameopt", "utf8")
			for _, w := range append(wanted, "verify OK") {
				if !strings.Contains(out, w) {
					t.Errorf("%s: no %q in\n%s", name, w, out)
				}
			}
		}
		write(csr.Create(key, request(t, key, csr.Subject{CommonName: "Zoë", Unit: "Alpine"}, "a.example.org", "10.0.0.5")))
		show("Subject: OU=Alpine, CN=Zoë", "DNS:a.example.org, IP Address:10.0.0.5")
		write(csr.CreateAuthority(key, request(t, key, csr.Subject{CommonName: "Issuing"})))
		show("X509v3 Basic Constraints: critical\n                    CA:TRUE\n", "X509v3 Key Usage: critical\n                    Certificate Sign, CRL Sign\n")
	}
}

func TestRequestsOfOpensslAreTaken(t *testing.T) {
	openssl := testpki.Need(t, "openssl")
	for _, tt := range []struct {
		name      string
		args      []string
		key       string
		algorithm x509.SignatureAlgorithm
		names     string
		authority bool
		notTaken  []string
	}{
		{"RSA", []string{"-newkey", "rsa:2048"}, "rsa-2048", x509.SHA256WithRSA, "", false, nil},
		{"RSA of 3072 bits, SHA-512", []string{"-newkey", "rsa:3072", "-sha512"}, "rsa-3072", x509.SHA512WithRSA, "", false, nil},
		{"RSA, SHA-1", []string{"-newkey", "rsa:2048", "-sha1"}, "rsa-2048", x509.SHA1WithRSA, "", false, nil},
		{"RSA-PSS", []string{"-newkey", "rsa:2048", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"}, "rsa-2048", x509.SHA256WithRSAPSS, "", false, nil},
		{"P-256, SHA-1", []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-sha1"}, "ecdsa-p256", x509.ECDSAWithSHA1, "", false, nil},
		{"P-384, SHA-384", []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-sha384"}, "ecdsa-p384", x509.ECDSAWithSHA384, "", false, nil},
		{"alternative names", []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-addext", "subjectAltName=critical,DNS:A.example.org,IP:10.0.0.5,IP:2001:db8::1,email:a@b.org"},
			"ecdsa-p256", x509.ECDSAWithSHA256, "a.example.org 10.0.0.5 2001:db8::1", false, []string{`e-mail address "a@b.org"`}},
		{"an authority", []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-addext", "basicConstraints=CA:TRUE"}, "ecdsa-p256", x509.ECDSAWithSHA256, "", true,
			[]string{"basic constraints CA:TRUE"}},
		{"an authority by its usage", []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-addext", "keyUsage=critical,digitalSignature,cRLSign", "-addext", "extendedKeyUsage=serverAuth"},
			"ecdsa-p256", x509.ECDSAWithSHA256, "", true, []string{"key usage digitalSignature, cRLSign", "extended key usage serverAuth"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			// The system's own configuration may ask for more.
			if err := os.WriteFile(filepath.Join(dir, "cnf"), []byte("[req]\ndistinguished_name = name\n[name]\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, dir, openssl, append([]string{"req", "-new", "-config", "cnf", "-nodes", "-keyout", "key", "-subj", "/O=Valley Rescue/CN=alice", "-text", "-out", "PEM"}, tt.args...)...)
			run(t, dir, openssl, "req", "-in", "PEM", "-outform", "DER", "-out", "DER")
			for _, form := range []string{"PEM", "DER"} {
				data, err := os.ReadFile(filepath.Join(dir, form))
				if err != nil {
					t.Fatal(err)
				}
				f := one(t, data)
				rows := f.Rows()
				for _, want := range [][2]string{{"name", "alice"}, {"subject", "CN=alice,O=Valley Rescue"}, {"names", tt.names}, {"key", tt.key}} {
					if want[1] != "" && !slices.Contains(rows, want) {
						t.Errorf("no %q in %q", want, rows)
					}
				}
				if f.Algorithm != tt.algorithm || f.Authority != tt.authority || !slices.Equal(f.NotTaken, tt.notTaken) {
					t.Errorf("got %s, %t, %q", f.Algorithm, f.Authority, f.NotTaken)
				}
			}
		})
	}
}

func TestRequestsOfKeytoolAreTaken(t *testing.T) {
	keytool := testpki.Need(t, "keytool")
	dir := t.TempDir()
	run(t, dir, keytool, "-genkeypair", "-keystore", "store", "-storepass", "changeit", "-alias", "a", "-keyalg", "RSA", "-keysize", "2048",
		"-dname", "CN=Zoë Müller, OU=Alpine, O=Valley Rescue")
	run(t, dir, keytool, "-J-Dfile.encoding=UTF-8", "-certreq", "-keystore", "store", "-storepass", "changeit", "-alias", "a", "-ext", "san=dns:fts.example.org", "-ext", "bc=ca:true",
		"-file", "csr.pem")
	data, err := os.ReadFile(filepath.Join(dir, "csr.pem"))
	if err != nil {
		t.Fatal(err)
	}
	f := one(t, data)
	s := f.Asked.Subject
	if s.Unit != "Alpine" || s.Organization != "Valley Rescue" || !slices.Equal(f.Asked.DNSNames, []string{"fts.example.org"}) || !f.Authority {
		t.Errorf("got %q", f.Rows())
	}
}

func TestRequestsOfGoAreTaken(t *testing.T) {
	key := testpki.NewKey(t)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{"fts.example.org"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"} {
		f := one(t, pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
		if f.Asked.Subject.CommonName != "" || f.Name() != "fts.example.org" || len(f.NotTaken) > 0 {
			t.Errorf("got %q", f.Rows())
		}
	}
}
