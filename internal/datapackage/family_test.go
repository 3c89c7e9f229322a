package datapackage_test

import (
	"archive/zip"
	"bytes"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
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

// extras are of every kind.
func extras() datapackage.Extras {
	return datapackage.Extras{
		Callsign: "ALICE & Söhne", Team: "Dark Blue", Role: "Team Lead",
		Preferences: []templates.Entry{{Key: "largeTextMode", Kind: templates.Boolean, Value: "true"}, {Key: "dispatchLocationStep", Kind: templates.Integer, Value: "-7"}},
		Files:       []datapackage.File{{Name: "osm.xml", Data: []byte("<customMapSource/>\n")}, {Name: "relief.xml", Data: []byte("<customMapSource>2</customMapSource>\n")}},
	}
}

// alone is what a family takes that knows one server.
func alone(c datapackage.Contents) datapackage.Contents {
	c.Connections = c.Connections[:1]
	return c
}

// forFamily leaves out what a family does not take.
func forFamily(f datapackage.Family, c datapackage.Contents) datapackage.Contents {
	if !f.TakesFiles() {
		c.Extras.Files = nil
	}
	return c
}

// read opens a package as the device of a family does.
func read(f datapackage.Family, data []byte, typed string) (*testdevice.Package, error) {
	switch f {
	case datapackage.WinTAK:
		return testdevice.OpenWinTAK(data, typed)
	case datapackage.ITAK:
		return testdevice.OpenITAK(data, typed)
	case datapackage.TAKAware:
		return testdevice.OpenTAKAware(data)
	}
	return testdevice.Open(data)
}

func TestEveryFamilysDeviceReadsItsPackageAndNoOther(t *testing.T) {
	c := contents(t)
	c.Extras = extras()
	for _, f := range datapackage.Families() {
		c := forFamily(f, c)
		data := packFor(t, f, c)
		for _, reader := range datapackage.Families() {
			p, err := read(reader, data, "")
			flat := f == datapackage.ITAK || f == datapackage.TAKAware
			if reader != f && (reader != datapackage.ITAK && reader != datapackage.TAKAware || !flat) {
				if err == nil {
					t.Errorf("%s reads the package for %s", reader, f)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", reader, err)
				continue
			}
			if p.Host != "fts.example.org" || p.Port != 8089 || p.Description != "Valley Rescue" || !p.Enabled || !p.Identity.Leaf.Equal(c.Certificate) ||
				!sameKey(p.Identity.PrivateKey, c.Key) || !slices.EqualFunc(p.Authorities, c.Authorities, (*x509.Certificate).Equal) {
				t.Errorf("%s: the device connects to %s:%d, %q", f, p.Host, p.Port, p.Description)
			}
		}
	}
}

func TestADeviceGetsTheUnitsSettings(t *testing.T) {
	c := contents(t)
	c.Extras = extras()
	want := map[string]string{"locationCallsign": "ALICE & Söhne", "locationTeam": "Dark Blue", "atakRoleType": "Team Lead", "largeTextMode": "true", "dispatchLocationStep": "-7"}
	for _, f := range []datapackage.Family{datapackage.ATAK, datapackage.WinTAK, datapackage.ITAK} {
		p, err := read(f, packFor(t, f, forFamily(f, c)), "")
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		delete(p.Settings, "displayServerConnectionWidget")
		if !reflect.DeepEqual(p.Settings, want) || p.Callsign != "ALICE & Söhne" {
			t.Errorf("%s: %q", f, p.Settings)
		}
		if f == datapackage.ITAK {
			continue
		}
		var got []string
		for name, data := range p.Others {
			got = append(got, name[strings.LastIndex(name, "/")+1:]+": "+string(data))
		}
		slices.Sort(got)
		if !reflect.DeepEqual(got, []string{"osm.xml: <customMapSource/>\n", "relief.xml: <customMapSource>2</customMapSource>\n"}) {
			t.Errorf("%s: the device has %q", f, got)
		}
	}
}

func TestATAKConnectsToEveryServer(t *testing.T) {
	c := contents(t)
	c.Connections = []datapackage.Connection{{Host: "fts.example.org"}, {Host: "fts.example.org", Port: 8090, Disabled: true}, {Host: "10.0.0.5", Description: "Böse & <gut>"}}
	all, err := testdevice.OpenAll(pack(t, c))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []datapackage.Connection{{"fts.example.org", 8089, "fts.example.org", false}, {"fts.example.org", 8090, "fts.example.org", true},
		{"10.0.0.5", 8089, "Böse & <gut>", false}} {
		p := all[i]
		if got := (datapackage.Connection{Host: p.Host, Port: p.Port, Description: p.Description, Disabled: !p.Enabled}); got != want || !p.Identity.Leaf.Equal(c.Certificate) {
			t.Errorf("connection %d: got %+v", i, got)
		}
	}
	if len(all) != 3 || len(all[0].Files) != 8 {
		t.Errorf("%d connections, %d files", len(all), len(all[0].Files))
	}
	c.Connections = nil
	for i := range 16 {
		c.Connections = append(c.Connections, datapackage.Connection{Host: "fts.example.org", Port: i + 1})
	}
	c.Extras.Files = nil
	for i := range 24 {
		c.Extras.Files = append(c.Extras.Files, datapackage.File{Name: "map-" + string(rune('a'+i)), Data: []byte("x")})
	}
	if o := open(t, pack(t, c)); len(o.Connections) != 16 || len(o.Extras.Files) != 24 || len(o.Left) != 0 {
		t.Errorf("of the largest package come out %d connections, %d files; left is %q", len(o.Connections), len(o.Extras.Files), o.Left)
	}
}

func TestWhatWentIntoAnyFamilysPackageComesOut(t *testing.T) {
	c := contents(t)
	c.Extras = extras()
	c.Connections[0].Disabled = true
	for _, f := range datapackage.Families() {
		c := forFamily(f, c)
		if f == datapackage.ATAK {
			c.Connections = append(slices.Clone(c.Connections), datapackage.Connection{Host: "10.0.0.5", Port: 1, Description: "two"})
		}
		for _, ask := range []bool{false, f == datapackage.WinTAK || f == datapackage.ITAK} {
			c.AskPassword = ask
			data := packFor(t, f, c)
			given := secret.Secret{}
			if ask {
				if _, err := datapackage.Open(data, given); !errors.Is(err, datapackage.ErrNoPassword) {
					t.Errorf("%s, without its password: %v", f, err)
				}
				given = c.Password
			}
			o, err := datapackage.Open(data, given)
			if err != nil {
				t.Errorf("%s: %v", f, err)
				continue
			}
			if o.Family != f || o.AskPassword != ask || len(o.Left) > 0 {
				t.Errorf("%s, asking %t: it is for %s, asking %t, and leaves %q", f, ask, o.Family, o.AskPassword, o.Left)
			}
			again := o.Contents()
			again.Encoder, again.Modified = c.Encoder, c.Modified
			want := c
			want.Password, again.Password = secret.Secret{}, secret.Secret{}
			if !reflect.DeepEqual(again, want) {
				t.Errorf("%s: got %+v, want %+v", f, again, want)
			}
			again.Password = o.Password
			sameButForSalts(t, data, packFor(t, o.Family, again))
		}
	}
}

func TestSameContentsMakeTheSameZipForEveryFamily(t *testing.T) {
	c := contents(t)
	c.Extras = extras()
	for _, f := range datapackage.Families() {
		one, two := packFor(t, f, forFamily(f, c)), packFor(t, f, forFamily(f, c))
		if bytes.Equal(one, two) {
			t.Errorf("%s: the salts are the same", f)
		}
		sameButForSalts(t, one, two)
	}
}

// sameButForSalts compares two zips down to their headers, and zips within them.
func sameButForSalts(t *testing.T, a, b []byte) {
	t.Helper()
	ra, filesA := unzip(t, a)
	rb, filesB := unzip(t, b)
	if len(a) != len(b) || len(ra.File) != len(rb.File) {
		t.Fatalf("%d bytes in %d files, and %d in %d", len(a), len(ra.File), len(b), len(rb.File))
	}
	for i := range ra.File {
		x, y := ra.File[i].FileHeader, rb.File[i].FileHeader
		switch name := x.Name; {
		case strings.HasSuffix(name, ".p12"):
			x.CRC32, y.CRC32 = 0, 0
		case strings.HasSuffix(name, ".zip"):
			x.CRC32, y.CRC32 = 0, 0
			sameButForSalts(t, filesA[name], filesB[y.Name])
		case !bytes.Equal(filesA[name], filesB[y.Name]):
			t.Errorf("%s differs", name)
		}
		if !reflect.DeepEqual(x, y) {
			t.Errorf("the headers differ: %+v and %+v", x, y)
		}
	}
}

func TestAFoundPackageThatAsksOpensNothing(t *testing.T) {
	c := contents(t)
	c.AskPassword = true
	for _, f := range []datapackage.Family{datapackage.WinTAK, datapackage.ITAK} {
		data := packFor(t, f, c)
		// Everything is stored, so that a search of the zip is one of its files.
		if bytes.Contains(data, []byte(c.Password.Reveal())) || bytes.Contains(data, []byte("clientPassword")) {
			t.Errorf("%s: the password is in the zip", f)
		}
		if _, err := read(f, data, ""); err == nil {
			t.Errorf("%s: the device opens it by itself", f)
		}
		p, err := read(f, data, c.Password.Reveal())
		if err != nil || !p.Identity.Leaf.Equal(c.Certificate) || len(p.Authorities) != 2 {
			t.Errorf("%s, typed: %v", f, err)
		}
		// The password of the trust store, which does stand there, is not the identity's.
		_, err = datapackage.Open(data, secret.FromString(trustPassword(t, data)))
		if !errors.Is(err, pkcs12.ErrPassword) {
			t.Errorf("%s, with the trust store's password: %v", f, err)
		}
	}
}

func trustPassword(t *testing.T, data []byte) string {
	t.Helper()
	_, after, ok := bytes.Cut(data, []byte(`<entry key="caPassword" class="class java.lang.String">`))
	value, _, _ := bytes.Cut(after, []byte("<"))
	if !ok || len(value) != 16 {
		t.Fatalf("the trust store's password is %q", value)
	}
	return string(value)
}

func TestWhatAFamilyCannotDoIsRefused(t *testing.T) {
	base := contents(t)
	two := func(c *datapackage.Contents) {
		c.Connections = append(slices.Clone(c.Connections), datapackage.Connection{Host: "10.0.0.5"})
	}
	ask := func(c *datapackage.Contents) { c.AskPassword = true }
	with := func(e datapackage.Extras) func(*datapackage.Contents) {
		return func(c *datapackage.Contents) { c.Extras = e }
	}
	named := func(name string) func(*datapackage.Contents) {
		return with(datapackage.Extras{Files: []datapackage.File{{Name: name, Data: []byte("x")}}})
	}
	setting := func(key, value string) func(*datapackage.Contents) {
		return with(datapackage.Extras{Preferences: []templates.Entry{{Key: key, Kind: templates.String, Value: value}}})
	}
	const (
		identity  = " name one identity and tie it to no server, and of several only one would be sure to get it: make one package for each server"
		allowed   = ` needs another name: at most 100 of A-Z a-z 0-9 . _ -, with no dot in front, keep their name on every device`
		ipv6      = `host "2001:db8::1": an IPv6 address cannot be given to devices, since ATAK splits host:port:ssl at the colons into exactly three parts; give a DNS name that stands for it`
		elsewhere = `: the clients know Team Member, Team Lead, HQ, Sniper, Medic, Forward Observer, RTO, K9`
	)
	many := make([]datapackage.File, 25)
	for _, tt := range []struct {
		family datapackage.Family
		name   string
		change func(*datapackage.Contents)
		want   string
	}{
		{"palmtak", "no family", func(*datapackage.Contents) {}, `"palmtak" is no family of devices`},
		{datapackage.ATAK, "no server", func(c *datapackage.Contents) { c.Connections = nil }, `a package needs a server to connect to`},
		{datapackage.ATAK, "17 servers", func(c *datapackage.Contents) { c.Connections = make([]datapackage.Connection, 17) },
			`17 servers are too many for a package: at most 16 are read`},
		{datapackage.ATAK, "a server twice", func(c *datapackage.Contents) { c.Connections = append(slices.Clone(c.Connections), c.Connections[0]) },
			`preferences: connection 1: fts.example.org:8089 is in the list already`},
		{datapackage.WinTAK, "two servers", two, "the preferences of WinTAK" + identity},
		{datapackage.ITAK, "two servers", two, "the preferences of iTAK" + identity},
		{datapackage.TAKAware, "two servers", two, "TAK Aware reads the first server of a package and no other: make one package for each server"},
		{datapackage.ATAK, "asking", ask, `ATAK does not ask for a password that its package leaves out: 4.6 tries atakatak, later ones only report a connection error; ` +
			`leave the password in`},
		{datapackage.TAKAware, "asking", ask, `TAK Aware does not ask for a password that its package leaves out: it tries the empty one, and drops the identity; ` +
			`leave the password in`},
		{datapackage.ITAK, "a file", named("osm.xml"), `iTAK takes no further files out of a package: leave "osm.xml" out`},
		{datapackage.TAKAware, "a file", named("osm.xml"), `TAK Aware takes no further files out of a package: leave "osm.xml" out`},
		{datapackage.WinTAK, "IPv6", func(c *datapackage.Contents) { c.Connections = []datapackage.Connection{{Host: "2001:db8::1"}} }, ipv6},
		{datapackage.ITAK, "IPv6", func(c *datapackage.Contents) { c.Connections = []datapackage.Connection{{Host: "2001:db8::1"}} }, ipv6},
		{datapackage.TAKAware, "IPv6", func(c *datapackage.Contents) { c.Connections = []datapackage.Connection{{Host: "2001:db8::1"}} }, ipv6},
		{datapackage.ATAK, "team", with(datapackage.Extras{Team: "Pink"}),
			`"Pink" is no team: the clients know White, Yellow, Orange, Magenta, Red, Maroon, Purple, Dark Blue, Blue, Cyan, Teal, Green, Dark Green, Brown`},
		{datapackage.ATAK, "team in lower case", with(datapackage.Extras{Team: "dark blue"}), `the team "dark blue" is written in another case by the clients`},
		{datapackage.ITAK, "role", with(datapackage.Extras{Role: "Cook"}), `"Cook" is no role` + elsewhere},
		{datapackage.ATAK, "callsign with an escape", with(datapackage.Extras{Callsign: "a\x1bb"}),
			`preferences: the value of the preference "locationCallsign" has a character that XML cannot hold`},
		{datapackage.ITAK, "a callsign by another door", setting("locationCallsign", "x"), `the preference locationCallsign is set by callsign, team and role alone`},
		{datapackage.ITAK, "a password", setting("clientPassword", "hidden"),
			`preferences: the preference "clientPassword" is about connections, certificates or passwords (password), which the package itself sets, or nobody`},
		{datapackage.WinTAK, "one device's own", setting("bestDeviceUID", "hidden"),
			`preferences: the preference "bestDeviceUID" is what tells a device from all others: two that share it are one on the map`},
		{datapackage.ATAK, "a path", named("../x"), `the further file "../x"` + allowed},
		{datapackage.ATAK, "a blank", named("a map.xml"), `the further file "a map.xml"` + allowed},
		{datapackage.ATAK, "a letter of Latin-1", named("é"), `the further file "é"` + allowed},
		{datapackage.ATAK, "hidden", named(".x"), `the further file ".x"` + allowed},
		{datapackage.ATAK, "an identity", named("bob.P12"), `the further file "bob.P12" ends in .p12, as certificates and keys do: the package has its own`},
		{datapackage.ATAK, "preferences", named("x.pref"), `the further file "x.pref" holds preferences: there is one such file in a package`},
		{datapackage.WinTAK, "a package", named("x.zip"), `the further file "x.zip" is a package of its own: hand it over by itself`},
		{datapackage.WinTAK, "a manifest", named("Manifest.xml"), `the further file "Manifest.xml" is called as the list of a package's files is`},
		{datapackage.ATAK, "an empty file", with(datapackage.Extras{Files: []datapackage.File{{Name: "x"}}}), `the further file "x" is empty`},
		{datapackage.ATAK, "a private key", with(datapackage.Extras{Files: []datapackage.File{{Name: "x", Data: []byte("-----BEGIN PRIVATE KEY-----\n")}}}),
			`the further file "x" holds a private key, which goes into no package`},
		{datapackage.ATAK, "a file twice", with(datapackage.Extras{Files: []datapackage.File{{Name: "x", Data: []byte("x")}, {Name: "X", Data: []byte("x")}}}),
			`the further file "X" is there twice`},
		{datapackage.ATAK, "many files", with(datapackage.Extras{Files: many}), `25 further files are too many for a package: at most 24`},
		{datapackage.ATAK, "large files", with(datapackage.Extras{Files: []datapackage.File{{Name: "x", Data: make([]byte, 3<<20)}, {Name: "y", Data: []byte("x")}}}),
			`the further files have more than 3145728 bytes in all: a package holds map sources, not maps`},
	} {
		c := base
		tt.change(&c)
		_, err := datapackage.Make(tt.family, c)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s, %s:\ngot  %v\nwant %s", tt.family, tt.name, err, tt.want)
		}
	}
}

func TestWarningsTellWhatADeviceWillNotDo(t *testing.T) {
	asking := datapackage.Contents{AskPassword: true}
	set := datapackage.Contents{Extras: datapackage.Extras{Team: "Cyan"}, Connections: []datapackage.Connection{{Disabled: true}, {Disabled: true}}}
	const (
		profile = "the p12 profile modern (AES, SHA-256): "
		ios     = profile + "older iOS does not open the files (error -25293), and which version is the first that does is not known"
		unknown = " is not known, since its source is closed"
	)
	for _, tt := range []struct {
		family  datapackage.Family
		profile pkcs12.Profile
		c       datapackage.Contents
		want    []string
	}{
		{datapackage.ATAK, pkcs12.TAK, asking, nil},
		{datapackage.ATAK, "", set, nil},
		{datapackage.WinTAK, "", set, nil},
		{datapackage.ITAK, "", set, []string{"whether iTAK takes callsign, team, role and the like out of the preferences" + unknown}},
		{datapackage.TAKAware, "", set, []string{
			"TAK Aware takes nothing but the connection out of the preferences: callsign, team, role and the like are to be set by hand",
			"TAK Aware connects at once: it does not read that a connection is to be disabled"}},
		{datapackage.ATAK, pkcs12.Modern, datapackage.Contents{}, []string{profile + "Android before 10 does not open the files, and there ATAK connects, but warns; " +
			"ATAK 4.6 has been seen to reject them even on Android 12"}},
		{datapackage.WinTAK, pkcs12.Modern, asking, []string{profile + "Windows 10 before version 1709 does not open the files",
			"whether WinTAK asks for a password that its package leaves out" + unknown + ": try it with one device first"}},
		{datapackage.ITAK, pkcs12.Modern, datapackage.Contents{}, []string{ios}},
		{datapackage.TAKAware, pkcs12.Modern, datapackage.Contents{}, []string{ios}},
	} {
		if got := tt.family.Warnings(tt.profile, tt.c); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s, %q:\ngot  %q\nwant %q", tt.family, tt.profile, got, tt.want)
		}
	}
}

func TestFamiliesAreParsedAndNameFiles(t *testing.T) {
	all := datapackage.Families()
	for list, want := range map[string][]datapackage.Family{
		"atak": {datapackage.ATAK}, " iTAK , ATAK,itak": {datapackage.ITAK, datapackage.ATAK}, "all": all, "takaware,all": {"takaware", "atak", "wintak", "itak"},
	} {
		if got, err := datapackage.ParseFamilies(list); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %q, %v", list, got, err)
		}
	}
	for _, list := range []string{"", "atak,", "palm", "atak itak"} {
		name := list[strings.LastIndex(list, ",")+1:]
		want := `"` + name + `" is no family of devices: write atak, wintak, itak, takaware, several with commas between them, or all`
		if got, err := datapackage.ParseFamilies(list); err == nil || err.Error() != want || got != nil {
			t.Errorf("%q:\ngot  %v\nwant %s", list, err, want)
		}
	}
	var names, titles []string
	for _, f := range all {
		names, titles = append(names, f.FileName("Zoë 山田", "9C:8d:27:98:00")), append(titles, f.Title())
	}
	if !reflect.DeepEqual(names, []string{"Zoe-9c8d2798.zip", "Zoe-9c8d2798-wintak.zip", "Zoe-9c8d2798-itak.zip", "Zoe-9c8d2798-takaware.zip"}) {
		t.Errorf("files are called %q", names)
	}
	if !reflect.DeepEqual(titles, []string{"ATAK", "WinTAK", "iTAK", "TAK Aware"}) {
		t.Errorf("families are called %q", titles)
	}
}

func TestHostileNamesAreReadBackByEveryFamily(t *testing.T) {
	base := contents(t)
	for _, name := range hostileNames {
		for _, f := range datapackage.Families() {
			c := base
			c.Name, c.Extras.Callsign = name, name
			c.Connections = []datapackage.Connection{{Host: "fts.example.org", Description: name}}
			p, err := read(f, packFor(t, f, c), "")
			if err != nil {
				t.Errorf("%s, %q: %v", f, name, err)
				continue
			}
			if p.Description != name || f != datapackage.TAKAware && p.Callsign != name {
				t.Errorf("%s: got %q and %q, want %q", f, p.Description, p.Callsign, name)
			}
			o := open(t, packFor(t, f, c))
			if o.Connections[0].Description != name || o.Extras.Callsign != name {
				t.Errorf("%s: opened it is %q, callsign %q, want %q", f, o.Connections[0].Description, o.Extras.Callsign, name)
			}
		}
	}
}

// A package of another tool is made again in the form that its device needs.
func TestTheFamilyOfOtherToolsPackagesIsToldByTheirForm(t *testing.T) {
	c := contents(t)
	parts := map[string][]entry{}
	for _, f := range datapackage.Families() {
		r, files := unzip(t, packFor(t, f, c))
		for _, one := range r.File {
			parts[string(f)] = append(parts[string(f)], entry{one.Name, files[one.Name]})
		}
	}
	flat := parts["itak"]
	inFolders := []entry{{"certs/server.pref", flat[0].data}, {"certs/" + flat[1].name, flat[1].data}, {"certs/" + flat[2].name, flat[2].data}}
	renamed := []entry{{"config.pref", flat[0].data}, flat[1], flat[2]}
	spoiled := append(slices.Clone(parts["atak"]), entry{"files/a map.xml", []byte("x")}, entry{"files/ok.xml", []byte("x")}, entry{"files/empty", nil})
	spoiled[0] = replaced(spoiled[0], "</preferences>", `<preference name="com.atakmap.civ_preferences"><entry key="zoom" class="class java.lang.Float">1</entry>`+
		`<entry key="locationTeam" class="class java.lang.String">Pink</entry></preference></preferences>`)
	for _, tt := range []struct {
		name  string
		files []entry
		want  datapackage.Family
		left  []string
	}{
		{"keys with an index", parts["atak"], datapackage.ATAK, nil},
		{"keys without one, in folders", inFolders, datapackage.ATAK, nil},
		{"flat, under any name", renamed, datapackage.ITAK, nil},
		{"flat, with a map that iTAK does not take", append(slices.Clone(renamed), entry{"map.xml", []byte("x")}), datapackage.ITAK, []string{`the file "map.xml"`}},
		{"nested", parts["wintak"], datapackage.WinTAK, nil},
		{"with what no package takes", spoiled, datapackage.ATAK,
			[]string{`the preference "zoom"`, `the preference "locationTeam"`, `the file "files/a map.xml"`, `the file "files/empty"`}},
	} {
		o, err := datapackage.Open(rezip(t, tt.files...), secret.Secret{})
		if err != nil || o.Family != tt.want || !reflect.DeepEqual(o.Left, tt.left) {
			t.Errorf("%s: it is for %q, and leaves %q, %v", tt.name, o.Family, o.Left, err)
			continue
		}
		packFor(t, o.Family, o.Contents())
	}
}

func TestConnectionsWithOtherCertificatesAreLeftAndNamed(t *testing.T) {
	issuing := testpki.NewRoot(t, "Valley Root").Issuing(t, "Valley Issuing")
	c := contentsOf(issuing, issuing.Client(t, "alice"))
	c.Connections = append(c.Connections, datapackage.Connection{Host: "10.0.0.5"})
	other := contentsOf(issuing, issuing.Client(t, "bob"))
	r, files := unzip(t, pack(t, c))
	var parts []entry
	for _, f := range r.File {
		parts = append(parts, entry{f.Name, files[f.Name]})
	}
	if parts[4].name == parts[2].name || !strings.HasSuffix(parts[4].name, ".p12") {
		t.Fatalf("the files are %q", names(t, pack(t, c)))
	}
	parts[4].data = taken(t, other)[identity].data
	o, err := datapackage.Open(rezip(t, parts...), secret.Secret{})
	if err != nil || len(o.Connections) != 1 || !reflect.DeepEqual(o.Left, []string{"the connection to 10.0.0.5:8089, which has other certificates or none"}) {
		t.Errorf("%d connections, left is %q, %v", len(o.Connections), o.Left, err)
	}
}

// Names, contents, modes and times survive whatever unpacks the zip.
func TestOtherProgramsUnpackEveryFamilysPackage(t *testing.T) {
	issuing := testpki.NewRoot(t, "Valley Root").Issuing(t, "Valley Issuing")
	c := contentsOf(issuing, issuing.Client(t, "Zoë 山田 😀"))
	c.Extras = extras()
	unpackers := []struct {
		program string
		command func(path, zip string) *exec.Cmd
		dated   bool
	}{
		{"unzip", func(path, zip string) *exec.Cmd { return exec.Command(path, "-q", zip) }, true},
		// From a pipe, Java reads the zip front to back, as a ZipInputStream does.
		{"jar", func(path, zip string) *exec.Cmd {
			cmd := exec.Command(path, "x")
			cmd.Stdin, _ = os.Open(zip)
			return cmd
		}, false},
		{"python3", func(path, zip string) *exec.Cmd { return exec.Command(path, "-m", "zipfile", "-e", zip, ".") }, false},
	}
	for _, u := range unpackers {
		t.Run(u.program, func(t *testing.T) {
			path := testpki.Need(t, u.program)
			for _, f := range datapackage.Families() {
				data := packFor(t, f, forFamily(f, c))
				dir := t.TempDir()
				file := filepath.Join(t.TempDir(), f.FileName(c.Name, "0123456789"))
				if err := os.WriteFile(file, data, 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := u.command(path, file)
				cmd.Dir, cmd.Env = dir, append(os.Environ(), "TZ=UTC")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", f, err, out)
				}
				r, files := unzip(t, data)
				for _, want := range r.File {
					checkUnpacked(t, filepath.Join(dir, filepath.FromSlash(want.Name)), want, files[want.Name], u.dated)
				}
			}
		})
	}
}

func checkUnpacked(t *testing.T, name string, want *zip.File, data []byte, dated bool) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%s: %d bytes, %v", want.Name, len(got), err)
		return
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if dated && (info.Mode() != 0o600 || !info.ModTime().Equal(want.Modified)) {
		t.Errorf("%s: mode %v, of %s", want.Name, info.Mode(), info.ModTime())
	}
}
