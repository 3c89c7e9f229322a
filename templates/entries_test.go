package templates_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/templates"
)

func typed(key, class, value string) string {
	return `<entry key="` + key + `" class="` + class + `">` + value + `</entry>`
}

const (
	text    = "class java.lang.String"
	truth   = "class java.lang.Boolean"
	integer = "class java.lang.Integer"
	appName = "com.atakmap.app_preferences"
)

func TestAUnitsPreferencesAreReadInTheirOrder(t *testing.T) {
	got, err := templates.ReadUnitPreferences([]byte("<?xml version='1.0' standalone='yes'?>\n<!-- ours -->" + preferences(
		block(appName, typed("locationTeam", text, "Dark Blue"), typed("nav_orientation_right", truth, "true")),
		block("com.atakmap.civ_preferences", typed("dispatchLocation", integer, "-2147483648"), typed("a &amp; b", text, "x &lt; y")))))
	want := []templates.Entry{{"locationTeam", templates.String, "Dark Blue"}, {"nav_orientation_right", templates.Boolean, "true"},
		{"dispatchLocation", templates.Integer, "-2147483648"}, {"a & b", templates.String, "x < y"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err = templates.ReadUnitPreferences([]byte("<preferences/>")); err != nil || len(got) != 0 {
		t.Errorf("of none: got %v, %v", got, err)
	}
}

func TestAUnitsPreferencesThatNoPackageTakesAreRefused(t *testing.T) {
	of := func(entries ...string) string { return preferences(block(appName, entries...)) }
	const sets = `, which the package itself sets, or nobody`
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", `it is no XML`},
		{"another document", "<html/>", `the element html does not belong where it is`},
		{"connections", preferences(block("cot_streams", typed("count", integer, "0"))),
			`it has the block "cot_streams": only preferences of the application (com.atakmap.app_preferences) are taken`},
		{"an element too many", preferences(block(appName, "<set><string>a</string></set>")), `the element preferences/preference/set/string does not belong where it is`},
		{"within an entry", of(typed("a", text, "b<i/>")), `the element preferences/preference/entry/i does not belong where it is`},
		{"another class", of(typed("a", "class java.util.HashSet", "hidden")),
			`the preference "a" is of the class "class java.util.HashSet": class java.lang.String, Boolean and Integer are known`},
		{"a class without its word", of(typed("a", "java.lang.String", "hidden")),
			`the preference "a" is of the class "java.lang.String": class java.lang.String, Boolean and Integer are known`},
		{"another kind", of(typed("a", "class java.lang.Float", "0.5")), `the preference "a" is of the kind "Float": String, Boolean and Integer are known`},
		{"no truth", of(typed("a", truth, "hidden")), `the value of the preference "a" is neither true nor false`},
		{"no number", of(typed("a", integer, "hidden")), `the value of the preference "a" is no whole number of 32 bits`},
		{"a number with a sign too many", of(typed("a", integer, "+1")), `the value of the preference "a" is no whole number of 32 bits`},
		{"too large a number", of(typed("a", integer, "2147483648")), `the value of the preference "a" is no whole number of 32 bits`},
		{"an empty text", of(typed("a", text, "")), `the value of the preference "a" is empty`},
		{"a text that would be trimmed", of(typed("a", text, " hidden")), `the value of the preference "a" begins or ends with a blank, which a device may drop`},
		{"no key", of(typed("", text, "a")), `the key of a preference is empty`},
		{"a long key", of(typed(strings.Repeat("k", 101), text, "a")), `the key of a preference, "` + strings.Repeat("k", 100) + `", is longer than 100 bytes`},
		{"twice", of(typed("a", text, "1"), typed("a", text, "2")), `the preference "a" is there twice`},
		{"a password", of(typed("updateServerCaPassword", text, "hidden")),
			`the preference "updateServerCaPassword" is about connections, certificates or passwords (password)` + sets},
		{"a trust store", of(typed("caLocation3", text, "hidden")), `the preference "caLocation3" is about connections, certificates or passwords (calocation)` + sets},
		{"an identity", of(typed("certificateLocation", text, "hidden")),
			`the preference "certificateLocation" is about connections, certificates or passwords (certificate)` + sets},
		{"one device's own", of(typed("bestDeviceUID", text, "hidden")),
			`the preference "bestDeviceUID" is what tells a device from all others: two that share it are one on the map`},
		{"DTD", "<!DOCTYPE x>" + of(), `it has a DTD, which no package needs`},
	} {
		_, err := templates.ReadUnitPreferences([]byte(tt.text))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: the error tells the value", tt.name)
		}
	}
}

func TestWhatNoFormTakesIsLeftAndNamed(t *testing.T) {
	got, err := templates.ReadATAKPreferences([]byte(preferences(
		block("cot_streams", entry("count", "1"), entry("connectString0", "tak.lan:8089:ssl")),
		block(appName, entry("caLocation", "cert/ca.p12"), typed("a", text, "1"), typed("updateServerCaPassword", text, "x"),
			typed("zoom", "class java.lang.Float", "0.5"), typed("displayServerConnectionWidget", truth, "true")))))
	want := []templates.Entry{{"a", templates.String, "1"}}
	if err != nil || !got.Unindexed || !reflect.DeepEqual(got.Entries, want) || !reflect.DeepEqual(got.Left, []string{"updateServerCaPassword", "zoom"}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestKeysWithoutAnIndexNameOneIdentity(t *testing.T) {
	second := connection()
	second.Host = "10.0.0.5"
	same := connection()
	same.ClientFile = "CA-0a1b2c3d.p12"
	v6 := connection()
	v6.Host = "::1"
	for _, tt := range []struct {
		name string
		p    templates.Preferences
		want string
	}{
		{"none", templates.Preferences{}, `preferences of this form have exactly one connection, not 0: their keys name one identity`},
		{"two", templates.Preferences{Connections: []templates.Connection{connection(), second}},
			`preferences of this form have exactly one connection, not 2: their keys name one identity`},
		{"one file", templates.Preferences{Connections: []templates.Connection{same}}, `connection 0: "ca-0a1b2c3d.p12" cannot be both the identity and the trust store`},
		{"IPv6", templates.Preferences{Connections: []templates.Connection{v6}}, `connection 0: host "::1": ATAK splits host:port:ssl at the colons into exactly ` +
			`three parts, so a host has none (no IPv6 address, no port)`},
		{"an entry of its own", templates.Preferences{Connections: []templates.Connection{connection()}, Entries: []templates.Entry{{"clientPassword", templates.String, "x"}}},
			`the preference "clientPassword" is about connections, certificates or passwords (password), which the package itself sets, or nobody`},
	} {
		if _, err := templates.RenderUnindexedPreferences(tt.p); err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
	many := templates.Preferences{Connections: make([]templates.Connection, 17)}
	if _, err := templates.RenderATAKPreferences(many); err == nil || err.Error() != `preferences have 17 connections: at most 16 are read` {
		t.Errorf("got %v", err)
	}
}

// What is read can be rendered, and is then read the same in both ways.
func FuzzReadUnitPreferences(f *testing.F) {
	f.Add([]byte(preferences(block(appName, typed("locationTeam", text, "Cyan"), typed("a", truth, "true"), typed("n", integer, "0")))))
	f.Add([]byte("<preferences/>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := templates.ReadUnitPreferences(data)
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		p := templates.Preferences{Connections: []templates.Connection{connection()}, Entries: got}
		got = slices.DeleteFunc(slices.Clone(got), isWidget)
		pref, err := templates.RenderUnindexedPreferences(p)
		if err != nil {
			t.Fatalf("read, and not rendered: %v", err)
		}
		again, err := templates.ReadATAKPreferences(pref)
		if err != nil || len(again.Left) > 0 || len(again.Entries) != len(got) || len(got) > 0 && !reflect.DeepEqual(again.Entries, got) {
			t.Errorf("got %v, %v, want %v", again.Entries, err, got)
		}
	})
}

func isWidget(e templates.Entry) bool { return e.Key == "displayServerConnectionWidget" }

func TestTheWidgetIsATAKsAlone(t *testing.T) {
	for _, value := range []string{"true", "false"} {
		p := templates.Preferences{Connections: []templates.Connection{connection()}, Entries: []templates.Entry{{"displayServerConnectionWidget", templates.Boolean, value}}}
		if pref, err := templates.RenderUnindexedPreferences(p); err != nil || strings.Contains(string(pref), "Widget") {
			t.Errorf("%v, got\n%s", err, pref)
		}
	}
}
