package testdevice_test

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/testdevice"
)

const unindexed = `<?xml version='1.0' encoding='UTF-8' standalone='yes'?>
<preferences><preference version="1" name="cot_streams">
<entry key="count" class="class java.lang.Integer">1</entry>
<entry key="description0" class="class java.lang.String">Example &amp; Söhne</entry>
<entry key="enabled0" class="class java.lang.Boolean">true</entry>
<entry key="connectString0" class="class java.lang.String">tak.example.org:8089:ssl</entry>
</preference><preference version="1" name="com.atakmap.app_preferences">
<entry key="caLocation" class="class java.lang.String">cert/ca-1.p12</entry>
<entry key="caPassword" class="class java.lang.String">trust</entry>
<entry key="certificateLocation" class="class java.lang.String">cert/alice-1.p12</entry>
<entry key="clientPassword" class="class java.lang.String">client</entry>
<entry key="locationCallsign" class="class java.lang.String">ALICE-1</entry>
</preference></preferences>`

// flat makes the package of iTAK and TAK Aware by hand.
func (w world) flat(t *testing.T) []entry {
	t.Helper()
	f := w.files(t)
	return []entry{{"config.pref", []byte(unindexed)}, {"ca-1.p12", f[2].data}, {"alice-1.p12", f[3].data}}
}

// nested makes the package of WinTAK by hand, out of the files of the package within.
func nested(t *testing.T, inner []entry, outerManifest string) []byte {
	t.Helper()
	return pack(t, []entry{{"a/alice.zip", pack(t, inner)}, {"MANIFEST/manifest.xml", []byte(outerManifest)}})
}

const outerManifest = `<MissionPackageManifest version="2"><Configuration><Parameter name="uid" value="u-2"/>` +
	`<Parameter name="name" value="Example"/></Configuration><Contents><Content ignore="false" zipEntry="a/alice.zip"/></Contents></MissionPackageManifest>`

func (w world) within(t *testing.T) []entry {
	t.Helper()
	f := w.files(t)
	f[1].data = []byte(unindexed)
	return f
}

// readers are those of the other clients; none of these users types a password.
func readers(t *testing.T) map[string]func(w world, change func([]entry) []entry) (*testdevice.Package, error) {
	return map[string]func(w world, change func([]entry) []entry) (*testdevice.Package, error){
		"WinTAK": func(w world, change func([]entry) []entry) (*testdevice.Package, error) {
			return testdevice.OpenWinTAK(nested(t, change(w.within(t)), outerManifest), "")
		},
		"iTAK": func(w world, change func([]entry) []entry) (*testdevice.Package, error) {
			return testdevice.OpenITAK(pack(t, change(w.flat(t))), "")
		},
		"TAK Aware": func(w world, change func([]entry) []entry) (*testdevice.Package, error) {
			return testdevice.OpenTAKAware(pack(t, change(w.flat(t))))
		},
	}
}

func TestTheOtherClientsReadTheirPackages(t *testing.T) {
	w := newWorld(t)
	for name, open := range readers(t) {
		p, err := open(w, func(e []entry) []entry { return e })
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Host != "tak.example.org" || p.Port != 8089 || p.Protocol != "ssl" || p.Description != "Example & Söhne" || !p.Identity.Leaf.Equal(w.client.Leaf) ||
			!slices.EqualFunc(p.Authorities, w.issuing.Chain(), (*x509.Certificate).Equal) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestPackagesThatTheOtherClientsWouldNotConnectWith(t *testing.T) {
	w := newWorld(t)
	replaced := func(old, new string) func([]entry) []entry {
		return func(files []entry) []entry {
			for i := range files {
				files[i].data = []byte(strings.ReplaceAll(string(files[i].data), old, new))
			}
			return files
		}
	}
	added := func(more ...entry) func([]entry) []entry {
		return func(files []entry) []entry { return append(files, more...) }
	}
	const pref = "the .pref file: "
	tests := []struct {
		client, name string
		change       func([]entry) []entry
		want         string
	}{
		{"WinTAK", "keys with an index", replaced(`"certificateLocation"`, `"certificateLocation0"`),
			"com.atakmap.app_preferences has no entry certificateLocation"},
		{"WinTAK", "both key styles", replaced(`<entry key="description0"`, `<entry key="caLocation0" class="class java.lang.String">cert/ca-1.p12</entry><entry key="description0"`),
			pref + "caLocation0 has an index, and the client knows it without"},
		{"WinTAK", "a file that is not listed", added(entry{"x.xml", nil}),
			`the package within holds ["MANIFEST/manifest.xml" "certs/server.pref" "certs/ca-1.p12" "certs/alice-1.p12" "x.xml"], of which its manifest does not list all`},
		{"WinTAK", "one uid", replaced(`"u-1"`, `"u-2"`), "both packages have one uid"},
		{"WinTAK", "no manifest within", replaced("MissionPackageManifest", "x"), "the package within: MANIFEST/manifest.xml has no MissionPackageManifest"},
		{"WinTAK", "two connections", replaced(`>1</entry>`, `>2</entry>`), pref + "it sets up 2 connections, and names one identity"},
		{"WinTAK", "no password", replaced(`"clientPassword"`, `"x"`), pref + "com.atakmap.app_preferences has no entry clientPassword"},
		{"iTAK", "a folder", added(entry{"certs/x.p12", nil}), `"certs/x.p12" is in a folder, where iTAK does not look`},
		{"iTAK", "a map", added(entry{"map.xml", nil}), `"map.xml" is nothing that iTAK is known to read`},
		{"iTAK", "a third certificate", added(entry{"x.p12", nil}), `1 .pref and 3 .p12 files, where iTAK needs one, the identity and the trust store`},
		{"iTAK", "the widget", replaced("locationCallsign", "displayServerConnectionWidget"), pref + "iTAK does not import one with displayServerConnectionWidget"},
		{"iTAK", "an absolute path", replaced("cert/ca", "/storage/emulated/0/atak/cert/ca"),
			pref + `caLocation is "/storage/emulated/0/atak/cert/ca-1.p12", and iTAK takes cert/ and the name`},
		{"iTAK", "another file", replaced("cert/ca", "cert/cb"), `caLocation: "cert/cb-1.p12" is not on the device`},
		{"iTAK", "wrong password", replaced(">client<", ">atakatak<"), "certificateLocation: pkcs12: decryption password incorrect"},
		{"TAK Aware", "no preferences", func(f []entry) []entry { return f[1:] }, "there is no .pref file"},
		{"TAK Aware", "an identity with an index", replaced(`"certificateLocation"`, `"certificateLocation0"`), `there is no identity ""`},
		{"TAK Aware", "a password with an index", replaced(`"clientPassword"`, `"clientPassword0"`), "the identity: pkcs12: decryption password incorrect"},
		{"TAK Aware", "files in folders of their own", func(f []entry) []entry { f[2].name = "other/" + f[2].name; return f }, `there is no identity "cert/alice-1.p12"`},
		{"TAK Aware", "no trust store", replaced(`"caLocation"`, `"x"`), "no server truststore certificate was found in the data package"},
		{"TAK Aware", "IPv6", replaced("tak.example.org:", "::1:"), pref + `the connection is to "::1:8089:ssl"`},
	}
	for _, tt := range tests {
		_, err := readers(t)[tt.client](w, tt.change)
		if err == nil || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("%s, %s:\ngot  %v\nwant %s", tt.client, tt.name, err, tt.want)
		}
	}
	if _, err := testdevice.OpenWinTAK(pack(t, w.within(t)), ""); err == nil || !strings.Contains(err.Error(), "not one package alone") {
		t.Errorf("not nested: %v", err)
	}
}

func TestATAKKeepsFilesByAddressAndPasswordsByHost(t *testing.T) {
	w := newWorld(t)
	two := func(more string) []entry {
		f := w.files(t)
		f[0].data = []byte(strings.ReplaceAll(manifest, `</Contents>`, `<Content ignore="false" zipEntry="certs/ca-2.p12"/><Content ignore="false" zipEntry="certs/alice-2.p12"/></Contents>`))
		second := strings.NewReplacer("0\" class", "1\" class", "-1.p12", "-2.p12", "8089", "8090").Replace(pref[strings.Index(pref, "<entry key=\"description0"):strings.Index(pref, "</preference>")])
		f[1].data = []byte(strings.Replace(strings.Replace(pref, `Integer">1<`, `Integer">2<`, 1), "</preference>", strings.Replace(second, ">client<", more, 1)+"</preference>", 1))
		return append(f, entry{"certs/ca-2.p12", f[2].data}, entry{"certs/alice-2.p12", f[3].data})
	}
	all, err := testdevice.OpenAll(pack(t, two(">client<")))
	if err != nil || len(all) != 2 || all[0].Port != 8089 || all[1].Port != 8090 || !all[1].Identity.Leaf.Equal(w.client.Leaf) {
		t.Fatalf("%d connections, %v", len(all), err)
	}
	if _, err := testdevice.OpenAll(pack(t, two(">other<"))); err == nil || err.Error() != "certificateLocation0: pkcs12: decryption password incorrect" {
		t.Errorf("another password for the same host: %v", err)
	}
	shared := two(">client<")
	shared[1].data = []byte(strings.ReplaceAll(string(shared[1].data), "alice-2", "alice-1"))
	if _, err := testdevice.OpenAll(pack(t, shared)); err == nil || !strings.HasPrefix(err.Error(), `certificateLocation1: "cert/alice-1.p12" is not on the device`) {
		t.Errorf("one file for two connections: %v", err)
	}
}

func TestATypedPasswordServesWhereThePreferencesHaveNone(t *testing.T) {
	w := newWorld(t)
	bare := func(files []entry) []entry {
		for i := range files {
			files[i].data = []byte(strings.ReplaceAll(string(files[i].data), `"clientPassword"`, `"x"`))
		}
		return files
	}
	for _, typed := range []struct{ password, want string }{{"client", ""}, {"guess", "certificateLocation: pkcs12: decryption password incorrect"}} {
		_, wintak := testdevice.OpenWinTAK(nested(t, bare(w.within(t)), outerManifest), typed.password)
		_, itak := testdevice.OpenITAK(pack(t, bare(w.flat(t))), typed.password)
		for _, err := range []error{wintak, itak} {
			if (err == nil) != (typed.want == "") || err != nil && err.Error() != typed.want {
				t.Errorf("%s: got %v", typed.password, err)
			}
		}
	}
}
