package crl_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/testpki"
)

func sha1Hex(data []byte) string {
	sum := sha1.Sum(data)
	return hex.EncodeToString(sum[:])
}

func ecKey(t testing.TB, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issuers are authorities of every kind that signs lists.
func issuers(t testing.TB) map[string]*testpki.Authority {
	return map[string]*testpki.Authority{
		"RSA":               testpki.NewRoot(t, "RSA CA", testpki.RSA(2048)),
		"P-256":             testpki.NewRoot(t, "P-256 CA"),
		"P-384":             testpki.NewRoot(t, "P-384 CA", testpki.Key(ecKey(t, elliptic.P384()))),
		"P-521":             testpki.NewRoot(t, "P-521 CA", testpki.Key(ecKey(t, elliptic.P521()))),
		"no key identifier": testpki.NewRoot(t, "FreeTAKServer's CA", testpki.RSA(2048), testpki.NoKeyID()),
		"below a root":      testpki.NewRoot(t, "Root CA").Issuing(t, "Issuing CA"),
	}
}

func TestOtherProgramsReadWhatSignWrites(t *testing.T) {
	this := time.Now().Add(-24 * time.Hour).Truncate(time.Second)
	for name, ca := range issuers(t) {
		t.Run(name, func(t *testing.T) {
			good, bob := ca.Client(t, "alice"), ca.Client(t, "bob")
			template := crl.Template{
				Entries: []crl.Entry{
					{Serial: serial(t, "FFEE"), Reason: crl.Superseded, Date: this.AddDate(-1, 0, 0)},
					{Serial: crl.SerialOf(bob.Leaf.SerialNumber), Reason: crl.KeyCompromise, Date: time.Now()},
					{Serial: serial(t, "0")},
					{Serial: serial(t, strings.Repeat("ab", 20)), Reason: crl.RemoveFromCRL},
				},
				Number:     big.NewInt(this.UnixNano()),
				ThisUpdate: this,
				NextUpdate: this.AddDate(1, 0, 0),
			}
			der, err := crl.Sign(template, ca.Cert, ca.Key)
			if err != nil {
				t.Fatal(err)
			}
			// The standard library.
			list, err := x509.ParseRevocationList(der)
			if err != nil {
				t.Fatal(err)
			}
			if err := list.CheckSignatureFrom(ca.Cert); err != nil {
				t.Error(err)
			}
			if len(list.RevokedCertificateEntries) != 4 || list.Number.Cmp(template.Number) != 0 ||
				hex.EncodeToString(list.AuthorityKeyId) != crl.KeyID(ca.Cert) {
				t.Errorf("the standard library reads %d entries, number %v, key %x",
					len(list.RevokedCertificateEntries), list.Number, list.AuthorityKeyId)
			}
			openSSLReads(t, ca, crl.EncodePEM(der), good.Leaf, bob.Leaf)
			pythonReads(t, ca, crl.EncodePEM(der), good.Leaf, bob.Leaf)
		})
	}
}

func openSSLReads(t *testing.T, ca *testpki.Authority, list []byte, good, bad *x509.Certificate) {
	t.Run("openssl", func(t *testing.T) {
		openssl := testpki.Need(t, "openssl")
		dir := t.TempDir()
		put := func(name string, data []byte) string {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		chain, crlFile := put("ca.pem", testpki.CertPEM(ca.Chain()...)), put("list.pem", list)
		out, err := exec.Command(openssl, "crl", "-in", crlFile, "-CAfile", chain, "-noout", "-text").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, want := range []string{"verify OK", "Version 2 (0x1)", "X509v3 CRL Number", "Superseded", "Key Compromise", "X509v3 Authority Key Identifier"} {
			if !bytes.Contains(out, []byte(want)) {
				t.Errorf("it does not say %q:\n%s", want, out)
			}
		}
		if bytes.Contains(out, []byte("critical")) || bytes.Contains(out, []byte("Remove From CRL")) {
			t.Errorf("it says too much:\n%s", out)
		}
		verify := func(cert *x509.Certificate) string {
			args := []string{"verify", "-crl_check", "-CAfile", chain, "-CRLfile", crlFile}
			// An authority without a key identifier is none for -x509_strict, with any list.
			if len(ca.Cert.SubjectKeyId) > 0 {
				args = append(args, "-x509_strict")
			}
			out, _ := exec.Command(openssl, append(args, put("leaf.pem", testpki.CertPEM(cert)))...).CombinedOutput()
			return string(out)
		}
		if got := verify(good); !strings.Contains(got, ": OK") {
			t.Errorf("the good one: %s", got)
		}
		if got := verify(bad); !strings.Contains(got, "certificate revoked") {
			t.Errorf("the revoked one: %s", got)
		}
	})
}

// python loads list and authority as FreeTAKServer does, into one context, and verifies two servers on it.
const python = `
import socket, ssl, sys, threading
bundle, *pairs = sys.argv[1:]
for pair in pairs:
    name, cert, key = pair.split("=")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_REQUIRED
    client.load_verify_locations(bundle)
    client.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    a, b = socket.socketpair()
    def serve():
        try:
            server.wrap_socket(a, server_side=True).close()
        except (ssl.SSLError, OSError):
            a.close()
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client.wrap_socket(b).close()
        print(name, "accepted")
    except ssl.SSLCertVerificationError as e:
        print(name, e.verify_message)
        b.close()
    thread.join()
`

func pythonReads(t *testing.T, ca *testpki.Authority, list []byte, good, bad *x509.Certificate) {
	t.Run("python3", func(t *testing.T) {
		program := testpki.Need(t, "python3")
		dir := t.TempDir()
		args := []string{"-c", python, filepath.Join(dir, "ca.pem")}
		files := map[string][]byte{"ca.pem": slices.Concat(testpki.CertPEM(ca.Chain()...), list)}
		for name, serial := range map[string]*big.Int{"good": good.SerialNumber, "bad": bad.SerialNumber} {
			pair := ca.Leaf(t, name, testpki.Serial(serial))
			files[name+".pem"], files[name+".key"] = testpki.CertPEM(pair.Leaf), testpki.KeyPEM(t, pair.PrivateKey)
			args = append(args, name+"="+filepath.Join(dir, name+".pem")+"="+filepath.Join(dir, name+".key"))
		}
		for name, data := range files {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command(program, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		slices.Sort(lines)
		if want := []string{"bad certificate revoked", "good accepted"}; !slices.Equal(lines, want) {
			t.Errorf("got  %q\nwant %q", lines, want)
		}
	})
}

func TestSignFollowsRFC5280(t *testing.T) {
	ca, other := testpki.NewRoot(t, "Valley CA"), testpki.NewRoot(t, "Hill CA")
	this := time.Date(2026, 6, 20, 12, 0, 0, 999, time.FixedZone("", 7200))
	early, late := time.Date(2024, 1, 1, 0, 0, 0, 500, time.UTC), this.Add(time.Hour)
	der, err := crl.Sign(crl.Template{
		Entries: []crl.Entry{
			{Serial: serial(t, "0100"), Date: early},
			{Serial: serial(t, "FF"), Date: late, Reason: crl.KeyCompromise},
			{Serial: serial(t, "02"), Issuer: crl.KeyID(ca.Cert), Reason: crl.AACompromise},
			{Serial: serial(t, "03"), Issuer: crl.KeyID(other.Cert)},
			{Serial: serial(t, "04"), Issuer: strings.ToUpper(crl.KeyID(ca.Cert)), Reason: crl.CertificateHold, Date: early},
			{Serial: serial(t, "02"), Reason: crl.Superseded},
			{Serial: serial(t, "05"), Reason: crl.RemoveFromCRL, Date: early},
			{Serial: serial(t, "06"), Reason: 99, Date: time.Date(1949, 1, 1, 0, 0, 0, 0, time.UTC)},
		},
		Number:     big.NewInt(7),
		ThisUpdate: this,
		NextUpdate: time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC),
	}, ca.Cert, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	x, err := crl.ParseX509(der)
	if err != nil {
		t.Fatal(err)
	}
	whole, day := this.Truncate(time.Second), early.Truncate(time.Second)
	want := []crl.Entry{
		{Serial: serial(t, "02"), Date: whole, Reason: crl.AACompromise},
		{Serial: serial(t, "04"), Date: day, Reason: crl.CertificateHold},
		{Serial: serial(t, "05"), Date: day},
		{Serial: serial(t, "06"), Date: whole},
		{Serial: serial(t, "FF"), Date: whole, Reason: crl.KeyCompromise},
		{Serial: serial(t, "0100"), Date: day},
	}
	if !sameEntries(x.Entries, want) {
		t.Errorf("got  %v\nwant %v", x.Entries, want)
	}
	if x.Version != 2 || x.Number.Int64() != 7 || hex.EncodeToString(x.AuthorityKeyID) != crl.KeyID(ca.Cert) ||
		!x.ThisUpdate.Equal(whole) || x.NextUpdate.Year() != 2050 || x.Algorithm != x509.ECDSAWithSHA256 {
		t.Errorf("got %+v", x)
	}
	// UTCTime through 2049, GeneralizedTime from 2050 on, an unspecified reason not at all.
	for _, form := range []string{"260620100000Z", "\x18\x0f20500101000000Z"} {
		if !bytes.Contains(der, []byte(form)) {
			t.Errorf("it does not have %q", form)
		}
	}
	if got := bytes.Count(der, []byte("\x55\x1d\x15")); got != 3 {
		t.Errorf("it gives %d reasons, want 3", got)
	}
}

func TestSignWritesNoEmptyEntries(t *testing.T) {
	ca := testpki.NewRoot(t, "Valley CA")
	this := time.Date(2026, 6, 20, 12, 0, 0, 0, time.UTC)
	der, err := crl.Sign(crl.Template{Number: big.NewInt(1), ThisUpdate: this, NextUpdate: this.AddDate(1, 0, 0)}, ca.Cert, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	// The two dates are followed by the extensions at once (RFC 5280, 5.1.2.6).
	if !bytes.Contains(der, []byte("\x17\x0d270620120000Z\xa0")) {
		t.Errorf("something stands between the dates and the extensions: %x", der)
	}
	if x, err := crl.ParseX509(der); err != nil || len(x.Entries) != 0 {
		t.Errorf("got %+v, %v", x, err)
	}
}

// liar signs with another key than it shows.
type liar struct {
	crypto.Signer
	shown crypto.PublicKey
}

func (l liar) Public() crypto.PublicKey { return l.shown }

func TestSignRefusesWhatNobodyShouldSign(t *testing.T) {
	ca := testpki.NewRoot(t, "Valley CA")
	mute := testpki.NewRoot(t, "Mute CA", testpki.KeyUsage(x509.KeyUsageCertSign))
	leaf := ca.Client(t, "bob")
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	modern := testpki.NewRoot(t, "Modern CA", testpki.Key(edwards))
	this := time.Date(2026, 6, 20, 12, 0, 0, 0, time.UTC)
	good := crl.Template{Number: big.NewInt(1), ThisUpdate: this, NextUpdate: this.AddDate(1, 0, 0)}
	with := func(change func(*crl.Template)) crl.Template {
		changed := good
		change(&changed)
		return changed
	}
	for _, test := range []struct {
		name     string
		template crl.Template
		issuer   *x509.Certificate
		key      crypto.Signer
		err      string
	}{
		{"no number", with(func(t *crl.Template) { t.Number = nil }), ca.Cert, ca.Key,
			"a revocation list needs a positive number of 20 octets at most, not <nil>"},
		{"number zero", with(func(t *crl.Template) { t.Number = new(big.Int) }), ca.Cert, ca.Key,
			"a revocation list needs a positive number of 20 octets at most, not 0"},
		{"a number of 21 octets in DER", with(func(t *crl.Template) { t.Number = new(big.Int).Lsh(big.NewInt(1), 159) }), ca.Cert, ca.Key,
			"a revocation list needs a positive number of 20 octets at most, not " + new(big.Int).Lsh(big.NewInt(1), 159).String()},
		{"no date", with(func(t *crl.Template) { t.ThisUpdate = time.Time{} }), ca.Cert, ca.Key,
			"a revocation list of 0001-01-01T00:00:00Z cannot lapse at 2027-06-20T12:00:00Z"},
		{"lapsed when made", with(func(t *crl.Template) { t.NextUpdate = this.Add(time.Millisecond) }), ca.Cert, ca.Key,
			"a revocation list of 2026-06-20T12:00:00Z cannot lapse at 2026-06-20T12:00:00Z"},
		{"dates out of range", with(func(t *crl.Template) { t.NextUpdate = this.AddDate(9000, 0, 0) }), ca.Cert, ca.Key,
			"a revocation list cannot be from 2026-06-20T12:00:00Z to 11026-06-20T12:00:00Z"},
		{"no cRLSign", good, mute.Cert, mute.Key, `"CN=Mute CA" may not sign revocation lists: its key usage lacks cRLSign`},
		{"a leaf", good, leaf.Leaf, leaf.PrivateKey.(crypto.Signer), `"CN=bob" may not sign revocation lists: it is no authority`},
		{"another's key", good, ca.Cert, mute.Key, `the key is not that of "CN=Valley CA"`},
		{"an Ed25519 key", good, modern.Cert, modern.Key, `the key of "CN=Modern CA" is neither RSA nor ECDSA on P-256, P-384 or P-521`},
		{"a certificate that was not parsed", good, &x509.Certificate{}, ca.Key, "the authority's certificate was not parsed"},
		{"a key that is not what it shows", good, ca.Cert, liar{mute.Key, ca.Cert.PublicKey},
			`checking the revocation list just signed: the revocation list is not signed by "CN=Valley CA": x509: ECDSA verification failure`},
	} {
		t.Run(test.name, func(t *testing.T) {
			der, err := crl.Sign(test.template, test.issuer, test.key)
			if der != nil || err == nil || err.Error() != test.err {
				t.Errorf("got  %v\nwant %s", err, test.err)
			}
		})
	}
}
