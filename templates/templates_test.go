package templates_test

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/templates"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func connection() templates.Connection {
	return templates.Connection{
		Description: "Valley Rescue", Host: "fts.example.org", Port: 8089, Enabled: true,
		CAFile: "ca-0a1b2c3d.p12", CAPassword: "TRUST", ClientFile: "alice-01020304.p12", ClientPassword: "CLIENT",
	}
}

func list() templates.Manifest {
	return templates.Manifest{UID: "8c9f-1", Name: "fts.example.org_alice",
		Entries: []string{"certs/alice.pref", "certs/ca-0a1b2c3d.p12", "certs/alice-01020304.p12"}}
}

func TestPreferencesHaveTheFormThatATAKReads(t *testing.T) {
	got, err := templates.RenderATAKPreferences(templates.Preferences{Connections: []templates.Connection{connection()}})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "atak.pref", got)

	second := connection()
	second.CAFile, second.ClientFile = "ca-2.p12", "alice-2.p12"
	second.Host, second.Port, second.Enabled, second.Description = "10.0.0.5", 18089, false, `Söhne & <Töchter> "x" 'y'`
	got, err = templates.RenderATAKPreferences(templates.Preferences{Connections: []templates.Connection{connection(), second}})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "atak_two.pref", got)
}

func TestPreferencesOfTheOtherClientsHaveKeysWithoutAnIndex(t *testing.T) {
	p := templates.Preferences{Connections: []templates.Connection{connection()}}
	got, err := templates.RenderUnindexedPreferences(p)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "unindexed.pref", got)

	p.Connections[0].Enabled, p.Connections[0].ClientPassword = false, ""
	p.Entries = []templates.Entry{{"locationCallsign", templates.String, "<Söhne> & Töchter"}, {"largeTextMode", templates.Boolean, "true"}}
	if got, err = templates.RenderUnindexedPreferences(p); err != nil {
		t.Fatal(err)
	}
	golden(t, "unindexed_more.pref", got)
}

func TestAnEntryOfTheUnitReplacesThatOfTheForm(t *testing.T) {
	p := templates.Preferences{Connections: []templates.Connection{connection()},
		Entries: []templates.Entry{{"a", templates.Integer, "1"}, {"displayServerConnectionWidget", templates.Boolean, "false"}}}
	pref, err := templates.RenderATAKPreferences(p)
	if err != nil {
		t.Fatal(err)
	}
	if got := entries(t, pref); got["displayServerConnectionWidget"] != "false" || strings.Count(string(pref), "Widget") != 1 {
		t.Errorf("got\n%s", pref)
	}
}

func TestManifestHasTheFormThatATAKReads(t *testing.T) {
	got, err := templates.RenderManifest(list())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "manifest.xml", got)
}

// hostile are values that a person may have given, and that break XML which is put together by hand.
var hostile = map[string]string{
	"ampersand":     "Smith & Sons",
	"entity":        "&amp; &lt; &#65; &bogus;",
	"tags":          "</entry></preference><entry key=\"enabled0\">",
	"CDATA":         "a]]>b<![CDATA[c",
	"quotes":        `"double" 'single'`,
	"comment":       "<!-- -- -->",
	"newlines":      "one\ntwo\r\nthree\rfour\tfive",
	"emoji":         "Base 😀 camp 👩‍🚒",
	"right-to-left": "محمد \u202eevil\u202c עברית",
	"CJK":           "山田 太郎",
	"combining":     "e\u0301 \u200d \ufeff x",
	"long":          strings.Repeat("ä&", 100),
	"template":      "{{.CAPassword}} {{end}}",
	"printf":        "%s%n%!",
	"line ends":     "a\u2028b\u2029c",
	"private use":   "x\ue000y\U000f0000z",
}

func TestHostileTextIsReadBackAsItIs(t *testing.T) {
	for name, value := range hostile {
		t.Run(name, func(t *testing.T) {
			c := connection()
			c.Description, c.CAPassword, c.ClientPassword = value, value+"1", value+"2"
			pref, err := templates.RenderATAKPreferences(templates.Preferences{Connections: []templates.Connection{c}})
			if err != nil {
				t.Fatal(err)
			}
			got := entries(t, pref)
			for key, want := range map[string]string{"description0": c.Description, "caPassword0": c.CAPassword,
				"clientPassword0": c.ClientPassword, "enabled0": "true", "count": "1"} {
				if got[key] != want {
					t.Errorf("%s: got %q, want %q", key, got[key], want)
				}
			}
			if len(got) != 9 {
				t.Errorf("%d entries: %q", len(got), got)
			}
			m := list()
			m.Name = value
			manifest, err := templates.RenderManifest(m)
			if err != nil {
				t.Fatal(err)
			}
			if got := parameters(t, manifest); got["name"] != value || len(got) != 3 {
				t.Errorf("manifest: got %q", got)
			}
		})
	}
}

// A second parser, which is not of Go and reads in the manner of a DOM, as ATAK does.
func TestPythonReadsHostileTextBackAsItIs(t *testing.T) {
	python := testpki.Need(t, "python3")
	const script = `
import sys, xml.dom.minidom
d = xml.dom.minidom.parse(sys.argv[1])
for e in d.getElementsByTagName("entry"):
    if e.getAttribute("key") == "description0":
        assert len(e.childNodes) == 1
        sys.stdout.buffer.write(e.firstChild.data.encode("utf-8"))
for p in d.getElementsByTagName("Parameter"):
    if p.getAttribute("name") == "name":
        sys.stdout.buffer.write(p.getAttribute("value").encode("utf-8"))
`
	var all strings.Builder
	for _, value := range hostile {
		all.WriteString(value)
	}
	c, m := connection(), list()
	c.Description, m.Name = all.String(), all.String()
	pref, err := templates.RenderATAKPreferences(templates.Preferences{Connections: []templates.Connection{c}})
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := templates.RenderManifest(m)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"pref": pref, "manifest": manifest} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(python, "-c", script, file).Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if string(out) != all.String() {
			t.Errorf("%s: got %q, want %q", name, out, all.String())
		}
	}
}

func TestPreferencesRefuseWhatADeviceWouldNotReadBack(t *testing.T) {
	tests := []struct {
		name   string
		change func(*templates.Connection)
		want   string
	}{
		{"no description", func(c *templates.Connection) { c.Description = "" }, `description is empty`},
		{"nul", func(c *templates.Connection) { c.Description = "a\x00b" }, `description "a\x00b" has the character U+0000, which XML cannot hold`},
		{"C1", func(c *templates.Connection) { c.Description = "a\u0085b" }, `description "a\u0085b" has the character U+0085, which XML cannot hold`},
		{"no character", func(c *templates.Connection) { c.Description = "a\uffffb" }, `description "a\uffffb" has the character U+FFFF, which XML cannot hold`},
		{"not UTF-8", func(c *templates.Connection) { c.Description = "a\xff" }, `description "a\xff" is not UTF-8`},
		{"blank", func(c *templates.Connection) { c.Description = " a" }, `description " a" begins or ends with a blank, which a device may drop`},
		{"no host", func(c *templates.Connection) { c.Host = "" }, `host is empty`},
		{"IPv6", func(c *templates.Connection) { c.Host = "2001:db8::1" },
			`host "2001:db8::1": ATAK splits host:port:ssl at the colons into exactly three parts, so a host has none (no IPv6 address, no port)`},
		{"host with a blank", func(c *templates.Connection) { c.Host = "a b" }, `host "a b" is no DNS name and no IPv4 address`},
		{"port 0", func(c *templates.Connection) { c.Port = 0 }, `port 0 is not in 1 to 65535`},
		{"port 65536", func(c *templates.Connection) { c.Port = 65536 }, `port 65536 is not in 1 to 65535`},
		{"no trust store", func(c *templates.Connection) { c.CAFile = "" }, `the trust store's file name is empty`},
		{"path", func(c *templates.Connection) { c.CAFile = "../ca.p12" },
			`the trust store's file name "../ca.p12": at most 100 of A-Z a-z 0-9 . _ -, with no dot in front, keep their name on every device`},
		{"no identity", func(c *templates.Connection) { c.ClientFile = "" }, `the identity's file name is empty`},
		{"one file", func(c *templates.Connection) { c.ClientFile = "CA-0a1b2c3d.p12" }, `"ca-0a1b2c3d.p12" is used already, and ATAK deletes a file once it has imported it`},
		{"no trust password", func(c *templates.Connection) { c.CAPassword = "" }, `the trust store's password is empty`},
		{"no password", func(c *templates.Connection) { c.ClientPassword = "" }, `the identity's password is empty`},
		{"password with a bell", func(c *templates.Connection) { c.ClientPassword = "hidden\a" }, `the identity's password has a character that XML cannot hold`},
		{"password with a blank", func(c *templates.Connection) { c.CAPassword = "hidden " }, `the trust store's password begins or ends with a blank, which a device may drop`},
		{"password in Latin-1", func(c *templates.Connection) { c.CAPassword = "hidden\xe9" }, `the trust store's password is not UTF-8`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := connection()
			test.change(&c)
			_, err := templates.RenderATAKPreferences(templates.Preferences{Connections: []templates.Connection{c}})
			if err == nil || err.Error() != "connection 0: "+test.want {
				t.Errorf("got  %v\nwant connection 0: %s", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "hidden") {
				t.Error("the error tells the password")
			}
		})
	}
}

func TestConnectionsOfOnePackageMustAgree(t *testing.T) {
	other := connection()
	other.Port, other.ClientPassword = 8090, "hidden"
	shared := connection()
	shared.Port, shared.ClientFile = 8090, "alice-2.p12"
	tests := []struct {
		name        string
		connections []templates.Connection
		want        string
	}{
		{"none", nil, `preferences need at least one connection`},
		{"twice", []templates.Connection{connection(), connection()}, `connection 1: fts.example.org:8089 is in the list already`},
		{"one trust store", []templates.Connection{connection(), shared},
			`connection 1: "ca-0a1b2c3d.p12" is used already, and ATAK deletes a file once it has imported it`},
		{"other passwords", []templates.Connection{connection(), other},
			`connection 1: another connection to fts.example.org has other passwords, and ATAK keeps one for a host`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := templates.RenderATAKPreferences(templates.Preferences{Connections: test.connections})
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestManifestRefusesWhatADeviceWouldNotFind(t *testing.T) {
	const names = `: at most 100 of A-Z a-z 0-9 . _ -, with no dot in front, keep their name on every device`
	tests := []struct {
		name   string
		change func(*templates.Manifest)
		want   string
	}{
		{"no uid", func(m *templates.Manifest) { m.UID = "" }, `uid is empty`},
		{"uid as a path", func(m *templates.Manifest) { m.UID = "../x" }, `uid "../x"` + names},
		{"no name", func(m *templates.Manifest) { m.Name = "" }, `name is empty`},
		{"escape in the name", func(m *templates.Manifest) { m.Name = "a\x1b[2Jb" }, `name "a\x1b[2Jb" has the character U+001B, which XML cannot hold`},
		{"no file", func(m *templates.Manifest) { m.Entries = nil }, `a package needs at least one file`},
		{"climbing", func(m *templates.Manifest) { m.Entries = []string{"certs/../x"} }, `entry "certs/../x": a part of the path ".."` + names},
		{"absolute", func(m *templates.Manifest) { m.Entries = []string{"/etc/x"} }, `entry "/etc/x": a part of the path is empty`},
		{"backslash", func(m *templates.Manifest) { m.Entries = []string{`certs\x`} }, `entry "certs\\x": a part of the path "certs\\x"` + names},
		{"twice", func(m *templates.Manifest) { m.Entries = []string{"a/x", "A/X"} }, `entry "A/X" is there twice`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := list()
			test.change(&m)
			_, err := templates.RenderManifest(m)
			if err == nil || err.Error() != "manifest: "+test.want {
				t.Errorf("got  %v\nwant manifest: %s", err, test.want)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	for _, value := range hostile {
		f.Add(value)
	}
	f.Add("\x00")
	f.Add("\xed\xa0\x80")
	f.Fuzz(func(t *testing.T, value string) {
		c, m := connection(), list()
		c.Description, m.Name = value, value
		pref, prefErr := templates.RenderATAKPreferences(templates.Preferences{Connections: []templates.Connection{c}})
		manifest, manifestErr := templates.RenderManifest(m)
		if (prefErr == nil) != (manifestErr == nil) {
			t.Fatalf("the preferences say %v, the manifest %v", prefErr, manifestErr)
		}
		if prefErr != nil {
			return
		}
		if got := entries(t, pref); got["description0"] != value || len(got) != 9 {
			t.Errorf("preferences: got %q, want %q", got, value)
		}
		if got := parameters(t, manifest); got["name"] != value || len(got) != 3 {
			t.Errorf("manifest: got %q, want %q", got, value)
		}
	})
}

func entries(t *testing.T, pref []byte) map[string]string {
	t.Helper()
	var form struct {
		Entries []struct {
			Key   string `xml:"key,attr"`
			Value string `xml:",chardata"`
		} `xml:"preference>entry"`
	}
	if err := xml.Unmarshal(pref, &form); err != nil {
		t.Fatalf("%v:\n%s", err, pref)
	}
	got := map[string]string{}
	for _, e := range form.Entries {
		got[e.Key] = e.Value
	}
	return got
}

func parameters(t *testing.T, manifest []byte) map[string]string {
	t.Helper()
	var form struct {
		Parameters []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"Configuration>Parameter"`
	}
	if err := xml.Unmarshal(manifest, &form); err != nil {
		t.Fatalf("%v:\n%s", err, manifest)
	}
	got := map[string]string{}
	for _, p := range form.Parameters {
		got[p.Name] = p.Value
	}
	return got
}

func ExampleRenderManifest() {
	text, err := templates.RenderManifest(templates.Manifest{UID: "1", Name: "A & B", Entries: []string{"certs/a.p12"}})
	fmt.Printf("%s%v\n", text, err)
	// Output:
	// <MissionPackageManifest version="2">
	// <Configuration>
	// <Parameter name="uid" value="1"/>
	// <Parameter name="name" value="A &amp; B"/>
	// <Parameter name="onReceiveDelete" value="true"/>
	// </Configuration>
	// <Contents>
	// <Content ignore="false" zipEntry="certs/a.p12"/>
	// </Contents>
	// </MissionPackageManifest>
	// <nil>
}
