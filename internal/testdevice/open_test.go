package testdevice_test

import (
	"archive/zip"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	sslmate "software.sslmate.com/src/go-pkcs12"

	"github.com/ftsca/ftsca/internal/testdevice"
	"github.com/ftsca/ftsca/internal/testpki"
)

const (
	manifest = `<MissionPackageManifest version="2"><Configuration><Parameter name="uid" value="u-1"/>` +
		`<Parameter name="name" value="Example"/></Configuration><Contents>` +
		`<Content ignore="false" zipEntry="certs/server.pref"/><Content ignore="false" zipEntry="certs/ca-1.p12"/>` +
		`<Content ignore="false" zipEntry="certs/alice-1.p12"/></Contents></MissionPackageManifest>`
	pref = `<?xml version='1.0' encoding='UTF-8' standalone='yes'?>
<preferences><preference version="1" name="cot_streams">
<entry key="count" class="class java.lang.Integer">1</entry>
<entry key="description0" class="class java.lang.String">Example &amp; Söhne</entry>
<entry key="enabled0" class="class java.lang.Boolean">true</entry>
<entry key="connectString0" class="class java.lang.String">tak.example.org:8089:ssl</entry>
<entry key="caLocation0" class="class java.lang.String">cert/ca-1.p12</entry>
<entry key="caPassword0" class="class java.lang.String">trust</entry>
<entry key="certificateLocation0" class="class java.lang.String">cert/alice-1.p12</entry>
<entry key="clientPassword0" class="class java.lang.String">client</entry>
</preference><preference version="1" name="com.atakmap.app_preferences">
<entry key="locationCallsign" class="class java.lang.String">ALICE-1</entry>
</preference></preferences>`
)

// world has the certificates that the packages of these tests are made of.
type world struct {
	root, issuing *testpki.Authority
	client        tls.Certificate
}

func newWorld(t *testing.T) world {
	t.Helper()
	root := testpki.NewRoot(t, "Valley Root")
	issuing := root.Issuing(t, "Valley Issuing")
	return world{root, issuing, issuing.Client(t, "alice")}
}

type entry struct {
	name string
	data []byte
}

// files makes a package by hand, as any other tool could.
func (w world) files(t *testing.T) []entry {
	t.Helper()
	return []entry{
		{"MANIFEST/manifest.xml", []byte(manifest)},
		{"certs/server.pref", []byte(pref)},
		{"certs/ca-1.p12", store(t, "trust", w.issuing.Chain()...)},
		{"certs/alice-1.p12", w.identity(t, sslmate.LegacyDES)},
	}
}

func (w world) identity(t *testing.T, form *sslmate.Encoder) []byte {
	t.Helper()
	data, err := form.Encode(w.client.PrivateKey, w.client.Leaf, w.issuing.Chain(), "client")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func store(t *testing.T, password string, cas ...*x509.Certificate) []byte {
	t.Helper()
	data, err := sslmate.LegacyDES.EncodeTrustStore(cas, password)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func pack(t *testing.T, files []entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		entry, err := w.Create(f.name)
		if err == nil {
			_, err = entry.Write(f.data)
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

func TestAPackageIsReadAsATAKReadsIt(t *testing.T) {
	w := newWorld(t)
	files := w.files(t)
	// What the manifest does not list, the device does not see.
	files = append(files, entry{"certs/other.pref", []byte("not XML")}, entry{"certs/spare.p12", []byte("no p12")})
	p, err := testdevice.Open(pack(t, files))
	if err != nil {
		t.Fatal(err)
	}
	got := [...]any{p.Name, p.UID, p.Description, p.Host, p.Port, p.Protocol, p.Enabled, p.Callsign, len(p.Files)}
	want := [...]any{"Example", "u-1", "Example & Söhne", "tak.example.org", 8089, "ssl", true, "ALICE-1", 6}
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(p.Identity.Certificate) != 1 || !p.Identity.Leaf.Equal(w.client.Leaf) {
		t.Errorf("the identity has %d certificates", len(p.Identity.Certificate))
	}
	if !slices.EqualFunc(p.Authorities, w.issuing.Chain(), (*x509.Certificate).Equal) {
		t.Errorf("%d authorities", len(p.Authorities))
	}
}

func TestATrustStoreWithAKeyIsReadWithoutIt(t *testing.T) {
	w := newWorld(t)
	files := w.files(t)
	server := w.issuing.Server(t, "tak.example.org")
	data, err := sslmate.LegacyDES.Encode(server.PrivateKey, server.Leaf, w.issuing.Chain(), "trust")
	if err != nil {
		t.Fatal(err)
	}
	files[2].data = data
	p, err := testdevice.Open(pack(t, files))
	if err != nil || len(p.Authorities) != 2 {
		t.Errorf("got %v", err)
	}
}

func TestPackagesThatATAKWouldNotConnectWith(t *testing.T) {
	w := newWorld(t)
	stranger := testpki.NewRoot(t, "Stranger")
	noCerts, err := sslmate.LegacyDES.Encode(w.client.PrivateKey, w.client.Leaf, nil, "trust")
	if err != nil {
		t.Fatal(err)
	}
	otherKey, err := sslmate.LegacyDES.Encode(stranger.Key, w.client.Leaf, nil, "client")
	if err != nil {
		t.Fatal(err)
	}
	const (
		theManifest = iota
		thePref
		theTrust
		theIdentity
	)
	replaced := func(file int, old, new string) func([]entry) {
		return func(f []entry) {
			if strings.Count(string(f[file].data), old) == 0 {
				panic("nothing to replace: " + old)
			}
			f[file].data = []byte(strings.Replace(string(f[file].data), old, new, 1))
		}
	}
	with := func(file int, data []byte) func([]entry) { return func(f []entry) { f[file].data = data } }
	named := func(file int, name string) func([]entry) { return func(f []entry) { f[file].name = name } }
	tests := []struct {
		name   string
		change func([]entry)
		want   string
	}{
		{"manifest in capitals", named(theManifest, "MANIFEST/MANIFEST.xml"), `the manifest is "MANIFEST/MANIFEST.xml", and ATAK looks for MANIFEST/manifest.xml`},
		{"manifest at the root", named(theManifest, "manifest.xml"), `there is no MANIFEST/manifest.xml`},
		{"manifest of version 1", replaced(theManifest, `version="2"`, `version="1"`), `MANIFEST/manifest.xml is of version "1", and ATAK reads 2`},
		{"another manifest", with(theManifest, []byte("<x/>")), `MANIFEST/manifest.xml has no MissionPackageManifest`},
		{"broken manifest", replaced(theManifest, `</Contents>`, ``), `MANIFEST/manifest.xml: XML syntax error on line 1: element <Contents> closed by </MissionPackageManifest>`},
		{"no uid", replaced(theManifest, `"uid"`, `"id"`), `MANIFEST/manifest.xml needs the parameters uid and name`},
		{"backslashes", replaced(theManifest, `certs/ca`, `certs\ca`), `the manifest names "certs\\ca-1.p12", which is not in the zip`},
		{"other case", named(theTrust, "certs/CA-1.p12"), `the manifest names "certs/ca-1.p12", which is not in the zip`},
		{"ignored file", replaced(theManifest, `ignore="false" zipEntry="certs/ca`, `ignore="true" zipEntry="certs/ca`),
			`caLocation0: "cert/ca-1.p12" is not on the device, which has ["cert/alice-1.p12"]`},
		{"a file twice", named(theTrust, "certs/server.pref"), `the package: "certs/server.pref" is in it twice`},
		{"no preferences listed", replaced(theManifest, `zipEntry="certs/server.pref"`, `zipEntry="certs/ca-1.p12" x=""`), `two files of the package are called "ca-1.p12" on the device`},

		{"pref recognised too late", replaced(thePref, `<preferences>`, `<!--`+strings.Repeat("é", 8192)+`--><preferences>`),
			`the .pref file: its first 8192 characters have no "<preferences", so ATAK does not take it for one`},
		{"class before key", func(f []entry) {
			f[thePref].data = bytes.ReplaceAll(f[thePref].data, []byte("<entry key"), []byte("<entry  key"))
		},
			`the .pref file: its first 8192 characters have no "<entry key", so ATAK does not take it for one`},
		{"Java properties", with(thePref, []byte("connectString0=a:1:ssl")), `the .pref file: its first 8192 characters have no "<preferences", so ATAK does not take it for one`},
		{"broken pref", replaced(thePref, `</preference>`, ``), `the .pref file: the element preference does not belong where it is`},
		{"class without the word", replaced(thePref, `class="class java.lang.Boolean"`, `class="java.lang.Boolean"`),
			`the .pref file: the class of enabled0 is "java.lang.Boolean", which ATAK does not know`},
		{"text as a truth", replaced(thePref, `key="enabled0" class="class java.lang.Boolean"`, `key="enabled0" class="class java.lang.String"`),
			`the .pref file: the class of enabled0 is "class java.lang.String", not "class java.lang.Boolean"`},
		{"CDATA", replaced(thePref, `>trust<`, `><![CDATA[trust]]><`), `the .pref file: it has a CDATA section, which is no text node`},
		{"comment in a value", replaced(thePref, `>trust<`, `>tr<!-- -->ust<`), `the .pref file: caPassword0 holds something other than text`},
		{"entry twice", replaced(thePref, `"caPassword0"`, `"clientPassword0"`), `the .pref file: clientPassword0 is there twice`},
		{"no count", replaced(thePref, `"count"`, `"counts"`), `the .pref file: cot_streams has no entry count`},
		{"count 0", replaced(thePref, `>1<`, `>0<`), `the .pref file: the count of connections is "0"`},
		{"no description", replaced(thePref, `Example &amp; Söhne`, ``), `the .pref file: description0 has no text`},
		{"IPv6", replaced(thePref, `tak.example.org:`, `2001:db8::1:`), `the .pref file: connectString0 is "2001:db8::1:8089:ssl", which has 6 parts, not 3`},
		{"port", replaced(thePref, `:8089:`, `:ssl:`), `the .pref file: connectString0 is "tak.example.org:ssl:ssl", which has no port`},
		{"tcp", replaced(thePref, `:ssl<`, `:tcp<`), `the .pref file: the protocol of "tak.example.org:8089:tcp" is not ssl`},
		{"key without an index", replaced(thePref, `"certificateLocation0"`, `"certificateLocation"`), `cot_streams has no entry certificateLocation0`},
		{"both key styles", replaced(thePref, `<entry key="locationCallsign" class="class java.lang.String">ALICE-1`,
			`<entry key="caLocation" class="class java.lang.String">cert/ca-1.p12`),
			`caLocation0: "cert/ca-1.p12" is not on the device, which has ["cert/alice-1.p12"]`},
		{"absolute path", replaced(thePref, `cert/ca-1.p12`, `/storage/emulated/0/atak/cert/ca-1.p12`),
			`caLocation0: "/storage/emulated/0/atak/cert/ca-1.p12" is not on the device, which has ["cert/alice-1.p12" "cert/ca-1.p12"]`},
		{"certs for cert", replaced(thePref, `cert/ca-1.p12`, `certs/ca-1.p12`),
			`caLocation0: "certs/ca-1.p12" is not on the device, which has ["cert/alice-1.p12" "cert/ca-1.p12"]`},
		{"no trust password", replaced(thePref, `>trust<`, `><`), `the .pref file: caPassword0 has no text`},
		{"wrong trust password", replaced(thePref, `>trust<`, `>atakatak<`), `caLocation0: pkcs12: decryption password incorrect`},
		{"wrong password", replaced(thePref, `>client<`, `>atakatak<`), `certificateLocation0: pkcs12: decryption password incorrect`},
		{"files confused", func(f []entry) { f[theTrust].data, f[theIdentity].data = f[theIdentity].data, f[theTrust].data },
			`caLocation0: pkcs12: decryption password incorrect`},

		{"no CA in the trust store", with(theTrust, noCerts), `caLocation0: the trust store holds no certificate`},
		{"issuing CA alone", with(theTrust, store(t, "trust", w.issuing.Cert)),
			`caLocation0: the trust store does not lead from "CN=Valley Issuing" to a self-signed root`},
		{"gap", with(theTrust, store(t, "trust", stranger.Cert, w.issuing.Cert)),
			`caLocation0: the trust store does not lead from "CN=Valley Issuing" to a self-signed root`},
		{"RC2", with(theIdentity, w.identity(t, sslmate.LegacyRC2)), `certificateLocation0: the file uses RC2 with 40 bits, which ATAK does not read`},
		{"PBMAC1", with(theIdentity, w.identity(t, sslmate.Modern2026)), `certificateLocation0: the file uses PBMAC1, which ATAK does not read`},
		{"another's key", with(theIdentity, otherKey), `certificateLocation0: the key is not that of the certificate`},
		{"no p12", with(theIdentity, []byte{0x30}), `certificateLocation0: pkcs12: error reading P12 data: asn1: syntax error: truncated tag or length`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := w.files(t)
			test.change(files)
			_, err := testdevice.Open(pack(t, files))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
	if _, err := testdevice.Open([]byte("no zip")); err == nil || err.Error() != "the package: zip: not a valid zip file" {
		t.Errorf("got %v", err)
	}
	bomb := append(w.files(t), entry{"certs/zeros", make([]byte, 5<<20)})
	if _, err := testdevice.Open(pack(t, bomb)); err == nil || err.Error() != `the package: "certs/zeros": it is too large` {
		t.Errorf("got %v", err)
	}
}
