package crl_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
)

// documented is the list of FreeTAKServer's documents.
const documented = `{
  "revoked_certificates": [
    {
      "serial_number": "1A2B3C4D5E6F",
      "revocation_date": "2024-03-04T10:00:00Z",
      "reason": "compromised"
    },
    {
      "serial_number": "9F8E7D6C5B4A",
      "revocation_date": "2024-03-03T15:30:00Z",
      "reason": "privilege_withdrawn"
    }
  ]
}
`

func serial(t testing.TB, s string) crl.Serial {
	t.Helper()
	n, err := crl.ParseSerial(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func sameEntries(a, b []crl.Entry) bool {
	return slices.EqualFunc(a, b, func(a, b crl.Entry) bool {
		return a.Serial == b.Serial && a.Issuer == b.Issuer && a.Reason == b.Reason && a.Date.Equal(b.Date)
	})
}

func TestParseReadsWhatPeopleWrite(t *testing.T) {
	entry := func(s, issuer, date string, reason crl.Reason) crl.Entry {
		e := crl.Entry{Serial: serial(t, s), Issuer: issuer, Reason: reason}
		if date != "" {
			var err error
			if e.Date, err = time.Parse(time.RFC3339, date); err != nil {
				t.Fatal(err)
			}
		}
		return e
	}
	one := func(members string) string { return `{"revoked_certificates": [{` + members + `}]}` }
	for _, test := range []struct {
		name, in string
		want     []crl.Entry
	}{
		{"the documents' own", documented, []crl.Entry{
			entry("1a2b3c4d5e6f", "", "2024-03-04T10:00:00Z", crl.KeyCompromise),
			entry("9f8e7d6c5b4a", "", "2024-03-03T15:30:00Z", crl.PrivilegeWithdrawn),
		}},
		{"no entries", `{"revoked_certificates":[]}`, nil},
		{"byte order mark", "\ufeff" + one(`"serial_number": "1A"`), []crl.Entry{entry("1a", "", "", 0)}},
		{"blanks around", "\r\n\t " + one(`"serial_number": "1A"`) + "\r\n\r\n", []crl.Entry{entry("1a", "", "", 0)}},
		{"serial alone", one(`"serial_number": "1A"`), []crl.Entry{entry("1a", "", "", 0)}},
		{"serial with colons", one(`"serial_number": "0x00:1A:2b"`), []crl.Entry{entry("1a2b", "", "", 0)}},
		{"escapes", one(`"serial\u005fnumber": "1\u0041", "reason": "key\u005Fcompromise"`), []crl.Entry{entry("1a", "", "", crl.KeyCompromise)}},
		{"nulls", one(`"serial_number": "1A", "revocation_date": null, "reason": null, "issuer": null`), []crl.Entry{entry("1a", "", "", 0)}},
		{"a reason of somebody's own", one(`"serial_number": "1A", "reason": "lost in the river"`), []crl.Entry{entry("1a", "", "", 0)}},
		{"a reason that is a number", one(`"serial_number": "1A", "reason": 1`), []crl.Entry{entry("1a", "", "", 0)}},
		{"a reason that is an object", one(`"serial_number": "1A", "reason": {"code": [1]}, "revocation_date": "2024-03-04"`),
			[]crl.Entry{entry("1a", "", "2024-03-04T00:00:00Z", 0)}},
		{"an issuer as openssl prints it", one(`"serial_number": "1A", "issuer": "0A:1B:2C"`), []crl.Entry{entry("1a", "0a1b2c", "", 0)}},
		{"an empty issuer", one(`"serial_number": "1A", "issuer": ""`), []crl.Entry{entry("1a", "", "", 0)}},
		{"names that mean nothing to us", `{"version": 3, "a": {"revoked_certificates": [{"serial_number": "FF"}]}, "revoked_certificates": [
			{"by": "tom", "serial_number": "1A", "x": {"serial_number": "EE"}, "revoked_certificates": [], "y": [1, {}]}], "z": null}`,
			[]crl.Entry{entry("1a", "", "", 0)}},
		{"a note in Latin-1", one(`"serial_number": "1A", "note": "J` + "\xf6" + `rg", "reason": "` + "\xf6" + `"`), []crl.Entry{entry("1a", "", "", 0)}},
		{"a name in another case is another name", one(`"serial_number": "1A", "Reason": "superseded"`), []crl.Entry{entry("1a", "", "", 0)}},
		{"twice the same", `{"revoked_certificates": [{"serial_number": "1A"}, {"serial_number": "1a"}]}`,
			[]crl.Entry{entry("1a", "", "", 0), entry("1a", "", "", 0)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := crl.Parse([]byte(test.in))
			if err != nil {
				t.Fatal(err)
			}
			if !sameEntries(l.Entries(), test.want) || l.Len() != len(test.want) {
				t.Errorf("got  %v\nwant %v", l.Entries(), test.want)
			}
			if got := l.Bytes(); !bytes.Equal(got, []byte(test.in)) {
				t.Errorf("untouched it became\n%s", got)
			}
		})
	}
}

func TestParseReadsDatesAsPeopleAndProgramsWriteThem(t *testing.T) {
	at := time.Date(2024, 3, 4, 10, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, in string
		want     time.Time
	}{
		{"RFC 3339", "2024-03-04T10:00:00Z", at},
		{"an offset", "2024-03-04T11:30:00+01:30", at},
		{"an offset without a colon", "2024-03-04T05:00:00-0500", at},
		{"an offset of hours", "2024-03-04T11:00:00+01", at},
		{"without a zone", "2024-03-04T10:00:00", at},
		{"utcnow().isoformat() + 'Z'", "2024-03-04T10:00:00.123456Z", at.Add(123456 * time.Microsecond)},
		{"utcnow().isoformat()", "2024-03-04T10:00:00.123456", at.Add(123456 * time.Microsecond)},
		{"now(timezone.utc).isoformat() + 'Z'", "2024-03-04T10:00:00.5+00:00Z", at.Add(time.Second / 2)},
		{"str(datetime)", "2024-03-04 10:00:00+00:00", at},
		{"lower case", "2024-03-04t10:00:00z", at},
		{"minutes", "2024-03-04 10:00", at},
		{"minutes and zone", "2024-03-04T10:00Z", at},
		{"a day", "2024-03-04", at.Add(-10 * time.Hour)},
		{"blanks around", " 2024-03-04T10:00:00Z ", at},
		{"the first of 1990", "1990-01-01T00:00:00Z", time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"one to come", "2124-03-04T10:00:00Z", at.AddDate(100, 0, 0)},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := crl.Parse([]byte(`{"revoked_certificates": [{"serial_number": "1A", "revocation_date": "` + test.in + `"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			if got := l.Entries()[0].Date; !got.Equal(test.want) || got.Location() != time.UTC {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestParseTellsLineAndColumnOfWhatCannotBeRight(t *testing.T) {
	const empty = `the list is empty`
	for _, test := range []struct{ name, in, err string }{
		{"nothing", "", "line 1, column 1: " + empty},
		{"blanks", " \r\n\t", "line 1, column 1: " + empty},
		{"a byte order mark alone", "\ufeff", "line 1, column 1: " + empty},
		{"zeros, as a power cut leaves them", "\x00\x00\x00", `line 1, column 1: invalid character '\x00' at start of value`},
		{"UTF-16", "\xff\xfe{\x00}\x00", "line 1, column 1: the list is in UTF-16, as some Windows programs write it: it must be UTF-8"},
		{"PEM", "-----BEGIN X509 CRL-----\n", "line 1, column 1: this is PEM, as FreeTAKServer loads it, and not the list in JSON"},
		{"an empty object", "{}", `line 1, column 1: the list has no "revoked_certificates", and may not be taken for an empty one`},
		{"a slip in the name", "\n {\"revoked_certs\": []}", `line 2, column 2: the list has no "revoked_certificates", and may not be taken for an empty one`},
		{"an array", `[]`, `line 1, column 1: the list must be an object that has "revoked_certificates", not an array`},
		{"a string", `"revoked"`, `line 1, column 1: the list must be an object that has "revoked_certificates", not a string`},
		{"null for entries", `{"revoked_certificates": null}`, `line 1, column 26: "revoked_certificates" must be an array, not null`},
		{"an object for entries", `{"revoked_certificates": {}}`, `line 1, column 26: "revoked_certificates" must be an array, not an object`},
		{"a bare serial", `{"revoked_certificates": ["1A"]}`, `line 1, column 27: an entry must be an object that has "serial_number", not a string`},
		{"an array in the array", `{"revoked_certificates": [[]]}`, `line 1, column 27: an entry must be an object that has "serial_number", not an array`},
		{"an entry without a serial", "{\"revoked_certificates\": [\n  {\"serial\": \"1A\"}\n]}", `line 2, column 3: the entry has no "serial_number"`},
		{"the entries twice", `{"revoked_certificates": [], "revoked_certificates": []}`,
			`line 1, column 30: the name "revoked_certificates" comes twice in one object`},
		{"a serial twice", `{"revoked_certificates": [{"serial_number": "1A", "serial_number": "1B"}]}`,
			`line 1, column 51: the name "serial_number" comes twice in one object`},
		{"a foreign name twice", `{"revoked_certificates": [], "x": {"y": 1, "y": 1}}`, `line 1, column 44: the name "y" comes twice in one object`},
		{"a serial that is a number", `{"revoked_certificates": [{"serial_number": 1234}]}`,
			`line 1, column 45: "serial_number" is the number 1234, which may be meant as decimal or as hex: write it in hex, and in quotes`},
		{"a serial that is a huge number", `{"revoked_certificates": [{"serial_number": ` + strings.Repeat("1", 200) + `}]}`,
			`line 1, column 45: "serial_number" is the number ` + strings.Repeat("1", 80) + `…, which may be meant as decimal or as hex: write it in hex, and in quotes`},
		{"a serial that is null", `{"revoked_certificates": [{"serial_number": null}]}`, `line 1, column 45: "serial_number" must be a string, not null`},
		{"a serial that is true", `{"revoked_certificates": [{"serial_number": true}]}`, `line 1, column 45: "serial_number" must be a string, not true or false`},
		{"a serial that is an object", `{"revoked_certificates": [{"serial_number": {}}]}`, `line 1, column 45: "serial_number" must be a string, not an object`},
		{"a serial of no hex", "{\n  \"revoked_certificates\": [\n    {\n      \"serial_number\": \"1A2O\"\n",
			`line 4, column 24: "serial_number" "1A2O" is no serial number in hex: 'O' is no hex digit`},
		{"a serial of nothing", `{"revoked_certificates": [{"serial_number": ""}]}`, `line 1, column 45: "serial_number" "" is no serial number in hex: it has no digits`},
		{"a column counts characters", `{"grüße": 1, "revoked_certificates": [{"serial_number": "x"}]}`,
			`line 1, column 57: "serial_number" "x" is no serial number in hex: 'x' is no hex digit`},
		{"a byte order mark is no column", "\ufeff" + `{"revoked_certificates": null}`, `line 1, column 26: "revoked_certificates" must be an array, not null`},
		{"a date in 1887", `{"revoked_certificates": [{"serial_number": "1A", "revocation_date": "1887-03-04T10:00:00Z"}]}`,
			`line 1, column 70: "revocation_date" "1887-03-04T10:00:00Z": it lies before 1990`},
		{"a date that is none", `{"revoked_certificates": [{"serial_number": "1A", "revocation_date": "yesterday"}]}`,
			`line 1, column 70: "revocation_date" "yesterday": it is no date in the form "2024-03-04T10:00:00Z"`},
		{"a 30th of February", `{"revoked_certificates": [{"serial_number": "1A", "revocation_date": "2024-02-30T10:00:00Z"}]}`,
			`line 1, column 70: "revocation_date" "2024-02-30T10:00:00Z": it is no date in the form "2024-03-04T10:00:00Z"`},
		{"a date that is a number", `{"revoked_certificates": [{"serial_number": "1A", "revocation_date": 1709546400}]}`,
			`line 1, column 70: "revocation_date" must be a string, not a number`},
		{"an issuer that is a name", `{"revoked_certificates": [{"serial_number": "1A", "issuer": "Valley Rescue CA"}]}`,
			`line 1, column 61: "issuer" "Valley Rescue CA": it is no key identifier in hex, as openssl prints it`},
		{"an issuer of blanks", `{"revoked_certificates": [{"serial_number": "1A", "issuer": " : "}]}`,
			`line 1, column 61: "issuer" " : ": it is no key identifier in hex, as openssl prints it`},
		{"half an octet of an issuer", `{"revoked_certificates": [{"serial_number": "1A", "issuer": "123"}]}`,
			`line 1, column 61: "issuer" "123": it is no key identifier in hex, as openssl prints it`},
		{"a comma too many", "{\"revoked_certificates\": [\n{\"serial_number\": \"1A\"},,]}", "line 2, column 25: a comma too many"},
		{"a comma at the end", "{\"revoked_certificates\": [\n{\"serial_number\": \"1A\"},\n]}", "line 2, column 24: a comma too many"},
		{"a missing comma", "{\"revoked_certificates\": [\n{\"serial_number\": \"1A\"}\n{}]}",
			"line 3, column 1: invalid character '{' after array element (expecting ',' or ']')"},
		{"a missing quote", "{\"revoked_certificates\": [\n{\"serial_number\": \"1A}]}\n", "line 2, column 25: a string does not end on its line: a quote is missing"},
		{"broken off", documented[:60], "line 4, column 25: the list breaks off"},
		{"broken off at a line's end", "{\n", "line 2, column 1: the list breaks off"},
		{"something after it", "{\"revoked_certificates\": []}\n{\"x\": 1}", "line 2, column 1: there is something after the end of the list"},
		{"a word after it", "{\"revoked_certificates\": []} end", "line 1, column 30: there is something after the end of the list"},
		{"a number after it", "{\"revoked_certificates\": []} 1234", "line 1, column 30: there is something after the end of the list"},
		{"a comment", "// ours\n{}", "line 1, column 1: invalid character '/' at start of value"},
		{"too deep", `{"x": ` + strings.Repeat("[", 20000), "line 1, column 10006: exceeded max depth"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := crl.Parse([]byte(test.in))
			var at *crl.SyntaxError
			if l != nil || !errors.As(err, &at) || err.Error() != test.err {
				t.Errorf("got  %v\nwant %s", err, test.err)
			}
		})
	}
}
