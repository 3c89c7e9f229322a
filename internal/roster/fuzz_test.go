package roster_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ftsca/ftsca/internal/roster"
)

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		four, "\ufeffName;Host;Groups\r\n\"al\"\"ice\";fts 10.0.0.5:1;\"blue;Dark Blue\"\r\n;;\r\n", "name\tdays\tkey\nJose\u0301\t5\tRSA-4096\n",
		`[{"name": "alice", "groups": ["a b", "c"], "days": 5, "host": null}, {"callsign": "b", "contact": "x,\"y"}]`,
		"name,groups\n\"a\nb\",\"x\r\ny\"\n", "name,host\nalice\n", "[{\"name\": 1, \"x\": [{}]}, []]", "name,,\n=a,b\n\"", "name\ra\rA\r", "[{]",
	} {
		f.Add([]byte(seed))
	}
	f.Add(asUTF16("name\nalice\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		kept := bytes.Clone(data)
		rows, err := roster.Read(data, forAll())
		if !bytes.Equal(data, kept) {
			t.Fatal("the data was changed")
		}
		if err != nil {
			checkFaultsOf(t, data, rows, err)
			return
		}
		if len(rows) == 0 {
			t.Fatal("no row, and no fault")
		}
		names := map[string]bool{}
		for i, r := range rows {
			if names[r.Name] || r.Name == "" || len(r.Hosts) == 0 || r.Line < 1 || i > 0 && r.Line < rows[i-1].Line {
				t.Fatalf("row %d is %+v", i, r)
			}
			names[r.Name] = true
		}
		for _, form := range [][]byte{asCSV(t, rows, ','), asCSV(t, rows, ';'), asCSV(t, rows, '\t'), asJSON(t, rows)} {
			again, err := roster.Read(form, roster.Row{})
			if err != nil || !slices.EqualFunc(again, rows, sameClient) {
				t.Fatalf("%q has\n%+v, and that written as\n%s\nhas\n%+v, %v", kept, rows, form, again, err)
			}
			for i := range again {
				if again[i].Digest() != rows[i].Digest() {
					t.Fatalf("row %d of\n%s\nhas another digest", i, form)
				}
			}
		}
	})
}

func checkFaultsOf(t *testing.T, data []byte, rows []roster.Row, err error) {
	var faults *roster.Faults
	if !errors.As(err, &faults) || len(faults.List) == 0 || rows != nil {
		t.Fatalf("got %v and %v", rows, err)
	}
	lines := 1 + bytes.Count(data, []byte{'\n'}) + bytes.Count(data, []byte{'\r'})
	for i, fault := range faults.List {
		if fault.Line > lines || fault.Line < 0 || i > 0 && fault.Line < faults.List[i-1].Line || fault.Column > 1+len(data) {
			t.Errorf("fault %d has no place: %v", i, fault)
		}
		if s := fault.Error(); len(s) > 8192 || strings.ContainsAny(s, "\n\r\x1b") || !utf8.ValidString(s) {
			t.Errorf("fault %d is no line to read: %q", i, s)
		}
	}
}
