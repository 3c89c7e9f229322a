package crl_test

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/testpki"
)

// fixture reads a list that openssl made; see testdata/openssl/make.sh.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "openssl", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func opensslCA(t testing.TB) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(fixture(t, "ca.pem"))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestParseX509ReadsTheListsOfOpenSSL(t *testing.T) {
	carol, bob := crl.Entry{Serial: serial(t, "C7FE"), Date: time.Date(2024, 3, 5, 10, 0, 0, 0, time.UTC)},
		crl.Entry{Serial: serial(t, "1A2B3C4D5E6F"), Date: time.Date(2024, 3, 4, 10, 0, 0, 0, time.UTC)}
	heldCarol, lostBob := carol, bob
	heldCarol.Reason, lostBob.Reason = crl.CertificateHold, crl.KeyCompromise
	for _, test := range []struct {
		file    string
		version int
		number  int64
		entries []crl.Entry
	}{
		{"v1.pem", 1, 0, []crl.Entry{carol, bob}},
		{"v1_empty.pem", 1, 0, nil},
		{"bundle.pem", 1, 0, []crl.Entry{carol, bob}},
		{"v2.pem", 2, 0x1000, []crl.Entry{heldCarol, lostBob}},
		{"v2.der", 2, 0x1000, []crl.Entry{heldCarol, lostBob}},
		{"some.pem", 2, 0x1000, []crl.Entry{heldCarol, lostBob}},
	} {
		t.Run(test.file, func(t *testing.T) {
			x, err := crl.ParseX509(fixture(t, test.file))
			if err != nil {
				t.Fatal(err)
			}
			if x.Version != test.version || !sameEntries(x.Entries, test.entries) || x.Skipped != 0 {
				t.Errorf("got version %d, %v, %d skipped", x.Version, x.Entries, x.Skipped)
			}
			if test.number == 0 && x.Number != nil || test.number != 0 && (x.Number == nil || x.Number.Int64() != test.number) {
				t.Errorf("got number %v", x.Number)
			}
			if x.ThisUpdate.Year() < 2026 || x.NextUpdate.Year() < 2124 || x.AuthorityKeyID != nil {
				t.Errorf("got %v to %v, key %x", x.ThisUpdate, x.NextUpdate, x.AuthorityKeyID)
			}
			if err := x.CheckSignature(opensslCA(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParseX509RefusesWhatItWouldMisread(t *testing.T) {
	v2 := fixture(t, "v2.der")
	for _, test := range []struct {
		name string
		in   []byte
		err  string
	}{
		{"nothing", nil, "it is neither PEM nor DER"},
		{"JSON", []byte(documented), "it is neither PEM nor DER"},
		{"a certificate in PEM", fixture(t, "ca.pem"), `there is no whole "X509 CRL" block of PEM in it`},
		{"PEM broken off", fixture(t, "v1.pem")[:200], `there is no whole "X509 CRL" block of PEM in it`},
		{"a certificate in DER", opensslCA(t).Raw, "it names two signature algorithms"},
		{"DER broken off", v2[:100], "it is neither PEM nor DER"},
		{"DER with more after it", append(v2[:len(v2):len(v2)], 0), "it is neither PEM nor DER"},
		{"an empty sequence", []byte{0x30, 0}, "it is not a signed list"},
		{"an indirect list", fixture(t, "indirect.pem"), "it is an indirect list, which speaks for other issuers too"},
		{"a delta list", fixture(t, "delta.pem"), "it is a delta list, which does not stand on its own"},
		{"an unknown critical extension", fixture(t, "unknown.pem"), "the critical extension 1.2.3.4 is not understood"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := crl.ParseX509(test.in)
			if want := "reading an X.509 revocation list: " + test.err; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestCheckSignatureRefusesSHA1(t *testing.T) {
	x, err := crl.ParseX509(fixture(t, "v1_sha1.pem"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `the revocation list of "CN=A CA of openssl,O=Valley Rescue" is signed with SHA-1, which is not trusted`
	if err := x.CheckSignature(opensslCA(t)); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// forgedList and forgedSigned are TBSCertificateList and CertificateList (RFC 5280, 5.1), whatever is in them.
type forgedList struct {
	Raw                 asn1.RawContent
	Version             int `asn1:"optional,default:0"`
	Signature           pkix.AlgorithmIdentifier
	Issuer              pkix.RDNSequence
	ThisUpdate          time.Time
	NextUpdate          time.Time                 `asn1:"optional"`
	RevokedCertificates []pkix.RevokedCertificate `asn1:"optional"`
	Extensions          []pkix.Extension          `asn1:"tag:0,optional,explicit"`
}

type forgedSigned struct {
	List      forgedList
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

// forge signs any list with an authority's ECDSA key, however wrong.
func forge(t testing.TB, by *testpki.Authority, change func(*forgedList)) []byte {
	t.Helper()
	algorithm := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}
	var issuer pkix.RDNSequence
	if _, err := asn1.Unmarshal(by.Cert.RawSubject, &issuer); err != nil {
		t.Fatal(err)
	}
	list := forgedList{
		Signature:  algorithm,
		Issuer:     issuer,
		ThisUpdate: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NextUpdate: time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if change != nil {
		change(&list)
	}
	signed, err := asn1.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(signed)
	signature, err := by.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	list.Raw = signed
	der, err := asn1.Marshal(forgedSigned{
		List:      list,
		Algorithm: algorithm,
		Signature: asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func extension(critical bool, value []byte, oid ...int) pkix.Extension {
	return pkix.Extension{Id: oid, Critical: critical, Value: value}
}

func TestParseX509ReadsOddLists(t *testing.T) {
	root := testpki.NewRoot(t, "Odd CA")
	date := time.Date(2024, 3, 4, 10, 0, 0, 0, time.UTC)
	revoked := func(serial int64, extensions ...pkix.Extension) func(*forgedList) {
		return func(l *forgedList) {
			l.RevokedCertificates = []pkix.RevokedCertificate{
				{SerialNumber: big.NewInt(serial), RevocationTime: date, Extensions: extensions},
				{SerialNumber: big.NewInt(7), RevocationTime: date},
			}
		}
	}
	one := func(reason crl.Reason) []crl.Entry {
		return []crl.Entry{{Serial: serial(t, "1A"), Date: date, Reason: reason}, {Serial: serial(t, "7"), Date: date}}
	}
	for _, test := range []struct {
		name    string
		change  func(*forgedList)
		entries []crl.Entry
		skipped int
	}{
		// pyOpenSSL, and so FreeTAKServer, writes reasons into lists of version 1.
		{"version 1 with reasons", revoked(0x1a, extension(false, []byte{10, 1, 4}, 2, 5, 29, 21)), one(crl.Superseded), 0},
		{"a critical reason", revoked(0x1a, extension(true, []byte{10, 1, 1}, 2, 5, 29, 21)), one(crl.KeyCompromise), 0},
		{"a reason that is none", revoked(0x1a, extension(false, []byte{10, 1, 7}, 2, 5, 29, 21)), one(0), 0},
		{"a reason that is garbage", revoked(0x1a, extension(false, []byte{1, 2, 3}, 2, 5, 29, 21)), one(0), 0},
		{"an extension that is not critical", revoked(0x1a, extension(false, []byte{5, 0}, 1, 2, 3)), one(0), 0},
		{"a negative serial", revoked(-5), one(0)[1:], 1},
		{"the serial zero", revoked(0), []crl.Entry{{Serial: serial(t, "0"), Date: date}, one(0)[1]}, 0},
		{"a huge serial", func(l *forgedList) {
			revoked(0)(l)
			l.RevokedCertificates[0].SerialNumber = new(big.Int).Lsh(big.NewInt(1), 256)
		}, one(0)[1:], 1},
		{"no next date", func(l *forgedList) { l.NextUpdate = time.Time{} }, nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			x, err := crl.ParseX509(crl.EncodePEM(forge(t, root, test.change)))
			if err != nil {
				t.Fatal(err)
			}
			if !sameEntries(x.Entries, test.entries) || x.Skipped != test.skipped || x.Version != 1 {
				t.Errorf("got %v, %d skipped, version %d", x.Entries, x.Skipped, x.Version)
			}
			if err := x.CheckSignature(root.Cert); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParseX509TellsWhatIsMalformed(t *testing.T) {
	root := testpki.NewRoot(t, "Odd CA")
	date := time.Date(2024, 3, 4, 10, 0, 0, 0, time.UTC)
	entry := func(e pkix.Extension) func(*forgedList) {
		return func(l *forgedList) {
			l.RevokedCertificates = []pkix.RevokedCertificate{{SerialNumber: big.NewInt(7), RevocationTime: date},
				{SerialNumber: big.NewInt(8), RevocationTime: date, Extensions: []pkix.Extension{e}}}
		}
	}
	list := func(e pkix.Extension) func(*forgedList) {
		return func(l *forgedList) { l.Extensions = []pkix.Extension{e} }
	}
	for _, test := range []struct {
		name   string
		change func(*forgedList)
		err    string
	}{
		{"an entry of another issuer", entry(extension(true, []byte{0x30, 0}, 2, 5, 29, 29)), "its entry 2: it speaks for another issuer"},
		{"an entry with an unknown critical extension", entry(extension(true, nil, 1, 2, 3)), "its entry 2: the critical extension 1.2.3 is not understood"},
		{"version 3", func(l *forgedList) { l.Version = 2 }, "its version is neither 1 nor 2"},
		{"another algorithm within", func(l *forgedList) { l.Signature.Algorithm = asn1.ObjectIdentifier{1, 2, 3} }, "it names two signature algorithms"},
		{"a negative number", list(extension(false, []byte{2, 1, 0xff}, 2, 5, 29, 20)), "its number is malformed"},
		{"a key identifier of nothing", list(extension(false, nil, 2, 5, 29, 35)), "its authority key identifier is malformed"},
		{"a distribution point of nothing", list(extension(true, nil, 2, 5, 29, 28)), "its distribution point is malformed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := crl.ParseX509(forge(t, root, test.change))
			if want := "reading an X.509 revocation list: " + test.err; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestCheckSignatureBelievesNobodyElse(t *testing.T) {
	root := testpki.NewRoot(t, "Valley CA")
	namesake := testpki.NewRoot(t, "Valley CA")
	mute := testpki.NewRoot(t, "Valley CA", testpki.Key(root.Key), testpki.KeyUsage(x509.KeyUsageCertSign))
	leaf := root.Client(t, "Valley CA", testpki.Key(root.Key))
	bare := testpki.NewRoot(t, "Valley CA", testpki.Key(root.Key), testpki.KeyUsage(0), testpki.NoKeyID())
	der := forge(t, root, nil)
	tampered := append([]byte(nil), der...)
	tampered[strings.Index(string(der), "260101000000Z")+1] = '7'
	for _, test := range []struct {
		name   string
		der    []byte
		issuer *x509.Certificate
		err    string
	}{
		{"its own", der, root.Cert, ""},
		{"its own, without key usage and key identifier", der, bare.Cert, ""},
		{"another's", der, testpki.NewRoot(t, "Hill CA").Cert, `the revocation list is that of "CN=Valley CA", not of "CN=Hill CA"`},
		{"a namesake's", der, namesake.Cert, `the revocation list is not signed by "CN=Valley CA": x509: ECDSA verification failure`},
		{"changed", tampered, root.Cert, `the revocation list is not signed by "CN=Valley CA": x509: ECDSA verification failure`},
		{"without cRLSign", der, mute.Cert, `"CN=Valley CA" may not sign revocation lists: its key usage lacks cRLSign`},
		{"a leaf's", der, leaf.Leaf, `"CN=Valley CA" may not sign revocation lists: it is no authority`},
	} {
		t.Run(test.name, func(t *testing.T) {
			x, err := crl.ParseX509(test.der)
			if err != nil {
				t.Fatal(err)
			}
			if err := x.CheckSignature(test.issuer); err == nil && test.err != "" || err != nil && err.Error() != test.err {
				t.Errorf("got  %v\nwant %s", err, test.err)
			}
		})
	}
}

func TestKeyIDIsTheNamedOneOrElseThatOfTheKey(t *testing.T) {
	named := testpki.NewRoot(t, "Named CA")
	unnamed := testpki.NewRoot(t, "Unnamed CA", testpki.Key(named.Key), testpki.NoKeyID())
	odd := testpki.NewRoot(t, "Odd CA", testpki.Template(func(c *x509.Certificate) { c.SubjectKeyId = []byte{0, 0xAB} }))
	if len(unnamed.Cert.SubjectKeyId) != 0 {
		t.Fatal("the certificate names a key identifier after all")
	}
	if got := crl.KeyID(odd.Cert); got != "00ab" {
		t.Errorf("got %q", got)
	}
	// RFC 5280, 4.2.1.2, method 1, by the standard library's own reading of the key.
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(unnamed.Cert.RawSubjectPublicKeyInfo, &info); err != nil {
		t.Fatal(err)
	}
	if got, want := crl.KeyID(unnamed.Cert), sha1Hex(info.Key.Bytes); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := crl.KeyID(&x509.Certificate{}); got != "" {
		t.Errorf("of a certificate that was not parsed: %q", got)
	}
}
