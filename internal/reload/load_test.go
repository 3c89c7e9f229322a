package reload_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/reload"
	"github.com/ftsca/ftsca/internal/testpki"
)

func TestLoadTakesTheWholePicture(t *testing.T) {
	f := newFolder(t)
	f.write("FTS_CRL.json", jsonOf(f.bob))
	now := time.Now()
	trust, report, err := f.files().Load(now, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.mustJudge(trust, f.bob)
	if len(trust.Certificate.Certificate) != 2 || !trust.Certificate.Leaf.Equal(f.server.Leaf) {
		t.Error("the server's chain is not that of server.pem")
	}
	if len(trust.Issuers) != 1 || !trust.Issuers[0].Equal(f.issuing.Cert) {
		t.Error("the issuing CA alone should let clients in")
	}
	if !trust.Loaded.Equal(now) {
		t.Errorf("loaded at %s", trust.Loaded)
	}
	if got := serials(report.Entries); got != "0b0b" || len(report.Vanished) > 0 {
		t.Errorf("in force %s, vanished %s", got, serials(report.Vanished))
	}
	mustWarn(t, report)
}

func TestListsInForceAreJoined(t *testing.T) {
	f := newFolder(t)
	stranger := testpki.NewRoot(t, "Elsewhere")
	impostor := testpki.NewRoot(t, "Valley CA") // the same name, another key
	due := time.Date(2021, 1, 2, 3, 4, 5, 0, time.UTC)
	long := signedBy(t, f.issuing, nextYear, f.bob)
	cas := testpki.CertPEM(f.issuing.Cert, f.root.Cert)
	damaged := bytes.Replace(long, []byte("-----BEGIN X509 CRL-----\n"), []byte("-----BEGIN X509 CRL-----\nAAAA"), 1)
	const passed = "the signed revocation list in DIR/FTS_CRL.pem was passed over: "
	tests := []struct {
		name     string
		files    map[string][]byte
		seen     []crl.Entry
		revoked  []*x509.Certificate
		vanished string
		warnings []string
	}{
		{name: "nothing is revoked"},
		{name: "JSON alone", files: map[string][]byte{"FTS_CRL.json": jsonOf(f.bob)}, revoked: []*x509.Certificate{f.bob}},
		{name: "JSON with a byte order mark and CRLF", files: map[string][]byte{"FTS_CRL.json": append([]byte("\xef\xbb\xbf"),
			bytes.ReplaceAll(jsonOf(f.bob), []byte("\n"), []byte("\r\n"))...)}, revoked: []*x509.Certificate{f.bob}},
		{name: "vanished from the JSON, seen before", seen: entries(f.bob),
			revoked: []*x509.Certificate{f.bob}, vanished: "0b0b"},
		{name: "vanished from the JSON, still signed", files: map[string][]byte{"FTS_CRL.pem": long},
			revoked: []*x509.Certificate{f.bob}, vanished: "0b0b"},
		{name: "vanished from the JSON, still in the last good copy",
			files:   map[string][]byte{".FTS_CRL.last": jsonOf(f.bob)},
			revoked: []*x509.Certificate{f.bob}, vanished: "0b0b"},
		{name: "each list has another", files: map[string][]byte{"FTS_CRL.json": jsonOf(f.alice), "FTS_CRL.pem": long,
			".FTS_CRL.last": jsonOf(f.carol)}, revoked: []*x509.Certificate{f.alice, f.bob, f.carol}, vanished: "0b0b 0ca401"},
		{name: "all lists have the same", seen: entries(f.bob), files: map[string][]byte{"FTS_CRL.json": jsonOf(f.bob),
			"FTS_CRL.pem": long, ".FTS_CRL.last": jsonOf(f.bob), "ca.pem": append(bytes.Clone(cas), long...)},
			revoked: []*x509.Certificate{f.bob}},
		{name: "another program signed into ca.pem", files: map[string][]byte{"FTS_CRL.json": jsonOf(f.bob),
			"FTS_CRL.pem": long, "ca.pem": append(bytes.Clone(cas), signedBy(t, f.issuing, nextYear, f.bob, f.carol)...)},
			revoked: []*x509.Certificate{f.bob, f.carol}, vanished: "0ca401"},
		{name: "signed list in DER", files: map[string][]byte{"FTS_CRL.pem": derOf(t, long)},
			revoked: []*x509.Certificate{f.bob}, vanished: "0b0b"},
		{name: "signed list after the root's", revoked: []*x509.Certificate{f.bob}, vanished: "0b0b",
			files: map[string][]byte{"FTS_CRL.pem": append(signedBy(t, f.root, nextYear), long...)}},
		{name: "the root's list speaks for the root only",
			files:    map[string][]byte{"FTS_CRL.pem": signedBy(t, f.root, nextYear, f.bob)},
			vanished: "0b0b"},
		{name: "stale signed list counts", files: map[string][]byte{"FTS_CRL.pem": signedBy(t, f.issuing, due, f.bob)},
			revoked: []*x509.Certificate{f.bob}, vanished: "0b0b",
			warnings: []string{"the signed revocation list was due for renewal at 2021-01-02T03:04:05Z: what it revokes " +
				"counts, but servers that load it refuse every client (ftsca crl sign renews it)"}},
		{name: "another CA's signed list", files: map[string][]byte{"FTS_CRL.pem": signedBy(t, stranger, nextYear, f.bob)},
			warnings: []string{passed + "none of the CAs in ca.pem signed it"}},
		{name: "signed list of the same name and another key",
			files:    map[string][]byte{"FTS_CRL.pem": signedBy(t, impostor, nextYear, f.bob)},
			warnings: []string{passed + "SIGNATURE"}},
		{name: "damaged signed list", files: map[string][]byte{"FTS_CRL.pem": damaged},
			warnings: []string{passed + "DAMAGED"}},
		{name: "signed list cut short", files: map[string][]byte{"FTS_CRL.pem": long[:len(long)/2]},
			warnings: []string{passed + `reading an X.509 revocation list: there is no whole "X509 CRL" block of PEM in it`}},
		{name: "empty signed list", files: map[string][]byte{"FTS_CRL.pem": {}},
			warnings: []string{passed + "it is empty"}},
		{name: "damaged last good copy",
			files:   map[string][]byte{".FTS_CRL.last": bytes.TrimRight(jsonOf(f.carol, f.bob), "]}\n ")},
			revoked: nil, warnings: []string{"LAST"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := *f
			g.t, g.dir = t, t.TempDir()
			g.serve(f.server)
			g.write("ca.pem", cas)
			g.write("FTS_CRL.json", jsonOf())
			for name, data := range test.files {
				g.write(name, data)
			}
			trust, report, err := g.files().Load(time.Now(), test.seen)
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range report.Warnings {
				report.Warnings[i] = strings.ReplaceAll(w, g.dir, "DIR")
			}
			if test.name == "damaged last good copy" {
				mustBePartlyRead(t, &g, report)
				return
			}
			g.mustJudge(trust, test.revoked...)
			if got := serials(report.Vanished); got != test.vanished {
				t.Errorf("vanished %q, want %q", got, test.vanished)
			}
			mustWarn(t, report, inWords(report, test.warnings)...)
		})
	}
}

// inWords leaves the wording of package crl's own errors to its own tests.
func inWords(report reload.Report, want []string) []string {
	for i, w := range want {
		for _, mark := range []string{"SIGNATURE", "DAMAGED"} {
			if start, ok := strings.CutSuffix(w, mark); ok && i < len(report.Warnings) &&
				strings.HasPrefix(report.Warnings[i], start) && len(report.Warnings[i]) > len(start) {
				want[i] = report.Warnings[i]
			}
		}
	}
	return want
}

func mustBePartlyRead(t *testing.T, f *folder, report reload.Report) {
	t.Helper()
	const start = "the last good copy of the revocation list, DIR/.FTS_CRL.last, is damaged: line "
	if len(report.Warnings) != 1 || !strings.HasPrefix(report.Warnings[0], start) {
		t.Errorf("got warnings %q", report.Warnings)
	}
	if got := serials(report.Entries); !strings.Contains(got, "0ca401") {
		t.Errorf("of the damaged copy only %q is in force", got)
	}
}

func derOf(t testing.TB, data []byte) []byte {
	t.Helper()
	block, rest := pem.Decode(data)
	if block == nil || len(rest) > 0 {
		t.Fatal("not one PEM block")
	}
	return block.Bytes
}

func TestFoldersThatAreRefused(t *testing.T) {
	f := newFolder(t)
	other := f.issuing.Server(t, "localhost")
	named := func(c tls.Certificate) []byte { return testpki.CertPEM(c.Leaf) }
	serial := testpki.Names("localhost")
	server := testpki.Usages(x509.ExtKeyUsageServerAuth)
	old := f.issuing.Leaf(t, "localhost", serial, server,
		testpki.Validity(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)))
	early := f.issuing.Leaf(t, "localhost", serial, server,
		testpki.Validity(time.Date(2126, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2127, 1, 1, 0, 0, 0, 0, time.UTC)))
	now := time.Now()
	tests := []struct {
		name, file string
		data       []byte // nil: the file is missing
		err        string
	}{
		{"broken list", "FTS_CRL.json", []byte("{\n  \"revoked_certificates\": [\n    {]\n"),
			"the revocation list DIR/FTS_CRL.json cannot be used: line 3, column 6: LIST (ftsca crl repair mends it)"},
		{"empty list", "FTS_CRL.json", []byte{},
			"the revocation list DIR/FTS_CRL.json cannot be used: line 1, column 1: LIST (ftsca crl repair mends it)"},
		{"no list", "FTS_CRL.json", nil,
			"the revocation list DIR/FTS_CRL.json cannot be used: stat DIR/FTS_CRL.json: no such file or directory " +
				"(ftsca crl repair mends it)"},
		{"no server certificate", "server.pem", nil,
			"reading the server's certificate: stat DIR/server.pem: no such file or directory"},
		{"empty server certificate", "server.pem", []byte{},
			"the server's certificate DIR/server.pem: there is no certificate in it"},
		{"another server's certificate", "server.pem", named(other),
			"the server's key DIR/server.key does not belong to the certificate DIR/server.pem"},
		{"client's certificate", "server.pem", named(f.issuing.Client(t, "alice")),
			"the server's certificate DIR/server.pem is not for servers: its extended key usage lacks serverAuth"},
		{"CA's certificate", "server.pem", testpki.CertPEM(f.issuing.Cert),
			"the server's certificate DIR/server.pem is a CA's and not a server's"},
		{"expired server certificate", "server.pem", named(old),
			"the server's certificate DIR/server.pem expired at 2021-01-01T00:00:00Z"},
		{"server certificate of the future", "server.pem", named(early),
			"the server's certificate DIR/server.pem is not valid before 2126-01-01T00:00:00Z, " +
				"and this machine's clock says " + now.UTC().Format(time.RFC3339)},
		{"no server key", "server.key", nil, "reading the server's key: stat DIR/server.key: no such file or directory"},
		{"no key in server.key", "server.key", []byte("x"), "the server's key: server.key is no key"},
		{"another server's key", "server.key", testpki.KeyPEM(t, other.PrivateKey),
			"the server's key DIR/server.key does not belong to the certificate DIR/server.pem"},
		{"no CAs", "ca.pem", nil, "reading the CAs: stat DIR/ca.pem: no such file or directory"},
		{"no CA in ca.pem", "ca.pem", testpki.CertPEM(f.server.Leaf),
			"the CAs in DIR/ca.pem: there is no CA's certificate in it"},
		{"garbage in ca.pem", "ca.pem", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
			"the CAs in DIR/ca.pem: x509: malformed certificate"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := *f
			g.t, g.dir = t, t.TempDir()
			g.serve(f.server)
			g.write("ca.pem", testpki.CertPEM(f.issuing.Cert, f.root.Cert))
			g.write("FTS_CRL.json", jsonOf())
			if _, _, err := g.files().Load(now, nil); err != nil {
				t.Fatalf("before: %v", err)
			}
			if test.data == nil {
				g.remove(test.file)
			} else {
				g.write(test.file, test.data)
			}
			trust, _, err := g.files().Load(now, nil)
			if err == nil || trust != nil {
				t.Fatalf("it was loaded: %v", err)
			}
			got := strings.ReplaceAll(err.Error(), g.dir, "DIR")
			start, end, some := strings.Cut(test.err, "LIST")
			if got != test.err && !(some && strings.HasPrefix(got, start) && strings.HasSuffix(got, end)) {
				t.Errorf("got error  %q\nwant error %q", got, test.err)
			}
			var list *reload.ListError
			if errors.As(err, &list) != (test.file == "FTS_CRL.json") {
				t.Errorf("%v: a ListError is for the list alone", err)
			}
		})
	}
}

func TestBrokenListTellsLineAndColumn(t *testing.T) {
	f := newFolder(t)
	f.write("FTS_CRL.json", []byte("{\r\n  \"revoked_certificates\": [\r\n    {]\r\n"))
	_, _, err := f.files().Load(time.Now(), nil)
	var syntax *crl.SyntaxError
	if !errors.As(err, &syntax) || syntax.Line != 3 || syntax.Column != 6 {
		t.Errorf("got %v", err)
	}
}

func TestFileTooLargeIsNotRead(t *testing.T) {
	f := newFolder(t)
	if err := os.Truncate(f.path("FTS_CRL.json"), 256<<20+1); err != nil {
		testpki.Lack(t, fmt.Sprintf("sparse files (%v)", err))
	}
	_, _, err := f.files().Load(time.Now(), nil)
	want := fmt.Sprintf("the revocation list %[1]s cannot be used: %[1]s has more than 256 MiB "+
		"(ftsca crl repair mends it)", f.path("FTS_CRL.json"))
	if err == nil || err.Error() != want {
		t.Errorf("got error  %v\nwant error %s", err, want)
	}
}

func TestIssuersAreThoseThatIssueToClients(t *testing.T) {
	root := testpki.NewRoot(t, "Root")
	issuing, older := root.Issuing(t, "Issuing"), root.Issuing(t, "Older")
	single, former := testpki.NewRoot(t, "Single"), testpki.NewRoot(t, "Former")
	leaf := issuing.Client(t, "alice").Leaf
	tests := []struct {
		name     string
		certs    []*x509.Certificate
		issuers  string
		warnings []string
	}{
		{name: "issuing and root", certs: []*x509.Certificate{issuing.Cert, root.Cert}, issuers: "Issuing"},
		{name: "root first", certs: []*x509.Certificate{root.Cert, issuing.Cert}, issuers: "Issuing"},
		{name: "without the root", certs: []*x509.Certificate{issuing.Cert}, issuers: "Issuing"},
		{name: "a single CA", certs: []*x509.Certificate{single.Cert}, issuers: "Single"},
		{name: "rollover in two tiers", certs: []*x509.Certificate{issuing.Cert, older.Cert, root.Cert},
			issuers: "Issuing Older"},
		{name: "rollover of a single CA", certs: []*x509.Certificate{single.Cert, former.Cert}, issuers: "Former Single"},
		{name: "somebody's root beside ours", certs: []*x509.Certificate{issuing.Cert, root.Cert, single.Cert},
			issuers: "Issuing"},
		{name: "a client's certificate among them", certs: []*x509.Certificate{issuing.Cert, leaf, root.Cert},
			issuers:  "Issuing",
			warnings: []string{`DIR/ca.pem has a certificate of "alice", which is no CA: it was passed over`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFolder(t)
			f.write("ca.pem", testpki.CertPEM(test.certs...))
			trust, report := f.load()
			if got := names(trust.Issuers); got != test.issuers {
				t.Errorf("got %q, want %q", got, test.issuers)
			}
			for i, w := range report.Warnings {
				report.Warnings[i] = strings.ReplaceAll(w, f.dir, "DIR")
			}
			mustWarn(t, report, test.warnings...)
		})
	}
}

func TestIssuingCAThatTheRootRevokedLetsNobodyIn(t *testing.T) {
	f := newFolder(t)
	f.write("FTS_CRL.pem", signedBy(t, f.root, nextYear, f.issuing.Cert))
	trust, report := f.load()
	if len(trust.Issuers) != 0 {
		t.Error("the revoked CA is still an issuer")
	}
	mustWarn(t, report, `the CA "Valley CA" is revoked: its clients are not let in`)
}

func TestClientsSerialDoesNotRevokeTheCA(t *testing.T) {
	// Some tools number from one at every CA, so that a client and its own CA have the same serial.
	f := newFolder(t)
	f.issuing = f.root.Issuing(t, "Valley CA", testpki.Serial(big.NewInt(1)))
	first := f.issuing.Client(t, "first", testpki.Serial(big.NewInt(1))).Leaf
	f.write("ca.pem", testpki.CertPEM(f.issuing.Cert, f.root.Cert))
	f.write("FTS_CRL.json", jsonOf(first))
	trust, report := f.load()
	if len(trust.Issuers) != 1 {
		t.Error("the CA has gone with its client")
	}
	mustWarn(t, report)
}

func TestTroubleAheadIsWarnedOf(t *testing.T) {
	f := newFolder(t)
	f.write("FTS_CRL.json", jsonOf(f.server.Leaf))
	_, report := f.load()
	mustWarn(t, report, "the server's own certificate is revoked; it is shown to clients all the same")

	f = newFolder(t)
	end := time.Date(2021, 2, 1, 0, 0, 0, 0, time.UTC)
	expired := f.root.Issuing(t, "Old CA", testpki.Validity(end.AddDate(-1, 0, 0), end))
	f.write("ca.pem", testpki.CertPEM(expired.Cert, f.root.Cert))
	_, report = f.load()
	mustWarn(t, report, `the CA "Old CA" expired at 2021-02-01T00:00:00Z: its clients are not let in`)
}
