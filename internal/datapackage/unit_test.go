package datapackage_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/templates"
)

const unitPref = `<?xml version='1.0' encoding='UTF-8' standalone='yes'?>
<preferences>
<preference version="1" name="com.atakmap.app_preferences">
<entry key="locationTeam" class="class java.lang.String">dark blue</entry>
<entry key="locationReportingStrategy" class="class java.lang.String">Dynamic</entry>
<entry key="atakRoleType" class="class java.lang.String">HQ</entry>
<entry key="largeTextMode" class="class java.lang.Boolean">true</entry>
</preference>
</preferences>
`

func unit(files ...string) fstest.MapFS {
	dir := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		dir[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return dir
}

func TestAUnitsFolderGoesIntoAPackage(t *testing.T) {
	got, err := datapackage.ReadUnit(unit("unit.pref", unitPref, "files/osm.xml", "<a/>", "files/Relief.xml", "<b/>", "files/.DS_Store", "x", ".git/x", "x"))
	want := datapackage.Extras{Team: "Dark Blue", Role: "HQ",
		Preferences: []templates.Entry{{Key: "locationReportingStrategy", Kind: templates.String, Value: "Dynamic"}, {Key: "largeTextMode", Kind: templates.Boolean, Value: "true"}},
		Files:       []datapackage.File{{Name: "Relief.xml", Data: []byte("<b/>")}, {Name: "osm.xml", Data: []byte("<a/>")}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, %v", got, err)
	}
	c := contents(t)
	c.Extras = got
	if o := open(t, pack(t, c)); !reflect.DeepEqual(o.Extras, want) {
		t.Errorf("the package holds %+v", o.Extras)
	}
	for name, dir := range map[string]fstest.MapFS{"preferences alone": unit("unit.pref", unitPref), "files alone": unit("files/osm.xml", "<a/>")} {
		if _, err := datapackage.ReadUnit(dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAUnitsFolderThatNoPackageTakesIsRefused(t *testing.T) {
	pref := func(old, new string) fstest.MapFS {
		if !strings.Contains(unitPref, old) {
			t.Fatalf("nothing to replace: %s", old)
		}
		return unit("unit.pref", strings.Replace(unitPref, old, new, 1))
	}
	var many []string
	for i := range 25 {
		many = append(many, "files/"+string(rune('a'+i)), "x")
	}
	for _, tt := range []struct {
		name string
		dir  fstest.MapFS
		want string
	}{
		{"empty", unit(), `the unit's folder has neither unit.pref nor a folder files`},
		{"hidden files alone", unit(".x", "x"), `the unit's folder has neither unit.pref nor a folder files`},
		{"a slip of the pen", unit("units.pref", unitPref), `the unit's folder has "units.pref": it may have unit.pref, and a folder files with further files`},
		{"a file in the folder's place", unit("files", "x"), `the unit's folder has "files": it may have unit.pref, and a folder files with further files`},
		{"a folder in the file's place", unit("unit.pref/x", "x"), `unit.pref: it is no regular file`},
		{"a folder within", unit("files/maps/osm.xml", "x"), `files/maps is a folder: a package has none within it`},
		{"an identity", unit("files/alice.p12", "x"), `the further file "alice.p12" ends in .p12, as certificates and keys do: the package has its own`},
		{"a name with a blank", unit("files/a map.xml", "x"),
			`the further file "a map.xml" needs another name: at most 100 of A-Z a-z 0-9 . _ -, with no dot in front, keep their name on every device`},
		{"an empty file", unit("files/osm.xml", ""), `the further file "osm.xml" is empty`},
		{"many files", unit(many...), `25 further files are too many for a package: at most 24`},
		{"a large file", unit("files/a", "x", "files/b", strings.Repeat("x", 3<<20)), `files/b: it has more than the 3145727 bytes that are left for it`},
		{"large preferences", unit("unit.pref", strings.Repeat("x", 256<<10+1)), `unit.pref: it has more than the 262144 bytes that are left for it`},
		{"no XML", unit("unit.pref", "locationTeam=Cyan"), `unit.pref: it is no XML`},
		{"a callsign", pref("largeTextMode\" class=\"class java.lang.Boolean", `locationCallsign" class="class java.lang.String`),
			`unit.pref: it sets locationCallsign, and so would give everybody one callsign`},
		{"a team of its own", pref("dark blue", "Pink"), `unit.pref: locationTeam: "Pink" is no team: the clients know White, Yellow, Orange, Magenta, Red, Maroon, ` +
			`Purple, Dark Blue, Blue, Cyan, Teal, Green, Dark Green, Brown`},
		{"a role of its own", pref("HQ", "Cook"), `unit.pref: atakRoleType: "Cook" is no role: the clients know Team Member, Team Lead, HQ, Sniper, Medic, Forward Observer, RTO, K9`},
		{"connections", pref("com.atakmap.app_preferences", "cot_streams"),
			`unit.pref: it has the block "cot_streams": only preferences of the application (com.atakmap.app_preferences) are taken`},
		{"a password", pref("locationReportingStrategy", "clientPassword"),
			`unit.pref: the preference "clientPassword" is about connections, certificates or passwords (password), which the package itself sets, or nobody`},
	} {
		got, err := datapackage.ReadUnit(tt.dir)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
		if !reflect.DeepEqual(got, datapackage.Extras{}) {
			t.Errorf("%s: got %+v beside the error", tt.name, got)
		}
	}
}

// A root of its own keeps a folder's links from leading out of it.
func TestALinkOutOfTheUnitsFolderIsNotFollowed(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "hidden.txt")
	if err := os.WriteFile(outside, []byte("hidden"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "files", "map.xml")); err != nil {
		testpki.Lack(t, fmt.Sprintf("symbolic links (%v)", err))
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if got, err := datapackage.ReadUnit(root.FS()); err == nil || len(got.Files) > 0 {
		t.Errorf("got %q, %v", got.Files, err)
	}
}

// Whatever is in the folder: what is read can be packed, and comes out again.
func FuzzReadUnit(f *testing.F) {
	f.Add([]byte(unitPref), "osm.xml", []byte("<a/>"))
	f.Add([]byte("<preferences/>"), "a.P12", []byte("x"))
	f.Fuzz(func(t *testing.T, pref []byte, name string, data []byte) {
		dir := fstest.MapFS{"unit.pref": {Data: pref}}
		if name != "" && len(name) <= 255 && !strings.ContainsAny(name, "/\x00") && name != "." && name != ".." {
			dir["files/"+name] = &fstest.MapFile{Data: data}
		}
		e, err := datapackage.ReadUnit(dir)
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		for _, one := range e.Files {
			if !bytes.Equal(one.Data, data) || strings.HasPrefix(one.Name, ".") || strings.HasSuffix(strings.ToLower(one.Name), ".p12") {
				t.Errorf("got the file %q", one.Name)
			}
		}
		for _, p := range e.Preferences {
			if lower := strings.ToLower(p.Key); strings.Contains(lower, "password") || strings.Contains(lower, "certificate") || lower == "bestdeviceuid" {
				t.Errorf("got the preference %q", p.Key)
			}
		}
	})
}
