package datapackage_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"io/fs"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/internal/testdevice"
	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
	"github.com/ftsca/ftsca/templates"
)

func open(t *testing.T, data []byte) datapackage.Opened {
	t.Helper()
	o, err := datapackage.Open(data, secret.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func sameKey(a, b crypto.PrivateKey) bool {
	k, ok := a.(interface{ Equal(crypto.PrivateKey) bool })
	return ok && k.Equal(b)
}

func TestWhatWentIntoAPackageComesOut(t *testing.T) {
	root := testpki.NewRoot(t, "Valley Root")
	issuing := root.Issuing(t, "Valley Issuing")
	spare := testpki.NewRoot(t, "Next Root")
	for name, change := range map[string]func(*datapackage.Contents){
		"as usual": func(*datapackage.Contents) {},
		"modern":   func(c *datapackage.Contents) { c.Encoder = pkcs12.NewEncoder(pkcs12.Modern, 0) },
		"address, port and a name of any text": func(c *datapackage.Contents) {
			c.Connections, c.Name = []datapackage.Connection{{Host: "10.0.0.5", Port: 18089, Description: "山田 😀", Disabled: true}}, "Zoë & <Söhne>_10.0.0.5_"
		},
		"password of any text": func(c *datapackage.Contents) { c.Password = secret.FromString(`]]> &amp; "Zürich" 山田`) },
		"second root":          func(c *datapackage.Contents) { c.Authorities = append(c.Authorities, spare.Cert) },
		"a UID":                func(c *datapackage.Contents) { c.UID = "fixed-1" },
		"an RSA key": func(c *datapackage.Contents) {
			bob := issuing.Client(t, "bob", testpki.RSA(2048))
			c.Certificate, c.Key = bob.Leaf, bob.PrivateKey.(crypto.Signer)
		},
		"an expired certificate": func(c *datapackage.Contents) {
			c.Certificate = issuing.Client(t, "alice", testpki.Key(c.Key), testpki.Expired()).Leaf
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := contentsOf(issuing, issuing.Client(t, "alice"))
			change(&c)
			data := pack(t, c)
			o := open(t, data)
			if !reflect.DeepEqual(o.Connections, c.Connections) || o.Name != c.Connections[0].Host+"_"+c.Name || o.Password.Reveal() != c.Password.Reveal() {
				t.Errorf("got %q to %+v", o.Name, o.Connections)
			}
			if !sameKey(o.Key, c.Key) || !o.Certificate.Equal(c.Certificate) || !slices.EqualFunc(o.Authorities, c.Authorities, (*x509.Certificate).Equal) {
				t.Error("key, certificate or authorities are others")
			}
			device, err := testdevice.Open(data)
			if err != nil || device.UID != o.UID || o.UID == "" {
				t.Errorf("uid %q, and %q on the device, %v", o.UID, device.UID, err)
			}
			again := o.Contents()
			again.Encoder, again.Modified, again.UID = c.Encoder, c.Modified, c.UID
			if !reflect.DeepEqual(names(t, pack(t, again)), names(t, data)) || again.Name != c.Name || again.Connections[0].Description != c.Connections[0].Description {
				t.Errorf("packed again it holds %q of %q", names(t, pack(t, again)), again.Name)
			}
		})
	}
}

func names(t *testing.T, data []byte) (names []string) {
	t.Helper()
	r, _ := unzip(t, data)
	for _, f := range r.File {
		names = append(names, f.Name)
	}
	return names
}

func TestARenewedCertificateGoesIntoTheSamePackage(t *testing.T) {
	issuing := testpki.NewRoot(t, "Valley Root").Issuing(t, "Valley Issuing")
	old := contentsOf(issuing, issuing.Client(t, "alice"))
	c := open(t, pack(t, old)).Contents()
	c.Certificate = issuing.Client(t, "alice", testpki.Key(c.Key)).Leaf
	device, err := testdevice.Open(pack(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if !device.Identity.Leaf.Equal(c.Certificate) || !sameKey(device.Identity.PrivateKey, old.Key) || device.Host != old.Connections[0].Host {
		t.Error("the device has another identity")
	}
}

// entry is a file of a zip.
type entry struct {
	name string
	data []byte
}

// rezip packs files anew, deflated.
func rezip(t testing.TB, files ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		e, err := w.Create(f.name)
		if err == nil {
			_, err = e.Write(f.data)
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

// taken is a package taken to pieces: preferences, trust store, identity, manifest.
func taken(t *testing.T, c datapackage.Contents) [4]entry {
	t.Helper()
	r, files := unzip(t, pack(t, c))
	var e [4]entry
	for i, f := range r.File {
		e[i] = entry{f.Name, files[f.Name]}
	}
	return e
}

const (
	preferences = iota
	trust
	identity
	manifest
)

func replaced(e entry, old, new string) entry {
	return entry{e.name, []byte(strings.ReplaceAll(string(e.data), old, new))}
}

func TestPackagesOfOtherToolsAreOpened(t *testing.T) {
	c := contents(t)
	p := taken(t, c)
	base := func(e entry) string { return e.name[strings.LastIndex(e.name, "/")+1:] }
	flat := func(e entry) entry { return entry{base(e), e.data} }
	// The keys without an index, in the application's own block, as iTAK and FreeTAKServer have them.
	unindexed := entry{"fts.pref", []byte(`<preferences><preference version="1" name="cot_streams"><entry key="count" class="class java.lang.Integer">1</entry>` +
		`<entry key="description0" class="class java.lang.String">Valley Rescue</entry><entry key="enabled0" class="class java.lang.Boolean">false</entry>` +
		`<entry key="connectString0" class="class java.lang.String">FTS.example.org:8089:ssl</entry></preference>` +
		`<preference version="1" name="com.atakmap.app_preferences">` +
		`<entry key="caLocation" class="class java.lang.String">/storage/emulated/0/atak/cert/` + base(p[trust]) + `</entry>` +
		`<entry key="caPassword" class="class java.lang.String">river-stone-4417</entry>` +
		`<entry key="certificateLocation" class="class java.lang.String">cert/` + base(p[identity]) + `</entry>` +
		`<entry key="clientPassword" class="class java.lang.String">river-stone-4417</entry></preference></preferences>`)}
	for _, tt := range []struct {
		name  string
		files []entry
		named string
	}{
		{"packed by another zip", p[:], "fts.example.org_alice"},
		{"as iTAK's: flat, no manifest", []entry{unindexed, flat(p[trust]), flat(p[identity])}, ""},
		{"as FreeTAKServer's: flat, the manifest beside", []entry{unindexed, flat(p[trust]), flat(p[identity]), {"manifest.xml", p[manifest].data}}, "fts.example.org_alice"},
		{"as TAK Server's: the manifest in capitals", []entry{p[0], p[1], p[2], {"MANIFEST/MANIFEST.xml", p[manifest].data}}, "fts.example.org_alice"},
		{"beside folders and other files", []entry{{"certs/", nil}, p[0], p[1], p[2], p[3], {"maps/", nil}, {"maps/a map.xml", []byte("x")}}, "fts.example.org_alice"},
	} {
		o, err := datapackage.Open(rezip(t, tt.files...), secret.Secret{})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		first := o.Connections[0]
		if !sameKey(o.Key, c.Key) || first.Host != "fts.example.org" || first.Port != 8089 || len(o.Authorities) != 2 || o.Name != tt.named {
			t.Errorf("%s: %q to %+v", tt.name, o.Name, first)
		}
		if got := o.Contents().Name; got != "alice" {
			t.Errorf("%s: the client's name is %q", tt.name, got)
		}
	}
}

func TestTrustStoresInAnyOrderArePackedAgain(t *testing.T) {
	c := contents(t)
	p := taken(t, c)
	var err error
	if p[trust].data, err = c.Encoder.TrustStore([]*x509.Certificate{c.Authorities[1], c.Authorities[0]}, c.Password.Reveal()); err != nil {
		t.Fatal(err)
	}
	o := open(t, rezip(t, p[:]...))
	if !slices.EqualFunc(o.Authorities, c.Authorities, (*x509.Certificate).Equal) {
		t.Error("the issuer is not the first")
	}
	pack(t, o.Contents())
}

func TestPasswordsAreTheGivenOneOrThoseOfThePreferences(t *testing.T) {
	c := contents(t)
	p := taken(t, c)
	bare := slices.Clone(p[:])
	bare[preferences] = replaced(replaced(p[preferences], "clientPassword0", "x0"), "caPassword0", "y0")
	half := slices.Clone(p[:])
	half[preferences] = replaced(p[preferences], "caPassword0", "y0")
	wrong := slices.Clone(p[:])
	wrong[preferences] = replaced(p[preferences], "river-stone-4417", "hidden-1")
	given, other := secret.FromString("river-stone-4417"), secret.FromString("hidden-2")
	const none = ": its password does not stand in the package, and none was given"
	for _, tt := range []struct {
		name  string
		files []entry
		given secret.Secret
		want  string
		is    error
	}{
		{"in the package", p[:], secret.Secret{}, "", nil},
		{"given", p[:], given, "", nil},
		{"given, and none in the package", bare, given, "", nil},
		{"given, and wrong ones in the package", wrong, given, "", nil},
		{"another given", p[:], other, p[identity].name + ": wrong password", pkcs12.ErrPassword},
		{"wrong ones in the package", wrong, secret.Secret{}, p[identity].name + ": wrong password", pkcs12.ErrPassword},
		{"none at all", bare, secret.Secret{}, p[identity].name + none, datapackage.ErrNoPassword},
		{"none for the trust store", half, secret.Secret{}, p[trust].name + none, datapackage.ErrNoPassword},
	} {
		o, err := datapackage.Open(rezip(t, tt.files...), tt.given)
		if tt.want == "" {
			if err != nil || o.Password.Reveal() != "river-stone-4417" {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if err == nil || err.Error() != tt.want || !errors.Is(err, tt.is) {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestPackagesThatAreNoneAreRefused(t *testing.T) {
	issuing := testpki.NewRoot(t, "Valley Root").Issuing(t, "Valley Issuing")
	c := contentsOf(issuing, issuing.Client(t, "alice", testpki.Serial(big.NewInt(0x0123456789abcdef))))
	p := taken(t, c)
	with := func(i int, e entry) []byte {
		files := slices.Clone(p[:])
		files[i] = e
		return rezip(t, files...)
	}
	pref := func(old, new string) []byte { return with(preferences, replaced(p[preferences], old, new)) }
	name := func(i int) string { return p[i].name }
	short := strings.TrimPrefix(name(identity), "certs/")
	whole := rezip(t, p[:]...)
	bomb := bytes.Repeat([]byte("x"), 4<<20+1)
	var many []entry
	for i := range 65 {
		many = append(many, entry{strings.Repeat("a", i+1), nil})
	}
	for _, tt := range []struct {
		name, want string
		data       []byte
	}{
		{"nothing", `the package: it is no zip, or is cut short`, nil},
		{"text", `the package: it is no zip, or is cut short`, []byte("hello")},
		{"cut short", `the package: it is no zip, or is cut short`, whole[:len(whole)-1]},
		{"cut in half", `the package: it is no zip, or is cut short`, whole[:len(whole)/2]},
		{"too large", `the package: it has 8388609 bytes: a package has at most 8388608`, make([]byte, 8<<20+1)},
		{"too many files", `the package: it holds more than 64 files`, rezip(t, many...)},
		{"twice", `the package: "` + name(identity) + `" is in it twice`, rezip(t, p[0], p[1], p[2], p[2], p[3])},
		{"twice but for its case", `the package: "CERTS/` + short + `" is in it twice`, rezip(t, p[0], p[1], p[2], entry{"CERTS/" + short, nil}, p[3])},
		{"twice on the device", `the package: two files in it are "` + short + `", "` + name(identity) + `" and "other/` + short + `": a device would take either`,
			rezip(t, p[0], p[1], p[2], entry{"other/" + short, nil}, p[3])},
		{"climbing", `the package: "../x" in it is no path within a package`, rezip(t, entry{"../x", nil})},
		{"climbing within", `the package: "certs/../../x" in it is no path within a package`, rezip(t, entry{"certs/../../x", nil})},
		{"absolute", `the package: "/etc/x" in it is no path within a package`, rezip(t, entry{"/etc/x", nil})},
		{"backslashes", `the package: "certs\\x" in it is no path within a package`, rezip(t, entry{`certs\x`, nil})},
		{"a drive", `the package: "C:x" in it is no path within a package`, rezip(t, entry{"C:x", nil})},
		{"an escape", `the package: "\x1b[2Jx" in it is no path within a package`, rezip(t, entry{"\x1b[2Jx", nil})},
		{"a link", `the package: "link" in it is no regular file`, header(t, zip.FileHeader{Name: "link"}, fs.ModeSymlink|0o777)},
		{"another packing", `the package: "x" in it is packed by method 99, where only stored and deflated files are read`,
			header(t, zip.FileHeader{Name: "x", Method: 99}, 0o600)},
		{"encrypted by the zip", `the package: "x" in it is encrypted by the zip itself, which devices do not read: pack it without`,
			header(t, zip.FileHeader{Name: "x", Flags: 1}, 0o600)},
		{"a bomb", name(preferences) + `: it takes more than 4194304 bytes unpacked`, with(preferences, entry{name(preferences), bomb})},
		{"a bomb in the manifest's place", `MANIFEST/manifest.xml: it takes more than 4194304 bytes unpacked`, with(manifest, entry{name(manifest), bomb})},
		{"a bomb in a certificate's place", name(identity) + `: it takes more than 4194304 bytes unpacked`, with(identity, entry{name(identity), bomb})},
		{"flipped bits", name(preferences) + `: it is damaged`, bytes.Replace(pack(t, c), []byte("cot_streams"), []byte("cot_Streams"), 1)},
		{"a broken manifest", `MANIFEST/manifest.xml: it is damaged in line 1`, with(manifest, entry{name(manifest), []byte("<a>")})},
		{"no preferences", `the package: it has no .pref file, which would say where to connect`, rezip(t, p[1], p[2], p[3])},
		{"two preferences", `the package: two files in it are *.pref, "` + name(preferences) + `" and "b.PREF": a device would take either`,
			rezip(t, p[0], p[1], p[2], p[3], entry{"b.PREF", nil})},
		{"a package within that is none", `the package within, "x/alice.zip": it is no zip, or is cut short`, rezip(t, entry{"x/alice.zip", []byte("hello")})},
		{"a package within a package within", `the package: it has no .pref file, which would say where to connect`,
			rezip(t, entry{"y/alice.zip", rezip(t, entry{"x/alice.zip", whole})})},
		{"two packages within", `the package: two files in it are *.zip, "a.zip" and "b.zip": a device would take either`,
			rezip(t, entry{"a.zip", whole}, entry{"b.zip", whole})},
		{"a bomb within", `x/alice.zip: it takes more than 4194304 bytes unpacked`, rezip(t, entry{"x/alice.zip", bomb})},
		{"broken preferences", name(preferences) + `: it is damaged in line 1`, with(preferences, entry{name(preferences), []byte("<a>")})},
		{"a host that is none", name(preferences) + `: connection 0: host "my_server:8089": '_' does not stand in a host name`, pref("fts.example.org", "my_server")},
		{"no identity named", `the package: its preferences name no file for the client's certificate (certificateLocation)`, pref("certificateLocation0", "x0")},
		{"no trust store named", `the package: its preferences name no file for the trust store (caLocation)`, pref("caLocation0", "x0")},
		{"no identity", `the package: it has no file "` + short + `", which its preferences name for the client's certificate (certificateLocation)`,
			rezip(t, p[0], p[1], p[3])},
		{"the trust store in the identity's place", name(identity) + `: it holds no private key`, with(identity, entry{name(identity), p[trust].data})},
		{"the identity in the trust store's place", name(trust) + `: it holds a private key, and so is no trust store: whoever has it can pass for the key's owner`,
			with(trust, entry{name(trust), p[identity].data})},
		{"no PKCS #12", name(trust) + `: it is no PKCS #12 file, or is damaged`, with(trust, entry{name(trust), []byte("x")})},
	} {
		_, err := datapackage.Open(tt.data, secret.Secret{})
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

// header makes a zip of one file with a header as it likes.
func header(t *testing.T, h zip.FileHeader, mode fs.FileMode) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	h.SetMode(mode)
	if _, err := w.CreateRaw(&h); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A header may promise ten bytes, and four gigabytes: neither is believed.
func TestSizesInHeadersAreNotBelieved(t *testing.T) {
	p := taken(t, contents(t))
	large := rezip(t, entry{"x", bytes.Repeat([]byte("x"), 16<<20)})
	r, err := zip.NewReader(bytes.NewReader(large), int64(len(large)))
	if err != nil {
		t.Fatal(err)
	}
	at, err := r.File[0].DataOffset()
	if err != nil {
		t.Fatal(err)
	}
	deflated := large[at : at+int64(r.File[0].CompressedSize64)]
	const much = "it takes more than 4194304 bytes unpacked"
	for promise, want := range map[uint64]string{10: "it is damaged", 1 << 32: much, 1<<63 - 1: much} {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		raw, err := w.CreateRaw(&zip.FileHeader{Name: p[preferences].name, Method: zip.Deflate,
			CompressedSize64: uint64(len(deflated)), UncompressedSize64: promise})
		if err == nil {
			_, err = raw.Write(deflated)
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		_, err = datapackage.Open(b.Bytes(), secret.Secret{})
		if want := p[preferences].name + ": " + want; err == nil || err.Error() != want {
			t.Errorf("%d bytes promised:\ngot  %v\nwant %s", promise, err, want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	issuing := testpki.NewRoot(f, "Valley Root").Issuing(f, "Valley Issuing")
	c := contentsOf(issuing, issuing.Client(f, "alice"))
	c.Extras = extras()
	for _, family := range datapackage.Families() {
		data, err := datapackage.Make(family, forFamily(family, c))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(rezip(f, entry{"fts.pref", []byte("<preferences/>")}))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := datapackage.Open(data, secret.Secret{})
		if err != nil {
			if len(err.Error()) > 2000 || strings.Contains(err.Error(), "river-stone") {
				t.Errorf("an error of %d bytes: %.200s", len(err.Error()), err)
			}
			return
		}
		if len(o.Connections) == 0 || o.Password.IsZero() || len(o.Authorities) == 0 {
			t.Fatalf("opened without what a package has: %+v", o.Connections)
		}
		if public, ok := o.Key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(o.Certificate.PublicKey) {
			t.Error("the key is not the certificate's")
		}
		// What can be packed again is opened again, and is the same.
		contents := o.Contents()
		contents.Encoder = pkcs12.NewEncoder(pkcs12.TAK, 1)
		packed, err := datapackage.Make(o.Family, contents)
		if err != nil {
			return
		}
		again, err := datapackage.Open(packed, secret.Secret{})
		for i := range o.Connections {
			if c := &o.Connections[i]; c.Description == "" {
				c.Description = c.Host
			}
		}
		o.Extras.Preferences = slices.DeleteFunc(o.Extras.Preferences, func(e templates.Entry) bool {
			return e.Key == "displayServerConnectionWidget" && o.Family != datapackage.ATAK
		})
		if err != nil || again.Family != o.Family || !sameKey(again.Key, o.Key) || !reflect.DeepEqual(again.Connections, o.Connections) ||
			len(again.Extras.Preferences) != len(o.Extras.Preferences) || !reflect.DeepEqual(again.Extras.Files, o.Extras.Files) || len(again.Left) > 0 {
			t.Errorf("packed again: %v, %+v, %+v", err, again, o)
		}
	})
}
