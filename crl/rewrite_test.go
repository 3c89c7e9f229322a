package crl_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
)

func parse(t testing.TB, text string) *crl.List {
	t.Helper()
	l, err := crl.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return l
}

// is matches entries by their serials.
func is(t testing.TB, serials ...string) func(crl.Entry) bool {
	t.Helper()
	known := map[crl.Serial]bool{}
	for _, s := range serials {
		known[serial(t, s)] = true
	}
	return func(e crl.Entry) bool { return known[e.Serial] }
}

// handwritten is what another hand writes around three entries.
const handwritten = "\ufeff{ \"comment\": \"ask Tom\",\r\n  \"revoked_certificates\" : [ \r\n" +
	"    { \"who\": \"bob\", \"serial_number\": \"00:aa:BB\" , \"reason\": \"lost in the river\", \"tags\": [\"a\", {\"b\": \"]\"}] }  ,\r\n" +
	"\t{\"reason\":\"compromised\",\"serial_number\":\"0xCC\"},\r\n" +
	"    {\r\n      \"serial_number\": \"dd\",\r\n      \"revocation_date\": \"2024-03-04\"\r\n    }\r\n ],\r\n \"version\": 3.0e1, \"note\": \"J\xf6rg\"}"

func TestRemoveKeepsAllElseAsItWasWritten(t *testing.T) {
	const (
		head  = "\ufeff{ \"comment\": \"ask Tom\",\r\n  \"revoked_certificates\" : ["
		bob   = "{ \"who\": \"bob\", \"serial_number\": \"00:aa:BB\" , \"reason\": \"lost in the river\", \"tags\": [\"a\", {\"b\": \"]\"}] }"
		cc    = "{\"reason\":\"compromised\",\"serial_number\":\"0xCC\"}"
		dd    = "{\r\n      \"serial_number\": \"dd\",\r\n      \"revocation_date\": \"2024-03-04\"\r\n    }"
		tail  = "\r\n ],\r\n \"version\": 3.0e1, \"note\": \"J\xf6rg\"}"
		first = " \r\n    "
	)
	for _, test := range []struct {
		name    string
		serials []string
		want    string
	}{
		{"none", []string{"ff"}, handwritten},
		{"the first", []string{"aabb"}, head + first + cc + ",\r\n    " + dd + tail},
		{"one between", []string{"cc"}, head + first + bob + ",\r\n    " + dd + tail},
		{"the last", []string{"dd"}, head + first + bob + "  ,\r\n\t" + cc + tail},
		{"the first two", []string{"aabb", "cc"}, head + first + dd + tail},
		{"the last two", []string{"cc", "dd"}, head + first + bob + tail},
		{"all", []string{"aabb", "cc", "dd"}, head + tail},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := parse(t, handwritten)
			before := l.Len()
			removed := l.Remove(is(t, test.serials...))
			if got := string(l.Bytes()); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			again := parse(t, string(l.Bytes()))
			if !sameEntries(again.Entries(), l.Entries()) || l.Len()+len(removed) != before {
				t.Errorf("it says %v, its text %v, removed were %v", l.Entries(), again.Entries(), removed)
			}
			for _, s := range test.serials {
				if l.Contains(serial(t, s), "") {
					t.Errorf("%s is still there", s)
				}
			}
			// What is added afterwards goes where it would have gone.
			e := crl.Entry{Serial: serial(t, "ee")}
			l.Add(e)
			again.Add(e)
			if got, want := l.Bytes(), again.Bytes(); !bytes.Equal(got, want) {
				t.Errorf("with an addition got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestRemoveTakesOutWhatWasJustAdded(t *testing.T) {
	l := crl.NewList()
	want := string(l.Bytes())
	for _, e := range additions(t) {
		l.Add(e)
	}
	if got := l.Remove(is(t, "feed01", "0", "feed02")); len(got) != 3 {
		t.Errorf("removed %v", got)
	}
	parse(t, string(l.Bytes()))
	if l.Len() != 0 || strings.Join(strings.Fields(string(l.Bytes())), "") != strings.Join(strings.Fields(want), "") {
		t.Errorf("got %s", l.Bytes())
	}
}

func TestRemoveMindsTheIssuer(t *testing.T) {
	l := parse(t, `{"revoked_certificates": [{"serial_number": "1A", "issuer": "0c"}, {"serial_number": "1A"}, {"serial_number": "1A"}]}`)
	l.Remove(func(e crl.Entry) bool { return e.Issuer == "" })
	if want := `{"revoked_certificates": [{"serial_number": "1A", "issuer": "0c"}]}`; string(l.Bytes()) != want {
		t.Errorf("got %s", l.Bytes())
	}
}

func TestSetReasonChangesOneWordOnly(t *testing.T) {
	for _, test := range []struct {
		name, in, serial string
		reason           crl.Reason
		want             string
	}{
		{"replaced", `[{"reason": "certificate_hold", "serial_number": "1A"}]`, "1A", crl.KeyCompromise,
			`[{"reason": "key_compromise", "serial_number": "1A"}]`},
		{"of null", `[{"serial_number": "1A", "reason": null}]`, "1A", crl.Superseded, `[{"serial_number": "1A", "reason": "superseded"}]`},
		{"of an object", `[{"serial_number": "1A", "reason": {"code": [6]}, "x": 1}]`, "1A", crl.Superseded,
			`[{"serial_number": "1A", "reason": "superseded", "x": 1}]`},
		{"of none", `[{"serial_number": "1A" }]`, "1A", crl.Superseded, `[{"serial_number": "1A","reason": "superseded" }]`},
		{"of none behind a blank", `[{"serial_number": "1A", "x": "y"}]`, "1A", crl.Superseded,
			`[{"serial_number": "1A", "x": "y", "reason": "superseded"}]`},
		{"of none on its own line", "[{\r\n\t\"serial_number\": \"1A\",\r\n\t\"x\": {\"reason\": 1}\r\n}]", "1A", crl.Superseded,
			"[{\r\n\t\"serial_number\": \"1A\",\r\n\t\"x\": {\"reason\": 1},\r\n\t\"reason\": \"superseded\"\r\n}]"},
		{"the same in the documents' word", `[{"serial_number": "1A", "reason": "compromised"}]`, "1A", crl.KeyCompromise,
			`[{"serial_number": "1A", "reason": "compromised"}]`},
		{"every entry of a serial", `[{"serial_number": "1A"}, {"serial_number": "1B"}, {"serial_number": "1a", "issuer": "0c"}]`, "1A", crl.AACompromise,
			`[{"serial_number": "1A","reason": "aa_compromise"}, {"serial_number": "1B"}, {"serial_number": "1a", "issuer": "0c", "reason": "aa_compromise"}]`},
		{"no reason at all", `[{"serial_number": "1A"}]`, "1A", 7, `[{"serial_number": "1A"}]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := parse(t, `{"revoked_certificates": `+test.in+`}`)
			l.SetReason(is(t, test.serial), test.reason)
			want := `{"revoked_certificates": ` + test.want + `}`
			if got := string(l.Bytes()); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if again := parse(t, want); !sameEntries(again.Entries(), l.Entries()) {
				t.Errorf("it says %v, its text %v", l.Entries(), again.Entries())
			}
		})
	}
}

func TestFormatWritesTheDocumentsFormAndLosesNothing(t *testing.T) {
	for _, test := range []struct{ name, in string }{
		{"documented", documented},
		{"handwritten", handwritten},
		{"empty", `{"revoked_certificates":[]}`},
		{"every spelling", `{"revoked_certificates":[
{"serial_number":"0x00:1A:2b","revocation_date":"2024-03-04 11:00:00.250+01:00","reason":"keyCompromise","issuer":"0A:1b"},
{"serial_number":"1A 2C","revocation_date":null,"reason":null},
{"serial_number":"1A2D","revocation_date":"2024-03-04T10:00:00.500Z","reason":"Compromised"},
{"serial_number":"1A2E","reason":["lost",{"where":"river"}],"serial":"1A2F","n":1.50e+3,"escaped":"\u00e4\/"},
{"serial_number":"1A2D"},
{"reason":"cessationOfOperation","serial\u005fnumber":"\u0031A30"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := parse(t, test.in)
			before := l.Entries()
			if err := l.Format(); err != nil {
				t.Fatal(err)
			}
			golden(t, "format_"+strings.ReplaceAll(test.name, " ", "_")+".json", l.Bytes())
			if !sameEntries(l.Entries(), before) {
				t.Errorf("got  %v\nwant %v", l.Entries(), before)
			}
			once := bytes.Clone(l.Bytes())
			if err := l.Format(); err != nil || !bytes.Equal(l.Bytes(), once) {
				t.Errorf("formatted again it is, %v,\n%s", err, l.Bytes())
			}
		})
	}
}

// What ftsca writes itself has the documents' form already.
func TestFormatLeavesWhatAddWrites(t *testing.T) {
	l := crl.NewList()
	for _, e := range additions(t) {
		l.Add(e)
	}
	want := bytes.Clone(l.Bytes())
	if err := l.Format(); err != nil || !bytes.Equal(l.Bytes(), want) {
		t.Errorf("got, %v,\n%s\nwant\n%s", err, l.Bytes(), want)
	}
}

func TestExceptLetsGoWhatWasReleasedAndNothingRevokedSince(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 6, n, 12, 0, 0, 0, time.UTC) }
	released := []crl.Entry{
		{Serial: serial(t, "1A"), Date: day(10)},
		{Serial: serial(t, "1B"), Issuer: "0A", Date: day(10)},
		{Serial: serial(t, "1C"), Date: day(5)},
		{Serial: serial(t, "1C"), Date: day(10)},
	}
	for _, test := range []struct {
		name string
		e    crl.Entry
		left bool
	}{
		{"another serial", crl.Entry{Serial: serial(t, "1D"), Date: day(1)}, true},
		{"revoked before", crl.Entry{Serial: serial(t, "1A"), Date: day(1)}, false},
		{"at the same time", crl.Entry{Serial: serial(t, "1A"), Date: day(10)}, false},
		{"at no time", crl.Entry{Serial: serial(t, "1A")}, false},
		{"of one issuer, released for all", crl.Entry{Serial: serial(t, "1A"), Issuer: "0b", Date: day(1)}, false},
		{"revoked since", crl.Entry{Serial: serial(t, "1A"), Date: day(11)}, true},
		{"of every issuer, released for one", crl.Entry{Serial: serial(t, "1B"), Date: day(1)}, true},
		{"of that issuer", crl.Entry{Serial: serial(t, "1B"), Issuer: "0a", Date: day(1)}, false},
		{"of another issuer", crl.Entry{Serial: serial(t, "1B"), Issuer: "0b", Date: day(1)}, true},
		{"released twice", crl.Entry{Serial: serial(t, "1C"), Date: day(7)}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := crl.Except([]crl.Entry{test.e}, released); len(got) == 1 != test.left {
				t.Errorf("left are %v", got)
			}
			if got := crl.Except([]crl.Entry{test.e}, nil); len(got) != 1 {
				t.Errorf("without a release, left are %v", got)
			}
		})
	}
}

// Whatever is done to a list, all else in it stays, and it says what its text says.
func FuzzRewrite(f *testing.F) {
	for _, seed := range []string{documented, handwritten, `{"revoked_certificates":[]}`,
		`{"revoked_certificates":[{"serial_number":"1","reason":{}},{"serial_number":"2"}]}`,
		`{"revoked_certificates":[{"serial_number":"1","reason":"x"},{"x":[{}],"serial_number":"1"}],"revoked":[{"serial_number":"3"}]}`} {
		f.Add([]byte(seed), uint(2))
	}
	f.Fuzz(func(t *testing.T, data []byte, which uint) {
		if _, err := crl.Parse(data); err != nil {
			return
		}
		whole := func(l *crl.List, want []crl.Entry) {
			t.Helper()
			again, err := crl.Parse(l.Bytes())
			if err != nil {
				t.Fatalf("%q became %q: %v", data, l.Bytes(), err)
			}
			if !sameEntries(l.Entries(), want) || !sameEntries(again.Entries(), want) {
				t.Errorf("it says %v, its text %v, want %v", l.Entries(), again.Entries(), want)
			}
			e := crl.Entry{Serial: serial(t, "feed0123456789")}
			l.Add(e)
			again.Add(e)
			if got, want := l.Bytes(), again.Bytes(); !bytes.Equal(got, want) {
				t.Errorf("with an addition it is %q, its text %q", got, want)
			}
		}
		chosen := func() func(crl.Entry) bool {
			i := uint(0)
			return func(crl.Entry) bool { i++; return which>>((i-1)%32)&1 == 1 }
		}
		l := parse(t, string(data))
		var kept, removed []crl.Entry
		pick := chosen()
		for _, e := range l.Entries() {
			if pick(e) {
				removed = append(removed, e)
			} else {
				kept = append(kept, e)
			}
		}
		if got := l.Remove(chosen()); !sameEntries(got, removed) {
			t.Errorf("removed %v, want %v", got, removed)
		}
		if len(removed) == 0 && !bytes.Equal(l.Bytes(), data) {
			t.Errorf("%q, untouched, became %q", data, l.Bytes())
		}
		whole(l, kept)

		l = parse(t, string(data))
		want := bytes.Clone(data)
		entries := append([]crl.Entry(nil), l.Entries()...)
		pick = chosen()
		changed := 0
		for i, e := range entries {
			if pick(e) && e.Reason != crl.AACompromise {
				entries[i].Reason = crl.AACompromise
				changed++
			}
		}
		if got := l.SetReason(chosen(), crl.AACompromise); got != changed {
			t.Errorf("changed %d reasons, want %d", got, changed)
		}
		if changed == 0 && !bytes.Equal(l.Bytes(), want) {
			t.Errorf("%q, untouched, became %q", want, l.Bytes())
		}
		whole(l, entries)

		l = parse(t, string(data))
		entries = l.Entries()
		if err := l.Format(); err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		once := bytes.Clone(l.Bytes())
		if err := l.Format(); err != nil || !bytes.Equal(l.Bytes(), once) {
			t.Errorf("%q formatted again is, %v, %q", once, err, l.Bytes())
		}
		whole(l, entries)
	})
}
