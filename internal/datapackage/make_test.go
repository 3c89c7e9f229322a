package datapackage_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	sslmate "software.sslmate.com/src/go-pkcs12"

	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/internal/testdevice"
	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

var update = flag.Bool("update", false, "write the golden files anew")

var packed = time.Date(2026, time.March, 29, 1, 30, 4, 0, time.UTC)

// contents are alice's, of an issuing CA under a root.
func contents(t *testing.T) datapackage.Contents {
	t.Helper()
	issuing := testpki.NewRoot(t, "Valley Root").Issuing(t, "Valley Issuing")
	return contentsOf(issuing, issuing.Client(t, "alice", testpki.Serial(big.NewInt(0x0123456789abcdef))))
}

func contentsOf(issuer *testpki.Authority, client tls.Certificate) datapackage.Contents {
	return datapackage.Contents{
		Name:        client.Leaf.Subject.CommonName,
		Connections: []datapackage.Connection{{Host: "fts.example.org", Port: 8089, Description: "Valley Rescue"}},
		Key:         client.PrivateKey.(crypto.Signer), Certificate: client.Leaf, Authorities: issuer.Chain(),
		Password: secret.FromString("river-stone-4417"), Encoder: pkcs12.NewEncoder(pkcs12.TAK, 1), Modified: packed,
	}
}

func pack(t *testing.T, c datapackage.Contents) []byte {
	t.Helper()
	return packFor(t, datapackage.ATAK, c)
}

func packFor(t *testing.T, f datapackage.Family, c datapackage.Contents) []byte {
	t.Helper()
	data, err := datapackage.Make(f, c)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func unzip(t *testing.T, data []byte) (*zip.Reader, map[string][]byte) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range r.File {
		if files[f.Name], err = readAll(f); err != nil {
			t.Fatal(err)
		}
	}
	return r, files
}

func readAll(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestADeviceOpensThePackage(t *testing.T) {
	root := testpki.NewRoot(t, "Valley Root")
	issuing := root.Issuing(t, "Valley Issuing")
	rsa := issuing.Client(t, "bob", testpki.RSA(2048))
	spare := testpki.NewRoot(t, "Next Root")
	tests := []struct {
		name   string
		base   datapackage.Contents
		change func(*datapackage.Contents)
	}{
		{"two tiers", contentsOf(issuing, issuing.Client(t, "alice")), func(*datapackage.Contents) {}},
		{"one tier", contentsOf(root, root.Client(t, "alice")), func(*datapackage.Contents) {}},
		{"RSA, 2048 rounds", contentsOf(issuing, rsa), func(c *datapackage.Contents) { c.Encoder = pkcs12.Encoder{} }},
		{"modern", contentsOf(issuing, issuing.Client(t, "carol")), func(c *datapackage.Contents) {
			c.Encoder = pkcs12.NewEncoder(pkcs12.Modern, 0)
		}},
		{"second root", contentsOf(issuing, issuing.Client(t, "dave")), func(c *datapackage.Contents) {
			c.Authorities = append(c.Authorities, spare.Cert)
		}},
		{"address and port", contentsOf(issuing, issuing.Client(t, "erin")), func(c *datapackage.Contents) {
			c.Connections = []datapackage.Connection{{Host: "10.0.0.5", Port: 18089, Description: "x"}}
		}},
		{"password of any text", contentsOf(issuing, issuing.Client(t, "frank")), func(c *datapackage.Contents) {
			c.Password = secret.FromString(`]]> &amp; "Zürich" 山田`)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := test.base
			test.change(&c)
			p, err := testdevice.Open(pack(t, c))
			if err != nil {
				t.Fatal(err)
			}
			to := c.Connections[0]
			if p.Host != to.Host || p.Port != to.Port || p.Protocol != "ssl" || !p.Enabled || p.Description != to.Description {
				t.Errorf("the device connects to %s:%d:%s, enabled %t, %q", p.Host, p.Port, p.Protocol, p.Enabled, p.Description)
			}
			if !p.Identity.Leaf.Equal(c.Certificate) || !p.Identity.PrivateKey.(interface{ Equal(crypto.PrivateKey) bool }).Equal(c.Key) {
				t.Error("the identity is another")
			}
			if !slices.EqualFunc(p.Authorities, c.Authorities, (*x509.Certificate).Equal) {
				t.Errorf("the device trusts %d authorities, want %d", len(p.Authorities), len(c.Authorities))
			}
			if p.Name != c.Connections[0].Host+"_"+c.Name || p.UID == "" {
				t.Errorf("name %q, uid %q", p.Name, p.UID)
			}
		})
	}
}

func TestDefaultsAreFilledIn(t *testing.T) {
	c := contents(t)
	c.Connections = []datapackage.Connection{{Host: "fts.example.org"}}
	c.Modified, c.Encoder = time.Time{}, pkcs12.Encoder{}
	data := pack(t, c)
	p, err := testdevice.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	if p.Port != 8089 || p.Description != "fts.example.org" {
		t.Errorf("port %d, description %q", p.Port, p.Description)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(p.UID) {
		t.Errorf("uid %q", p.UID)
	}
	r, _ := unzip(t, data)
	if got := r.File[0].Modified; !got.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the files are of %s", got)
	}
	c.UID = "fixed-1"
	if p, err = testdevice.Open(pack(t, c)); err != nil || p.UID != "fixed-1" {
		t.Errorf("uid %q, %v", p.UID, err)
	}
}

// What varies from run to run, since it hangs on the certificates, is written as a word of its kind.
func TestTextsOfThePackages(t *testing.T) {
	full := contents(t)
	full.Connections = append(full.Connections, datapackage.Connection{Host: "10.0.0.5", Port: 18089, Description: `Söhne & <Töchter>`, Disabled: true})
	full.Extras = extras()
	for _, tt := range []struct {
		golden string
		family datapackage.Family
		c      datapackage.Contents
	}{
		{"atak.txt", datapackage.ATAK, contents(t)},
		{"atak_full.txt", datapackage.ATAK, full},
		{"wintak.txt", datapackage.WinTAK, contents(t)},
		{"wintak_full.txt", datapackage.WinTAK, alone(full)},
		{"itak.txt", datapackage.ITAK, contents(t)},
		{"takaware.txt", datapackage.TAKAware, contents(t)},
	} {
		t.Run(tt.golden, func(t *testing.T) {
			var got strings.Builder
			writeTexts(t, &got, "", packFor(t, tt.family, tt.c))
			golden := filepath.Join("testdata", tt.golden)
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got.String(), want)
			}
		})
	}
}

var varying = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|-[0-9a-f]{8}`)

func writeTexts(t *testing.T, to *strings.Builder, within string, data []byte) {
	t.Helper()
	tags := map[string]string{}
	name := func(s string) string {
		return varying.ReplaceAllStringFunc(s, func(m string) string {
			switch {
			case m[0] != '-':
				return "UID"
			case m == "-01234567":
				return m
			case tags[m] == "" && len(tags) == 0:
				tags[m] = "-TAG"
			case tags[m] == "":
				tags[m] = "-TAG" + strconv.Itoa(len(tags))
			}
			return tags[m]
		})
	}
	r, files := unzip(t, data)
	for _, f := range r.File {
		to.WriteString("== " + within + name(f.Name) + "\n")
		switch path.Ext(f.Name) {
		case ".p12":
		case ".zip":
			writeTexts(t, to, within+name(f.Name)+"/", files[f.Name])
		default:
			to.WriteString(name(string(files[f.Name])))
		}
	}
}

func TestNoFileHoldsAServersOrAnAuthoritysKey(t *testing.T) {
	root := testpki.NewRoot(t, "Valley Root")
	issuing := root.Issuing(t, "Valley Issuing")
	server := issuing.Server(t, "fts.example.org")
	c := contentsOf(issuing, issuing.Client(t, "alice"))
	_, files := unzip(t, pack(t, c))
	foreign := map[string]crypto.PrivateKey{"root": root.Key, "issuing": issuing.Key, "server": server.PrivateKey}
	identities := 0
	for name, data := range files {
		plain := data
		if strings.HasSuffix(name, ".p12") {
			if key, leaf, _, err := sslmate.DecodeChain(data, c.Password.Reveal()); err == nil {
				identities++
				if !leaf.Equal(c.Certificate) || !c.Key.(interface{ Equal(crypto.PrivateKey) bool }).Equal(key) {
					t.Errorf("%s holds the key of %s", name, leaf.Subject)
				}
			} else if _, err := sslmate.DecodeTrustStore(data, c.Password.Reveal()); err != nil {
				t.Errorf("%s is neither the identity nor a store of certificates alone: %v", name, err)
			}
		}
		for whose, key := range foreign {
			der, err := x509.MarshalPKCS8PrivateKey(key)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(plain, der) || bytes.Contains(plain, []byte("PRIVATE KEY")) {
				t.Errorf("%s holds the %s's key in clear", name, whose)
			}
		}
	}
	if identities != 1 || len(files) != 4 {
		t.Errorf("%d identities in %d files", identities, len(files))
	}
}

func TestPackagesOfWhatIsNoClientAreRefused(t *testing.T) {
	root := testpki.NewRoot(t, "Valley Root")
	issuing := root.Issuing(t, "Valley Issuing")
	alice := issuing.Client(t, "alice")
	caKey := issuing.Client(t, "alice", testpki.Key(issuing.Key))
	usages := func(u ...x509.ExtKeyUsage) tls.Certificate { return issuing.Leaf(t, "alice", testpki.Usages(u...)) }
	with := func(client tls.Certificate) func(*datapackage.Contents) {
		return func(c *datapackage.Contents) {
			c.Certificate, c.Key = client.Leaf, client.PrivateKey.(crypto.Signer)
		}
	}
	server := issuing.Server(t, "fts.example.org")
	sister := root.Issuing(t, "Sister")
	tests := []struct {
		name   string
		change func(*datapackage.Contents)
		want   string
	}{
		{"a CA", func(c *datapackage.Contents) { c.Certificate, c.Key = issuing.Cert, issuing.Key },
			`"Valley Issuing" is the certificate of a CA: its key goes into no package`},
		{"certSign without being a CA", with(issuing.Client(t, "odd", testpki.KeyUsage(x509.KeyUsageCertSign))),
			`"odd" is the certificate of a CA: its key goes into no package`},
		{"a client with a CA's key", with(caKey),
			`the key of "alice" is also that of the CA "Valley Issuing": it goes into no package`},
		{"a server", with(server), `"fts.example.org" may serve as a server's certificate: its key goes into no package`},
		{"a server that is also a client", with(usages(x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth)),
			`"alice" may serve as a server's certificate: its key goes into no package`},
		{"any usage", with(usages(x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageAny)),
			`"alice" may serve as a server's certificate: its key goes into no package`},
		{"no usage", with(usages()), `"alice" is not made for client authentication (extended key usage clientAuth)`},
		{"mail", with(usages(x509.ExtKeyUsageEmailProtection)),
			`"alice" is not made for client authentication (extended key usage clientAuth)`},
		{"another's key", func(c *datapackage.Contents) { c.Key = server.PrivateKey.(crypto.Signer) },
			`identity of "alice": the key is not that of the certificate`},
		{"no certificate", func(c *datapackage.Contents) { c.Certificate = nil }, `a package needs the client's certificate`},
		{"no key", func(c *datapackage.Contents) { c.Key = nil }, `identity of "alice": the key is missing`},
		{"no authority", func(c *datapackage.Contents) { c.Authorities = nil },
			`a package needs the authorities that its device shall trust`},
		{"no root", func(c *datapackage.Contents) { c.Authorities = c.Authorities[:1] },
			`the trust store does not reach a root: it lacks a way from "Valley Issuing" to a self-signed certificate ` +
				`(issuer "CN=Valley Root"), and ATAK takes no CA from the server itself`},
		{"no issuing CA", func(c *datapackage.Contents) { c.Authorities = c.Authorities[1:] },
			`identity of "alice": "Valley Root" does not follow "alice", whose issuer is "CN=Valley Issuing"`},
		{"another's authorities", func(c *datapackage.Contents) { c.Authorities = sister.Chain() },
			`identity of "alice": "Sister" does not follow "alice", whose issuer is "CN=Valley Issuing"`},
		{"a missing authority", func(c *datapackage.Contents) { c.Authorities = []*x509.Certificate{nil} },
			`an authority's certificate is missing`},
		{"no name", func(c *datapackage.Contents) { c.Name = "" }, `a package needs the client's name`},
		{"name with an escape", func(c *datapackage.Contents) { c.Name = "al\x1bice" },
			`manifest: name "fts.example.org_al\x1bice" has the character U+001B, which XML cannot hold`},
		{"no password", func(c *datapackage.Contents) { c.Password = secret.Secret{} },
			`a package needs a password: ATAK connects with no file of an empty one`},
		{"password with an emoji", func(c *datapackage.Contents) { c.Password = secret.FromString("hidden😀") },
			`identity of "alice": the password has a character at place 7 that the PKCS #12 format cannot hold (such as an emoji)`},
		{"password that ends in a blank", func(c *datapackage.Contents) { c.Password = secret.FromString("hidden ") },
			`preferences: connection 0: the trust store's password begins or ends with a blank, which a device may drop`},
		{"IPv6", func(c *datapackage.Contents) { c.Connections[0].Host = "2001:db8::1" },
			`host "2001:db8::1": an IPv6 address cannot be given to devices, since ATAK splits host:port:ssl at the colons into exactly ` +
				`three parts; give a DNS name that stands for it`},
		{"host with its port", func(c *datapackage.Contents) { c.Connections[0].Host = "FTS.example.org:8089" },
			`host "FTS.example.org:8089" has to be written "fts.example.org", without a port`},
		{"port", func(c *datapackage.Contents) { c.Connections[0].Port = -1 }, `preferences: connection 0: port -1 is not in 1 to 65535`},
		{"uid", func(c *datapackage.Contents) { c.UID = "../../x" },
			`manifest: uid "../../x": at most 100 of A-Z a-z 0-9 . _ -, with no dot in front, keep their name on every device`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := contentsOf(issuing, alice)
			test.change(&c)
			_, err := datapackage.Make(datapackage.ATAK, c)
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "hidden") {
				t.Error("the error tells the password")
			}
		})
	}
}

var hostileNames = []string{"Smith & Sons", "<b>bold</b>", `"double" 'single'`, "two\nlines", "tab\there", "emoji 😀👩‍🚒", "محمد", "\u202etxt.exe",
	"山田 太郎", strings.Repeat("ä&<", 67), "../../etc/passwd", `..\..\boot.ini`, "nul.txt", "-rf", ".hidden", "a;b|c`d$(e)", "e\u0301", "{{.Password}}",
	"]]>", "ca", "MANIFEST"}

func TestHostileNamesAreReadBackAsTheyAre(t *testing.T) {
	base := contents(t)
	for _, name := range hostileNames {
		t.Run(name, func(t *testing.T) {
			c := base
			c.Name, c.Connections = name, []datapackage.Connection{{Host: "fts.example.org", Description: name}}
			data := pack(t, c)
			p, err := testdevice.Open(data)
			if err != nil {
				t.Fatal(err)
			}
			if p.Description != name || p.Name != c.Connections[0].Host+"_"+name {
				t.Errorf("got %q and %q", p.Description, p.Name)
			}
			for _, file := range p.Files {
				if !regexp.MustCompile(`^(certs/[A-Za-z0-9][A-Za-z0-9._-]{0,70}\.(pref|p12)|MANIFEST/manifest\.xml)$`).MatchString(file) {
					t.Errorf("a file is called %q", file)
				}
			}
		})
	}
}

func TestSameContentsMakeTheSameZipButForTheSalts(t *testing.T) {
	c := contents(t)
	one, two := pack(t, c), pack(t, c)
	if len(one) != len(two) {
		t.Fatalf("%d and %d bytes", len(one), len(two))
	}
	r1, files1 := unzip(t, one)
	r2, files2 := unzip(t, two)
	for i, a := range r1.File {
		b := r2.File[i]
		salted := strings.HasSuffix(a.Name, ".p12")
		if salted == bytes.Equal(files1[a.Name], files2[b.Name]) {
			t.Errorf("%s: salted %t, equal %t", a.Name, salted, !salted)
		}
		// Where both are blanked out, the two zips must be one.
		for _, z := range []struct {
			data []byte
			file *zip.File
		}{{one, a}, {two, b}} {
			if salted {
				blank(t, z.data, z.file)
			}
		}
	}
	if !bytes.Equal(one, two) {
		t.Error("the zips differ in more than the .p12 files")
	}
}

// blank wipes a file's content in the zip, and its checksum wherever that stands.
func blank(t *testing.T, data []byte, f *zip.File) {
	t.Helper()
	at, err := f.DataOffset()
	if err != nil {
		t.Fatal(err)
	}
	clear(data[at : at+int64(f.CompressedSize64)])
	sum := []byte{byte(f.CRC32), byte(f.CRC32 >> 8), byte(f.CRC32 >> 16), byte(f.CRC32 >> 24)}
	for {
		i := bytes.Index(data, sum)
		if i < 0 {
			return
		}
		clear(data[i : i+4])
	}
}

func TestEveryFileIsItsOwnersAloneAndDated(t *testing.T) {
	r, _ := unzip(t, pack(t, contents(t)))
	for _, f := range r.File {
		if f.Mode() != 0o600 || !f.Modified.Equal(packed) || f.Method != zip.Store {
			t.Errorf("%s: mode %v, of %s, method %d", f.Name, f.Mode(), f.Modified, f.Method)
		}
		// Java's ZipInputStream refuses a stored file with a data descriptor.
		if f.Flags != 0 || f.UncompressedSize64 == 0 {
			t.Errorf("%s: flags %#x, size %d", f.Name, f.Flags, f.UncompressedSize64)
		}
	}
}

func TestFileNamesDifferByServerUserAndGeneration(t *testing.T) {
	issuing := testpki.NewRoot(t, "Valley CA")
	sister := testpki.NewRoot(t, "Valley CA")
	alice := contentsOf(issuing, issuing.Client(t, "alice"))
	host, port, renewed, bob, elsewhere := alice, alice, contentsOf(issuing, issuing.Client(t, "alice")),
		contentsOf(issuing, issuing.Client(t, "bob")), contentsOf(sister, sister.Client(t, "alice"))
	host.Connections, port.Connections = []datapackage.Connection{{Host: "fts2.example.org"}}, []datapackage.Connection{{Host: "fts.example.org", Port: 8090}}
	seen := map[string]string{}
	for name, c := range map[string]datapackage.Contents{"alice": alice, "host": host, "port": port, "renewed": renewed, "bob": bob, "sister": elsewhere} {
		p, err := testdevice.Open(pack(t, c))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range append(p.Files[:3:3], p.UID) {
			if other, ok := seen[strings.ToLower(file)]; ok {
				t.Errorf("%s and %s both have %s", other, name, file)
			}
			seen[strings.ToLower(file)] = name
		}
	}
}

func TestPythonReadsTheZip(t *testing.T) {
	python := testpki.Need(t, "python3")
	file := filepath.Join(t.TempDir(), "alice.zip")
	if err := os.WriteFile(file, pack(t, contents(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
for i in z.infolist():
    print(i.filename.split("/")[0], i.filename.rsplit(".", 1)[1], i.date_time, oct(i.external_attr >> 16), i.flag_bits)
`
	out, err := exec.Command(python, "-c", script, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const when = "(2026, 3, 29, 1, 30, 4) 0o100600 0\n"
	if want := "certs pref " + when + "certs p12 " + when + "certs p12 " + when + "MANIFEST xml " + when; string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}
