package crl_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant, as in %s,\n%s", got, path, want)
	}
}

// additions are an entry with everything, one with as little as can be, and one of a certain issuer.
func additions(t testing.TB) []crl.Entry {
	return []crl.Entry{
		{Serial: serial(t, "FEED01"), Date: time.Date(2026, 6, 20, 14, 0, 0, 999, time.FixedZone("", 7200)), Reason: crl.KeyCompromise},
		{Serial: serial(t, "0")},
		{Serial: serial(t, "FEED02"), Issuer: "0A:1b", Date: time.Date(2026, 6, 20, 12, 0, 1, 0, time.UTC), Reason: crl.CertificateHold},
	}
}

func TestAddKeepsWhatOthersWrote(t *testing.T) {
	for _, test := range []struct{ name, in string }{
		{"new", string(crl.NewList().Bytes())},
		{"documented", documented},
		{"compact", `{"revoked_certificates":[{"serial_number":"AA"}]}`},
		{"compact_empty", `{"revoked_certificates":[]}`},
		{"spread_empty", "{\n\t\"revoked_certificates\": [\n\t]\n}"},
		{"crlf", strings.ReplaceAll(documented, "\n", "\r\n")},
		{"bom", "\ufeff" + documented},
		{"foreign", `{
    "comment": "ask Tom before touching this",
    "revoked_certificates" : [
        { "who": "bob", "serial_number": "00:aa:BB" , "reason": "lost in the river", "tags": ["a", {"b": "]"}] }  ,
        {"reason":"compromised","serial_number":"0xCC"}

    ],
    "version": 3.0e1, "note": "J` + "\xf6" + `rg"
}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := crl.Parse([]byte(test.in))
			if err != nil {
				t.Fatal(err)
			}
			before := l.Entries()
			for _, e := range additions(t) {
				if !l.Add(e) {
					t.Errorf("%v is said to be there", e)
				}
			}
			got := l.Bytes()
			golden(t, "add_"+test.name+".json", got)
			checkAdded(t, []byte(test.in), got, before, additions(t))
		})
	}
}

// checkAdded tells whether text is before with one piece put in, and has its entries and the added ones.
func checkAdded(t testing.TB, before, after []byte, entries, added []crl.Entry) {
	t.Helper()
	head := 0
	for head < len(before) && before[head] == after[head] {
		head++
	}
	if tail := before[head:]; !bytes.HasSuffix(after[head:], tail) {
		t.Errorf("%q is no longer at the end of %q", tail, after)
	}
	l, err := crl.Parse(after)
	if err != nil {
		t.Fatalf("reading it back: %v\n%s", err, after)
	}
	if got := l.Entries(); len(got) < len(entries) || !sameEntries(got[:len(entries)], entries) {
		t.Errorf("got %v, which does not begin with %v", got, entries)
	}
	if missing := crl.Missing(l.Entries(), added); len(missing) > 0 {
		t.Errorf("%v was added and is not there", missing)
	}
	if got := l.Bytes(); !bytes.Equal(got, after) {
		t.Errorf("read and not touched it became\n%s", got)
	}
}

func TestAddSaysWhatIsThereAlready(t *testing.T) {
	l := crl.NewList()
	everywhere, here, there := crl.Entry{Serial: serial(t, "1A")}, crl.Entry{Serial: serial(t, "1A"), Issuer: "0a1b"}, crl.Entry{Serial: serial(t, "1A"), Issuer: "0c"}
	for i, step := range []struct {
		e    crl.Entry
		want bool
	}{
		{here, true},
		{here, false},
		{crl.Entry{Serial: here.Serial, Issuer: "0A:1B", Reason: crl.Superseded}, false},
		{everywhere, true},
		{there, false},
		{everywhere, false},
		{crl.Entry{Serial: serial(t, "1B"), Issuer: "the valley's"}, true},
		{crl.Entry{Serial: serial(t, "1B")}, false},
		{crl.Entry{Serial: serial(t, "1C"), Reason: 99, Date: time.Date(1887, 1, 1, 0, 0, 0, 0, time.UTC)}, true},
		{crl.Entry{Serial: serial(t, "1D"), Date: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)}, true},
		{crl.Entry{Serial: crl.SerialOf(serial(t, "1").Big().Lsh(serial(t, "1").Big(), 256))}, false},
	} {
		if got := l.Add(step.e); got != step.want {
			t.Errorf("step %d: got %v", i, got)
		}
	}
	if l.Len() != 5 {
		t.Errorf("it has %d entries, want 5", l.Len())
	}
	if _, err := crl.Parse(l.Bytes()); err != nil {
		t.Errorf("it cannot be read back: %v", err)
	}
}

func TestContainsMindsTheIssuer(t *testing.T) {
	l, err := crl.Parse([]byte(`{"revoked_certificates": [{"serial_number": "1A"}, {"serial_number": "1B", "issuer": "0c"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		serial, issuer string
		want           bool
	}{
		{"1A", "", true}, {"1A", "0c", true}, {"1B", "0c", true}, {"1B", "", false}, {"1B", "0d", false}, {"1C", "", false},
	} {
		if got := l.Contains(serial(t, test.serial), test.issuer); got != test.want {
			t.Errorf("%s of %q: got %v", test.serial, test.issuer, got)
		}
	}
}

func TestAddInSeveralStepsWritesWhatOneStepWrites(t *testing.T) {
	at := func(step int) []byte {
		text := []byte(documented)
		entries := additions(t)
		for len(entries) > 0 {
			l, err := crl.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			n := min(step, len(entries))
			for _, e := range entries[:n] {
				l.Add(e)
				l.Bytes()
			}
			text, entries = l.Bytes(), entries[n:]
		}
		return text
	}
	if one, three := at(1), at(3); !bytes.Equal(one, three) {
		t.Errorf("one by one\n%s\nat once\n%s", one, three)
	}
}
