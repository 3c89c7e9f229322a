package check_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ftsca/ftsca/internal/check"
)

// holds looks at what must be true of every report, whatever the package.
func holds(t *testing.T, data []byte) {
	t.Helper()
	r := look(t, data)
	if len(r.Verdicts) != 4 {
		t.Fatalf("%d verdicts", len(r.Verdicts))
	}
	for _, v := range r.Verdicts {
		if len(v.Findings) == 0 || len(v.Findings) > 201 {
			t.Errorf("%s has %d findings", v.Family, len(v.Findings))
		}
		if len(v.Connections) > 16 {
			t.Errorf("%s has %d connections", v.Family, len(v.Connections))
		}
		for _, f := range v.Findings {
			if f.Rule == "" || f.Text == "" || strings.ContainsFunc(f.Text+f.Where,
				func(r rune) bool { return !unicode.IsPrint(r) }) ||
				utf8.RuneCountInString(f.Text) > 601 || utf8.RuneCountInString(f.Where) > 201 {
				t.Errorf("finding %+q", f)
			}
			if strings.Contains(f.Text, password) {
				t.Errorf("a password stands in %q", f.Text)
			}
			switch f.Level {
			case check.OK, check.Warning, check.Refusal:
			default:
				t.Errorf("level %q", f.Level)
			}
		}
		// A device with no connection cannot be content.
		if len(v.Connections) == 0 && v.Level() != check.Refusal {
			t.Errorf("%s connects to nothing, and finds no fault", v.Family)
		}
	}
	first, err := json.Marshal(r.Summary())
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(look(t, data).Summary())
	if err != nil || string(again) != string(first) {
		t.Errorf("a second look gives\n%s\nafter\n%s, %v", again, first, err)
	}
}

func FuzzPackage(f *testing.F) {
	p := newPKI(f)
	for _, data := range [][]byte{pack(f, p.byHand().items()...), p.ftsMobile(), p.ots(), p.cloudRF(), nil} {
		f.Add(data)
	}
	f.Fuzz(holds)
}

// passwordEntry is an entry of preferences with a password.
var passwordEntry = regexp.MustCompile(`Password\d*"[^>]*>(<!\[CDATA\[)?[^<]*`)

func FuzzPreferences(f *testing.F) {
	p := newPKI(f)
	h := p.byHand()
	plain := prefText(block{streams, stream("true", connect)}, block{appName, plainKeys("cert/", "ca-7f3a.p12",
		"alice-7f3a.p12")})
	for _, s := range []string{
		prefText(block{streams, h.streams}, block{appName, h.app}), plain, strings.Replace(plain, password,
			"<![CDATA["+password+"]]>", 1),
		"<preferences><entry key", "<preferences>" + strings.Repeat("<preference>", 40), "\ufeff" + plain,
		strings.Replace(plain, ":ssl", `">`+password, 1),
		`<!DOCTYPE a [<!ENTITY b "c">]><preferences><preference name="cot_streams"><entry ` +
			`key="count">&b;</entry></preference></preferences>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, pref []byte) {
		// Who writes it where an address or a file's name belongs has made it one, which a finding shows.
		if strings.Contains(passwordEntry.ReplaceAllString(string(pref), ""), password) {
			return
		}
		h := *h
		h.pref = append([]byte{}, pref...)
		holds(t, packStored(t, h.items()...))
	})
}

func FuzzManifest(f *testing.F) {
	p := newPKI(f)
	h := p.byHand()
	good := string(manifestOf(h.prefName, h.trustName, h.idName))
	for _, s := range []string{good, strings.ReplaceAll(good, "certs/", `certs\`), strings.Replace(good, `"2"`, `"1"`,
		1), "<MissionPackageManifest", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, manifest []byte) {
		h := *h
		h.manifest = append([]byte{}, manifest...)
		holds(t, packStored(t, h.items()...))
	})
}
