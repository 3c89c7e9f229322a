package crl_test

import (
	"bytes"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/crl"
)

func TestParseForeignKnowsEveryFormByItsContent(t *testing.T) {
	block, _ := pem.Decode(fixture(t, "v1.pem"))
	two := slices.Concat([]byte("# two of them\n"), fixture(t, "v1.pem"), fixture(t, "ca.pem"), fixture(t, "v1_empty.pem"))
	for _, test := range []struct {
		name    string
		in      string
		decimal bool
		form    crl.Form
		serials string // in hex
		lists   int
	}{
		{"FreeTAKServer's", `{"439041101": "bob", "0255": null, "7": ""}`, false, crl.FormUsers, "1a2b3c4d ff 07", 0},
		{"FreeTAKServer's, empty", "{}", false, crl.FormUsers, "", 0},
		{"FreeTAKServer's, behind a mark", "\ufeff {\"16\": \"bob\"}\n", false, crl.FormUsers, "10", 0},
		{"the documents'", documented, false, crl.FormJSON, "1a2b3c4d5e6f 9f8e7d6c5b4a", 0},
		{"the documents', in UTF-16", string(toUTF16(documented)), false, crl.FormJSON, "1a2b3c4d5e6f 9f8e7d6c5b4a", 0},
		{"a plain one", "# lost in June\r\n1A:2B\r\n\r\n 0x3c  # the ridge\n00ff", false, crl.FormSerials, "1a2b 3c ff", 0},
		{"a plain one of digits", "1234\n123456789012345678901234", false, crl.FormSerials, "1234 123456789012345678901234", 0},
		{"a long one of digits", "0x1234567890123456789012345678901234567890", false, crl.FormSerials, "1234567890123456789012345678901234567890", 0},
		{"a plain one in decimal", "255\n439041101\n", true, crl.FormSerials, "ff 1a2b3c4d", 0},
		{"a plain one with no serials", "# none\n", false, crl.FormSerials, "", 0},
		{"PEM, version 1", string(fixture(t, "v1.pem")), false, crl.FormX509, "", 1},
		{"DER, version 1", string(block.Bytes), false, crl.FormX509, "", 1},
		{"DER, version 2", string(fixture(t, "v2.der")), false, crl.FormX509, "", 1},
		{"several in PEM", string(two), false, crl.FormX509, "", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := crl.ParseForeign([]byte(test.in), test.decimal)
			if err != nil {
				t.Fatal(err)
			}
			var serials []string
			for _, e := range f.Entries {
				serials = append(serials, e.Serial.String())
			}
			if got := strings.Join(serials, " "); f.Form != test.form || got != test.serials || len(f.Lists) != test.lists {
				t.Errorf("got %s, %q, %d lists", f.Form, got, len(f.Lists))
			}
		})
	}
	f, err := crl.ParseForeign([]byte(`{"255": "J\u00f6rg"}`), false)
	if err != nil || f.Users[serial(t, "ff")] != "Jörg" {
		t.Errorf("got users %v, %v", f.Users, err)
	}
}

func TestParseForeignTellsWhatIsWrongAndWhere(t *testing.T) {
	for _, test := range []struct {
		name    string
		in      string
		decimal bool
		err     string
	}{
		{"nothing", " \n", false, "line 1, column 1: the list is empty"},
		{"a user's serial in hex", "{\"12\": \"bob\",\n \"1A\": \"eve\"}", false, `line 2, column 2: "1A" is no serial number in decimal: 'A' is no digit`},
		{"a user's serial twice", `{"12": "bob", "12": "eve"}`, false, `line 1, column 15: the name "12" comes twice in one object`},
		{"a user's serial of nothing", `{"": "bob"}`, false, `line 1, column 2: "" is no serial number in decimal: it has no digits`},
		{"a user that is a number", `{"12": 13}`, false, `line 1, column 8: the user of a serial must be a string, not a number`},
		{"a serial that is too long", `{"` + strings.Repeat("9", 79) + `": "bob"}`, false,
			`line 1, column 2: "` + strings.Repeat("9", 79) + `" is no serial number in decimal: it is longer than 32 octets`},
		{"something after it", `{"12": "bob"} {}`, false, `line 1, column 15: there is something after the end of the list`},
		{"broken off", `{"12": "bob"`, false, `line 1, column 13: the list breaks off`},
		{"a slip in the documents' form", `{"revoked_certificates": [,]}`, false, `line 1, column 27: a comma too many`},
		{"a name in a plain list", "1A\nbob\n", false, `line 2, column 1: "bob" is no serial number in hex: 'o' is no hex digit`},
		{"what may be decimal", "1A\n1234567890123456789012345\n", false, `line 2, column 1: "1234567890123456789012345" is no serial number in hex: ` +
			`it has no letter, and may be meant as decimal; 0x before it says that it is hex`},
		{"hex where decimal is meant", "1A\n", true, `line 1, column 1: "1A" is no serial number in decimal: 'A' is no digit`},
		{"PEM of something else", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", false,
			`reading an X.509 revocation list: there is no whole "X509 CRL" block of PEM in it`},
		{"DER of something else", "\x30\x03\x02\x01\x00", false, "reading an X.509 revocation list: it is not a signed list"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := crl.ParseForeign([]byte(test.in), test.decimal); err == nil || err.Error() != test.err {
				t.Errorf("got  %v\nwant %s", err, test.err)
			}
		})
	}
}

func TestUncommentKeepsAGenerationsNumber(t *testing.T) {
	for in, want := range map[string]string{
		"bob#2":             "bob#2",
		"bob#2 # stolen":    "bob#2",
		"# all of them":     "",
		"  ":                "",
		"\ufeff1A\t#x\r\n":  "1A",
		"Jörg Müller #2\n":  "Jörg Müller",
		"\u200e1a2b\u200e ": "1a2b",
	} {
		if got := crl.Uncomment(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzParseForeign(f *testing.F) {
	for _, seed := range []string{`{"439041101": "bob", "7": null}`, documented, "1A\n# x\n0x2B # y\n", "{}", string(fixture(f, "v1.pem")), string(fixture(f, "v2.der"))} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, decimal bool) {
		got, err := crl.ParseForeign(data, decimal)
		if err != nil {
			return
		}
		if len(got.Entries) > len(data) || len(got.Lists) > len(data) {
			t.Errorf("%d entries and %d lists in %d octets", len(got.Entries), len(got.Lists), len(data))
		}
		// Written as plain serials, in hex or in decimal, it reads back the same.
		var hex, dec bytes.Buffer
		for _, e := range got.Entries {
			hex.WriteString("0x" + e.Serial.String() + "\n")
			dec.WriteString(e.Serial.Big().String() + "\n")
		}
		if len(got.Entries) == 0 {
			return
		}
		for form, text := range map[bool][]byte{false: hex.Bytes(), true: dec.Bytes()} {
			again, err := crl.ParseForeign(text, form)
			if err != nil || !slices.EqualFunc(again.Entries, got.Entries, func(a, b crl.Entry) bool { return a.Serial == b.Serial }) {
				t.Errorf("%v became %v, %v", got.Entries, again.Entries, err)
			}
		}
	})
}
