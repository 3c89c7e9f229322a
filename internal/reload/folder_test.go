package reload_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/mtls"
	"github.com/ftsca/ftsca/internal/reload"
	"github.com/ftsca/ftsca/internal/testpki"
)

// folder is an endpoint's folder with a PKI of two tiers, and three clients.
type folder struct {
	t             testing.TB
	dir           string
	root, issuing *testpki.Authority
	server        tls.Certificate
	alice, bob    *x509.Certificate
	carol         *x509.Certificate
}

func newFolder(t testing.TB) *folder {
	t.Helper()
	f := &folder{t: t, dir: t.TempDir()}
	f.root = testpki.NewRoot(t, "Valley Root")
	f.issuing = f.root.Issuing(t, "Valley CA")
	f.server = f.issuing.Server(t, "localhost")
	f.alice = f.issuing.Client(t, "alice", testpki.Serial(big.NewInt(0xa11ce))).Leaf
	f.bob = f.issuing.Client(t, "bob", testpki.Serial(big.NewInt(0xb0b))).Leaf
	f.carol = f.issuing.Client(t, "carol", testpki.Serial(big.NewInt(0xca401))).Leaf
	f.serve(f.server)
	f.write("ca.pem", testpki.CertPEM(f.issuing.Cert, f.root.Cert))
	f.write("FTS_CRL.json", jsonOf())
	return f
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// write writes in place, as an editor without temporary files does.
func (f *folder) write(name string, data []byte) {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), data, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// replace writes beside the file and renames, as we and most editors do.
func (f *folder) replace(name string, data []byte) {
	f.t.Helper()
	f.write(name+".new", data)
	if err := os.Rename(f.path(name+".new"), f.path(name)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *folder) remove(name string) {
	f.t.Helper()
	if err := os.Remove(f.path(name)); err != nil {
		f.t.Fatal(err)
	}
}

// serve makes cert the server's.
func (f *folder) serve(cert tls.Certificate) {
	f.t.Helper()
	var chain bytes.Buffer
	for _, der := range cert.Certificate {
		chain.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	f.write("server.pem", chain.Bytes())
	f.write("server.key", testpki.KeyPEM(f.t, cert.PrivateKey))
}

func (f *folder) files() reload.Files { return reload.Files{Dir: f.dir, LoadKey: loadKey} }

// load loads the folder, which has to be good.
func (f *folder) load() (*mtls.Trust, reload.Report) {
	f.t.Helper()
	trust, report, err := f.files().Load(time.Now(), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return trust, report
}

func loadKey(path string) (crypto.Signer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s is no key", filepath.Base(path))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return key.(crypto.Signer), nil
}

var yesterday = time.Now().Add(-24 * time.Hour).UTC().Truncate(time.Second)

func entries(certs ...*x509.Certificate) []crl.Entry {
	var list []crl.Entry
	for _, c := range certs {
		list = append(list, crl.Entry{Serial: crl.SerialOf(c.SerialNumber), Date: yesterday, Reason: crl.KeyCompromise})
	}
	return list
}

// jsonOf is a list in the form of FTS_CRL.json.
func jsonOf(certs ...*x509.Certificate) []byte {
	l := crl.NewList()
	for _, e := range entries(certs...) {
		l.Add(e)
	}
	return l.Bytes()
}

// signedBy is a list in X.509 form, in PEM.
func signedBy(t testing.TB, ca *testpki.Authority, due time.Time, certs ...*x509.Certificate) []byte {
	t.Helper()
	der, err := crl.Sign(crl.Template{
		Entries: entries(certs...), Number: big.NewInt(1), ThisUpdate: due.Add(-time.Hour), NextUpdate: due,
	}, ca.Cert, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	return crl.EncodePEM(der)
}

var nextYear = time.Now().AddDate(1, 0, 0)

// mustJudge wants those clients refused as revoked, and the folder's others let in.
func (f *folder) mustJudge(trust *mtls.Trust, revoked ...*x509.Certificate) {
	f.t.Helper()
	if got, want := f.revokedBy(trust), names(revoked); got != want {
		f.t.Errorf("revoked are %q, want %q", got, want)
	}
}

// revokedBy names those of the folder's clients that trust refuses as revoked.
func (f *folder) revokedBy(trust *mtls.Trust) string {
	f.t.Helper()
	var refused []*x509.Certificate
	for _, c := range []*x509.Certificate{f.alice, f.bob, f.carol} {
		err := trust.Judge([][]*x509.Certificate{{c, f.issuing.Cert}}, time.Now())
		var r *mtls.Refusal
		if errors.As(err, &r) && r.Cause == mtls.Revoked {
			refused = append(refused, c)
		} else if err != nil {
			f.t.Fatal(err)
		}
	}
	return names(refused)
}

func names(certs []*x509.Certificate) string {
	var list []string
	for _, c := range certs {
		list = append(list, c.Subject.CommonName)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// serials are the serials of entries, sorted.
func serials(entries []crl.Entry) string {
	var list []string
	for _, e := range entries {
		list = append(list, e.Serial.String())
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func mustWarn(t testing.TB, report reload.Report, want ...string) {
	t.Helper()
	if !slices.Equal(report.Warnings, want) {
		t.Errorf("got warnings  %q\nwant warnings %q", report.Warnings, want)
	}
}
