package check_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	sslmate "software.sslmate.com/src/go-pkcs12"

	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

// now is when the packages of the tests are looked at.
var now = time.Date(2026, time.March, 29, 12, 0, 0, 0, time.UTC)

const password = "river-stone-4417"

// lasting gives a validity around now.
func lasting() testpki.Option { return testpki.Validity(now.AddDate(-1, 0, 0), now.AddDate(4, 0, 0)) }

// pki is what packages are made of.
type pki struct {
	t             testing.TB
	root, issuing *testpki.Authority
	client        tls.Certificate
	server        tls.Certificate
}

func newPKI(t testing.TB) *pki {
	t.Helper()
	p := &pki{t: t}
	p.root = testpki.NewRoot(t, "Valley Root", lasting())
	p.issuing = p.root.Issuing(t, "Valley Issuing", lasting())
	p.client = p.issuing.Client(t, "alice", lasting(), testpki.Serial(big.NewInt(0x0123456789abcdef)))
	p.server = p.issuing.Leaf(t, "tak.example.org", lasting(), testpki.Names("tak.example.org"),
		testpki.Usages(x509.ExtKeyUsageServerAuth))
	return p
}

// trust is a trust store as ftsca writes it.
func (p *pki) trust(certs ...*x509.Certificate) []byte {
	p.t.Helper()
	entries := make([]sslmate.TrustStoreEntry, len(certs))
	for i, c := range certs {
		entries[i] = sslmate.TrustStoreEntry{Cert: c, FriendlyName: c.Subject.CommonName}
	}
	return p.entries(sslmate.LegacyDES, entries...)
}

func (p *pki) entries(e *sslmate.Encoder, entries ...sslmate.TrustStoreEntry) []byte {
	p.t.Helper()
	data, err := e.WithIterations(1).EncodeTrustStoreEntries(entries, password)
	if err != nil {
		p.t.Fatal(err)
	}
	return data
}

// bundle is a key with its certificate, by any encoder.
func (p *pki) bundle(e *sslmate.Encoder, secret string, own tls.Certificate, chain ...*x509.Certificate) []byte {
	p.t.Helper()
	data, err := e.WithIterations(1).Encode(own.PrivateKey, own.Leaf, chain, secret)
	if err != nil {
		p.t.Fatal(err)
	}
	return data
}

func (p *pki) identity() []byte { return p.identityOf(p.client) }

func (p *pki) identityOf(own tls.Certificate) []byte {
	p.t.Helper()
	data, err := pkcs12.NewEncoder(pkcs12.TAK, 1).Identity(own.PrivateKey.(crypto.Signer), own.Leaf, nil, password)
	if err != nil {
		p.t.Fatal(err)
	}
	return data
}

// item is a file of a package.
type item struct {
	name string
	data []byte
}

func pack(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, i := range items {
		f, err := w.Create(i.name)
		if err == nil {
			_, err = f.Write(i.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// value is an entry of preferences.
type value struct{ key, class, text string }

func text(key, s string) value   { return value{key, "class java.lang.String", s} }
func truth(key, s string) value  { return value{key, "class java.lang.Boolean", s} }
func number(key, s string) value { return value{key, "class java.lang.Integer", s} }
func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
func pref(blocks ...block) []byte { return []byte(prefText(blocks...)) }

type block struct {
	name   string
	values []value
}

func prefText(blocks ...block) string {
	var b strings.Builder
	b.WriteString("<?xml version='1.0' encoding='ASCII' standalone='yes'?>\n<preferences>\n")
	for _, bl := range blocks {
		fmt.Fprintf(&b, "<preference version=\"1\" name=\"%s\">\n", escaped(bl.name))
		for _, v := range bl.values {
			fmt.Fprintf(&b, "<entry key=\"%s\" class=\"%s\">%s</entry>\n", escaped(v.key), escaped(v.class),
				escaped(v.text))
		}
		b.WriteString("</preference>\n")
	}
	b.WriteString("</preferences>\n")
	return strings.Replace(b.String(), "encoding='ASCII'", "encoding='UTF-8'", 1)
}

const (
	streams = "cot_streams"
	appName = "com.atakmap.app_preferences"
)

// stream is one connection, numbered 0.
func stream(enabled, connect string) []value {
	return []value{
		number("count", "1"), text("description0", "Valley Rescue"), truth("enabled0", enabled), text("connectString0",
			connect),
	}
}

// plainKeys are certificates for no connection in particular, as most tools write them.
func plainKeys(folder, ca, client string) []value {
	return []value{
		text("caLocation", folder+ca), text("caPassword", password), text("certificateLocation", folder+client),
		text("clientPassword", password),
	}
}

func manifestOf(entries ...string) []byte {
	var b strings.Builder
	b.WriteString("<MissionPackageManifest version=\"2\">\n<Configuration>\n<Parameter name=\"uid\" " +
		"value=\"6a1f\"/>\n" +
		"<Parameter name=\"name\" value=\"Valley\"/>\n</Configuration>\n<Contents>\n")
	for _, e := range entries {
		fmt.Fprintf(&b, "<Content ignore=\"false\" zipEntry=\"%s\"/>\n", escaped(e))
	}
	b.WriteString("</Contents>\n</MissionPackageManifest>\n")
	return []byte(b.String())
}

const connect = "tak.example.org:8089:ssl"

// hand is a package as the rules of ATAK ask for it, which tests then damage.
type hand struct {
	streams, app      []value
	trust, identity   []byte
	trustName, idName string
	prefName          string
	manifestName      string
	manifest          []byte // nil: made of the files
	pref              []byte // nil: made of the values
	more              []item
}

func (p *pki) byHand() *hand {
	return &hand{
		streams: append(stream("true", connect), text("caLocation0", "cert/ca-7f3a.p12"), text("caPassword0", password),
			text("certificateLocation0", "cert/alice-7f3a.p12"), text("clientPassword0", password)),
		app:       []value{truth("displayServerConnectionWidget", "true")},
		trust:     p.trust(p.issuing.Chain()...),
		identity:  p.identity(),
		trustName: "certs/ca-7f3a.p12", idName: "certs/alice-7f3a.p12", prefName: "certs/valley.pref",
		manifestName: "MANIFEST/manifest.xml",
	}
}

// set replaces the value of an entry, or its class; "" takes it away.
func (h *hand) set(key, to string) {
	var kept []value
	for _, v := range h.streams {
		if v.key == key {
			if to == "" {
				continue
			}
			v.text = to
		}
		kept = append(kept, v)
	}
	h.streams = kept
}

func (h *hand) items() []item {
	files := []item{{h.prefName, h.pref}, {h.trustName, h.trust}, {h.idName, h.identity}}
	if h.pref == nil {
		files[0].data = pref(block{streams, h.streams}, block{appName, h.app})
	}
	m := item{h.manifestName, h.manifest}
	if h.manifest == nil {
		m.data = manifestOf(h.prefName, h.trustName, h.idName)
	}
	files = append(files, h.more...)
	if m.name != "" {
		files = append(files, m)
	}
	return files
}

// Packages as other tools make them, from the descriptions of their sources.

// ftsMobile is FreeTAKServer's standard zip: flat, the manifest at the root and with other paths, the server's own key in
// place of a trust store, the connection off.
func (p *pki) ftsMobile() []byte {
	p.t.Helper()
	trust := p.bundle(sslmate.LegacyDES, password, p.server, p.issuing.Chain()...)
	return pack(p.t,
		item{"fts.pref", pref(block{streams, stream("false", connect)}, block{appName, plainKeys("/cert/",
			"192-0-2-1_2_1_77.p12", "alice.p12")})},
		item{"manifest.xml", manifestOf("cert/fts.pref", "cert/alice.p12", "cert/192-0-2-1_2_1_77.p12")},
		item{"alice.p12", p.bundle(sslmate.LegacyDES, password, p.client, p.issuing.Chain()...)},
		item{"192-0-2-1_2_1_77.p12", trust})
}

// nested is the layout of ATAK-Certs: a package in a package.
func (p *pki) nested(files []item) []byte {
	p.t.Helper()
	const outer, inner = "80b828699e074a239066d454a76284eb/", "5c2bfcae3d98c9f4d262172df99ebac5/"
	var names []string
	for i := range files {
		files[i].name = inner + files[i].name
		names = append(names, files[i].name)
	}
	files = append(files, item{"MANIFEST/manifest.xml", manifestOf(names...)})
	return pack(p.t, item{outer + "alice.zip", pack(p.t, files...)}, item{"MANIFEST/manifest.xml",
		manifestOf(outer + "alice.zip")})
}

const androidPath = "/storage/emulated/0/atak/cert/"

func (p *pki) ftsWinTAK() []byte {
	return p.nested([]item{
		{"fts.pref", pref(block{streams, stream("true", connect)}, block{appName, plainKeys(androidPath, "server.p12",
			"alice.p12")})},
		{"server.p12", p.bundle(sslmate.LegacyDES, password, p.server, p.issuing.Chain()...)},
		{"alice.p12", p.bundle(sslmate.LegacyDES, password, p.client, p.issuing.Chain()...)},
	})
}

// ots is OpenTAKServer's for ATAK and WinTAK: one CA, OpenSSL's -legacy.
func (p *pki) ots() []byte {
	return p.nested([]item{
		{"preference.pref", pref(block{streams, stream("true", connect)}, block{appName, plainKeys(androidPath,
			"truststore-root.p12", "alice.p12")})},
		{"truststore-root.p12", p.entries(sslmate.LegacyRC2, named(p.issuing.Chain())...)},
		{"alice.p12", p.bundle(sslmate.LegacyRC2, password, p.client)},
	})
}

func named(certs []*x509.Certificate) []sslmate.TrustStoreEntry {
	var entries []sslmate.TrustStoreEntry
	for _, c := range certs {
		entries = append(entries, sslmate.TrustStoreEntry{Cert: c, FriendlyName: c.Subject.CommonName})
	}
	return entries
}

func (p *pki) otsITAK() []byte {
	return pack(p.t,
		item{"config.pref", pref(block{streams, stream("true", connect)}, block{appName, plainKeys("cert/",
			"truststore-root.p12", "alice.p12")})},
		item{"alice.p12", p.bundle(sslmate.LegacyRC2, password, p.client)},
		item{"truststore-root.p12", p.entries(sslmate.LegacyRC2, named(p.issuing.Chain())...)})
}

// taky's trust store is the server's certificate with the CA.
func (p *pki) taky() []byte {
	return pack(p.t,
		item{"certs/preference.pref", pref(block{streams, stream("false", connect)}, block{appName,
			plainKeys(androidPath, "server-6f0e.p12", "alice-6f0e.p12")})},
		item{"certs/server-6f0e.p12", p.trust(append([]*x509.Certificate{p.server.Leaf}, p.issuing.Chain()...)...)},
		item{"certs/alice-6f0e.p12", p.bundle(sslmate.LegacyDES, password, p.client, p.issuing.Cert)},
		item{"MANIFEST/manifest.xml", manifestOf("certs/preference.pref", "certs/server-6f0e.p12",
			"certs/alice-6f0e.p12")})
}

func (p *pki) takyITAK() []byte {
	return pack(p.t,
		item{"preference.pref", pref(block{streams, stream("false", connect)}, block{appName, plainKeys("cert/",
			"server-6f0e.p12", "alice-6f0e.p12")})},
		item{"server-6f0e.p12", p.trust(append([]*x509.Certificate{p.server.Leaf}, p.issuing.Chain()...)...)},
		item{"alice-6f0e.p12", p.bundle(sslmate.LegacyDES, password, p.client, p.issuing.Cert)})
}

// goatakSoft has the manifest in upper case and a trust store without friendly names.
func (p *pki) goatakSoft() []byte {
	nameless := p.entries(sslmate.LegacyDES, sslmate.TrustStoreEntry{Cert: p.issuing.Cert}, sslmate.TrustStoreEntry{Cert: p.root.Cert})
	return pack(p.t,
		item{"certs/valley.pref", pref(block{streams, append(stream("true", connect), truth("useAuth0", "false"))},
			block{appName, plainKeys("cert/", "truststore.p12", "alice.p12")})},
		item{"certs/truststore.p12", nameless},
		item{"certs/alice.p12", p.bundle(sslmate.LegacyDES, password, p.client)},
		item{"MANIFEST/MANIFEST.xml", manifestOf("certs/valley.pref", "certs/truststore.p12", "certs/alice.p12")})
}

// goatakEnrollment has a trust store alone: the device fetches its certificate.
func (p *pki) goatakEnrollment() []byte {
	values := append(stream("true", connect), truth("useAuth0", "false"), text("caLocation0", "cert/ca.p12"),
		text("caPassword0", password),
		truth("enrollForCertificateWithTrust0", "true"))
	return pack(p.t,
		item{"certs/valley.pref", pref(block{streams, values})},
		item{"certs/ca.p12", p.trust(p.issuing.Chain()...)},
		item{"MANIFEST/manifest.xml", manifestOf("certs/valley.pref", "certs/ca.p12")})
}

// cloudRF is flat, with a manifest at the root that Windows wrote.
func (p *pki) cloudRF() []byte {
	return pack(p.t,
		item{"server.pref", pref(block{streams, stream("true", connect)}, block{appName, plainKeys("cert/",
			"truststore-root.p12", "alice.p12")})},
		item{"truststore-root.p12", p.entries(sslmate.LegacyRC2, named(p.issuing.Chain())...)},
		item{"alice.p12", p.bundle(sslmate.LegacyRC2, password, p.client)},
		item{"manifest.xml", manifestOf(`certs\server.pref`, `certs\truststore-root.p12`, `certs\alice.p12`)})
}
