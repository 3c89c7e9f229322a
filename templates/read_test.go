package templates_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/templates"
)

func TestWhatIsRenderedIsReadBack(t *testing.T) {
	second := connection()
	second.Host, second.Port, second.Enabled, second.CAFile, second.ClientFile = "10.0.0.5", 18089, false, "ca-2.p12", "alice-2.p12"
	for name, value := range hostile {
		p, m := templates.Preferences{Connections: []templates.Connection{connection(), second}}, list()
		p.Connections[0].Description, m.Name = value, value
		p.Connections[0].CAPassword, p.Connections[0].ClientPassword = value+"1", value+"2"
		p.Entries = []templates.Entry{{Key: "locationCallsign", Kind: templates.String, Value: value},
			{Key: "n & <b> \"x\" 'y' 😀", Kind: templates.Integer, Value: "-7"}}
		pref, err := templates.RenderATAKPreferences(p)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := templates.ReadATAKPreferences(pref); err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		p.Connections, p.Unindexed = p.Connections[:1], true
		if pref, err = templates.RenderUnindexedPreferences(p); err != nil {
			t.Fatal(err)
		}
		if got, err := templates.ReadATAKPreferences(pref); err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%s, keys without an index: got %+v, %v", name, got, err)
		}
		manifest, err := templates.RenderManifest(m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := templates.ReadManifest(manifest); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func entry(key, value string) string {
	return fmt.Sprintf("<entry key=%q class=\"class java.lang.String\">%s</entry>", key, value)
}

func block(name string, entries ...string) string {
	return fmt.Sprintf("<preference version=\"1\" name=%q>%s</preference>", name, strings.Join(entries, "\n"))
}

func preferences(blocks ...string) string {
	return "<preferences>" + strings.Join(blocks, "") + "</preferences>"
}

func TestPreferencesOfOtherToolsAreRead(t *testing.T) {
	streams := func(more ...string) string {
		return block("cot_streams", append([]string{entry("count", "1"), entry("description0", "Base"), entry("connectString0", "tak.lan:8089:ssl")}, more...)...)
	}
	files := []string{entry("caLocation", "/storage/emulated/0/atak/cert/ca.p12"), entry("caPassword", "one"),
		entry("certificateLocation", `C:\cert\alice.p12`), entry("clientPassword", "two")}
	want := templates.Connection{Description: "Base", Host: "tak.lan", Port: 8089, CAFile: "ca.p12", CAPassword: "one", ClientFile: "alice.p12", ClientPassword: "two"}
	own := want
	own.ClientFile, own.ClientPassword = "own.p12", "three"
	for _, tt := range []struct {
		name, text string
		want       templates.Connection
	}{
		{"keys without an index", "<?xml version='1.0' standalone='yes'?>" + preferences(streams(), block("com.atakmap.app_preferences", files...)), want},
		{"ATAK's other names", preferences(block("com.atakmap.civ_preferences", files...), streams()), want},
		{"the connection's own before them", preferences(streams(entry("certificateLocation0", "cert/own.p12"), entry("clientPassword0", "three")),
			block("com.atakmap.app_preferences", files...)), own},
		{"other blocks and elements", "<!-- by hand -->" + preferences(streams(), block("other", entry("count", "7")), "<odd><deep/></odd>",
			block("com.atakmap.app_preferences", files...)), want},
		{"no certificate", preferences(streams()), templates.Connection{Description: "Base", Host: "tak.lan", Port: 8089}},
	} {
		got, err := templates.ReadATAKPreferences([]byte(tt.text))
		if err != nil || len(got.Connections) != 1 || got.Connections[0] != tt.want {
			t.Errorf("%s: got %+v, %v", tt.name, got, err)
		}
	}
}

func TestPreferencesThatSetUpNothingAreRefused(t *testing.T) {
	connect := func(address string) string {
		return preferences(block("cot_streams", entry("count", "1"), entry("connectString0", address)))
	}
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", `it is no XML`},
		{"properties", "count=1", `it is no XML`},
		{"another document", "<html/>", `it sets up no connection: there is no entry count in cot_streams`},
		{"no count", preferences(block("cot_streams", entry("connectString0", "a:1:ssl"))), `it sets up no connection: there is no entry count in cot_streams`},
		{"none", preferences(block("cot_streams", entry("count", "0"))), `the count of its connections is "0": 1 to 16 are read`},
		{"too many", preferences(block("cot_streams", entry("count", "17"))), `the count of its connections is "17": 1 to 16 are read`},
		{"no number", preferences(block("cot_streams", entry("count", "one"))), `the count of its connections is "one": 1 to 16 are read`},
		{"no address", preferences(block("cot_streams", entry("count", "1"))), `connection 0 has no connectString0`},
		{"two parts", connect("tak.lan:8089"), `connection 0 goes to "tak.lan:8089", where host:port:ssl is read`},
		{"IPv6", connect("::1:8089:ssl"), `connection 0 goes to "::1:8089:ssl", where host:port:ssl is read`},
		{"tcp", connect("tak.lan:8087:tcp"), `connection 0 goes to "tak.lan:8087:tcp": only ssl has a client's certificate`},
		{"port", connect("tak.lan:65536:ssl"), `connection 0 goes to "tak.lan:65536:ssl", whose port is none`},
		{"twice", preferences(block("cot_streams", entry("count", "1"), entry("count", "1"))), `the entry "count" is there twice`},
		{"attribute twice", `<preferences a="1" a="2"/>`, `the attribute "a" of an element is there twice`},
		{"DTD", `<!DOCTYPE x [<!ENTITY a "b">]>` + connect("a:1:ssl"), `it has a DTD, which no package needs`},
		{"entity", connect("hidden&hidden;"), `it is damaged in line 2`},
		{"cut short", "<preferences>", `it is damaged in line 1`},
		{"Latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?>` + connect("a:1:ssl"), `it is not in UTF-8`},
		{"deep", strings.Repeat("<a>", 9), `it has more than 10000 elements, or more than 8 within one another`},
		{"many", "<a>" + strings.Repeat("<b/>", 10_000) + "</a>", `it has more than 10000 elements, or more than 8 within one another`},
		{"long", "<a>" + strings.Repeat("x", 1<<20) + "</a>", `it has 1048583 bytes: at most 1048576 are read`},
	} {
		_, err := templates.ReadATAKPreferences([]byte(tt.text))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestManifestsThatAreNoneAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", `it is no XML`},
		{"another document", "<html/>", `it is no MissionPackageManifest`},
		{"version 1", `<MissionPackageManifest version="1"/>`, `it is of version "1", where only version 2 is known`},
		{"name twice", `<MissionPackageManifest version="2"><Configuration><Parameter name="name" value="a"/><Parameter name="name" value="b"/></Configuration>` +
			`</MissionPackageManifest>`, `the parameter "name" is there twice`},
		{"DTD", `<!DOCTYPE x><MissionPackageManifest version="2"/>`, `it has a DTD, which no package needs`},
	} {
		_, err := templates.ReadManifest([]byte(tt.text))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
	got, err := templates.ReadManifest([]byte(`<MissionPackageManifest version="2"><Contents><Content ignore="true" zipEntry="a"/><Content zipEntry="b"/></Contents>` +
		`</MissionPackageManifest>`))
	if err != nil || len(got.Entries) != 1 || got.Entries[0] != "b" || got.UID != "" || got.Name != "" {
		t.Errorf("without parameters: %+v, %v", got, err)
	}
}

// What is read and can be rendered is read back the same.
func FuzzReadATAKPreferences(f *testing.F) {
	pref, err := templates.RenderATAKPreferences(templates.Preferences{Connections: []templates.Connection{connection()}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pref)
	f.Add([]byte(preferences(block("cot_streams", entry("count", "1"), entry("connectString0", "a:1:ssl")))))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := templates.ReadATAKPreferences(data)
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		for _, c := range p.Connections {
			if c.Port < 1 || c.Port > 65535 || strings.ContainsAny(c.CAFile+c.ClientFile, `/\`) {
				t.Errorf("got %+v", c)
			}
		}
		again, err := templates.RenderATAKPreferences(p)
		if p.Unindexed {
			again, err = templates.RenderUnindexedPreferences(p)
			if p.Entries = slices.DeleteFunc(p.Entries, isWidget); len(p.Entries) == 0 {
				p.Entries = nil
			}
		}
		if err != nil {
			return
		}
		p.Left = nil
		if got, err := templates.ReadATAKPreferences(again); err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("got %+v, %v, want %+v", got, err, p)
		}
	})
}

func FuzzReadManifest(f *testing.F) {
	manifest, err := templates.RenderManifest(list())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(manifest)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := templates.ReadManifest(data)
		if err != nil {
			return
		}
		again, err := templates.RenderManifest(m)
		if err != nil {
			return
		}
		if got, err := templates.ReadManifest(again); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("got %+v, %v, want %+v", got, err, m)
		}
	})
}
