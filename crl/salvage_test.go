package crl_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/ftsca/ftsca/crl"
)

func toUTF16(s string) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

func TestSalvageReadsWhatABrokenListStillSays(t *testing.T) {
	date1, date2 := time.Date(2024, 3, 4, 10, 0, 0, 0, time.UTC), time.Date(2024, 3, 3, 15, 30, 0, 0, time.UTC)
	first := crl.Entry{Serial: serial(t, "1A2B3C4D5E6F"), Date: date1, Reason: crl.KeyCompromise}
	second := crl.Entry{Serial: serial(t, "9F8E7D6C5B4A"), Date: date2, Reason: crl.PrivilegeWithdrawn}
	bare := func(serials ...string) []crl.Entry {
		var entries []crl.Entry
		for _, s := range serials {
			entries = append(entries, crl.Entry{Serial: serial(t, s)})
		}
		return entries
	}
	both := []crl.Entry{first, second}
	replace := func(old, new string) string {
		if !strings.Contains(documented, old) {
			t.Fatalf("there is no %q", old)
		}
		return strings.Replace(documented, old, new, 1)
	}
	for _, test := range []struct {
		name, in string
		want     []crl.Entry
	}{
		{"nothing", "", nil},
		{"garbage", "\x00\xff{{{[[[\"", nil},
		{"a whole list", documented, both},
		{"a comma too many", replace("},\n", "},,\n"), both},
		{"a comma at the end", replace("}\n  ]", "},\n  ]"), both},
		{"a missing comma", replace("},\n", "}\n"), both},
		{"a missing comma within", replace(`E6F",`, `E6F"`), both},
		{"a missing quote at a name", replace(`"serial_number": "1A`, `serial_number": "1A`), both},
		{"a missing quote at a serial", replace(`E6F",`, `E6F,`), both[1:]},
		{"a missing quote at a date", replace(`10:00:00Z",`, `10:00:00Z,`), []crl.Entry{{Serial: first.Serial, Reason: first.Reason}, second}},
		{"a missing brace", replace("    },\n    {", "    \n    "), both},
		{"a missing closing brace", replace("    },\n    {", "    \n    {"), both},
		{"single quotes", strings.ReplaceAll(documented, `"`, `'`), both},
		{"a date that is none", replace("2024-03-04T10:00:00Z", "tomorrow"), []crl.Entry{{Serial: first.Serial, Reason: first.Reason}, second}},
		{"a serial of no hex", replace("1A2B", "1O2B"), both[1:]},
		{"a serial that is a number", replace(`"1A2B3C4D5E6F"`, `123456`), both[1:]},
		{"an issuer that is a name", replace(`"reason": "compromised"`, `"reason": "compromised", "issuer": "Tom"`), both},
		{"the list's name misspelt", replace("revoked_certificates", "revoked_certs"), both},
		{"the head is gone", documented[40:], both},
		{"the tail is gone", documented[:len(documented)-12], both},
		{"cut in the second entry's date", documented[:strings.Index(documented, "03T15")], append(both[:1:1], bare("9F8E7D6C5B4A")...)},
		{"cut in the second serial", documented[:strings.Index(documented, "6C5B4A")], both[:1]},
		{"written over from the start", documented[:170] + documented, append(append([]crl.Entry{}, first), both...)},
		{"something after it", documented + `{"serial_number": "EE"}`, append(both[:2:2], bare("EE")...)},
		{"a serial twice", `{"revoked_certificates": [{"serial_number": "1A", "serial_number": "1B", "serial_number": "1C"}]}`, bare("1C", "1A", "1B")},
		{"the list twice", `{"revoked_certificates": [{"serial_number": "1A"}], "revoked_certificates": [{"serial_number": "1B"}]}`, bare("1A", "1B")},
		{"bare serials among the entries", `{"revoked_certificates": ["x", 5, null, [{}], {"serial_number": "1A"}]}`, bare("1A")},
		{"another's issuer stays another's", `{"revoked_certificates": [,
			{"serial_number": "1A", "issuer": "0c" "serial_number": "1B" } {"issuer": "0d"} "serial_number": "1C", {"issuer": "0e", "serial_number": "1D"`,
			[]crl.Entry{{Serial: serial(t, "1A"), Issuer: "0c"}, {Serial: serial(t, "1B")}, {Serial: serial(t, "1C")}, {Serial: serial(t, "1D"), Issuer: "0e"}}},
		{"what a whole list says elsewhere", `{"revoked_certificates": [{"serial_number": "1A", "was": {"serial_number": "EE"}}], "restored": [{"serial_number": "EF"}]}`, bare("1A")},
		{"one entry without its array, as PowerShell writes it", `{"revoked_certificates": {"serial_number": "1A", "reason": "superseded"}}`,
			[]crl.Entry{{Serial: serial(t, "1A"), Reason: crl.Superseded}}},
		{"another name that ends alike", `{"revoked_certificates": [,{"old_serial_number": "EE", "serial_numbers": "EF"}]}`, nil},
		{"byte order mark", "\ufeff" + documented[:len(documented)-5], both},
		{"UTF-16", string(toUTF16(documented)), both},
		{"UTF-16 cut within a character", string(toUTF16(documented)[:2*len(documented)-9]), both},
		{"an X.509 list", string(fixture(t, "v1.pem")), []crl.Entry{
			{Serial: serial(t, "C7FE"), Date: time.Date(2024, 3, 5, 10, 0, 0, 0, time.UTC)},
			{Serial: serial(t, "1A2B3C4D5E6F"), Date: date1}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := crl.Salvage([]byte(test.in)); !sameEntries(got, test.want) {
				t.Errorf("got  %v\nwant %v", got, test.want)
			}
		})
	}
}

func TestASlipCostsNoEntryButTheOneItIsIn(t *testing.T) {
	texts := []string{"1A2B3C4D5E6F", "9F8E7D6C5B4A"}
	for i := range documented {
		for name, broken := range map[string]string{
			"cut off":   documented[:i],
			"left out":  documented[:i] + documented[i+1:],
			"a letter":  documented[:i] + "x" + documented[i+1:],
			"a quote":   documented[:i] + `"` + documented[i:],
			"a brace":   documented[:i] + "{" + documented[i:],
			"a bracket": documented[:i] + "]" + documented[i:],
			"a slash":   documented[:i] + `\` + documented[i:],
			"a zero":    documented[:i] + "\x00" + documented[i:],
		} {
			found := crl.NewList()
			for _, e := range crl.Salvage([]byte(broken)) {
				found.Add(e)
			}
			for _, text := range texts {
				start := strings.Index(documented, `"serial_number": "`+text)
				end := start + len(`"serial_number": "`+text+`"`)
				touched := i >= start && i < end || name == "cut off" && i < end
				if !touched && !found.Contains(serial(t, text), "") {
					t.Errorf("%s at %d (%q): %s is lost", name, i, documented[max(0, i-10):i], text)
				}
			}
		}
	}
}

// A hostile or unlucky text must not hold up a revocation.
func TestSalvageTakesTimeInProportion(t *testing.T) {
	for name, unit := range map[string]string{
		"braces":   "{",
		"objects":  `{"a":`,
		"names":    `"serial_number"`,
		"entries":  `{"serial_number":"1A`,
		"quotes":   `"serial_number":"1A"`,
		"brackets": "[",
		"PEM":      "-----BEGIN X509 CRL-----\n",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			crl.Salvage([]byte(strings.Repeat(unit, 1<<20/len(unit))))
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("a mebibyte of %s took %v", unit, took)
			}
		})
	}
}
