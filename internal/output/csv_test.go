package output_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/internal/testpki"
)

// write makes a CSV file of the cells below each other, and a full one beside each.
func write(t testing.TB, cells ...string) string {
	t.Helper()
	var rows [][]string
	for _, cell := range cells {
		rows = append(rows, []string{cell, "x"})
	}
	var buf bytes.Buffer
	if err := output.CSV(&buf, []string{"name", "beside"}, rows); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestCSVHasARowOfHeadingsAndQuotesWhatItMust(t *testing.T) {
	var buf bytes.Buffer
	err := output.CSV(&buf, []string{"name", "contact"}, [][]string{
		{`alice "the fox", A.`, "alice@example.org"}, {"José O'Neill-Smith", "+49 170 1234"}, {"=1+1", "two\nlines"}})
	const want = "name,contact\n" + `"alice ""the fox"", A.",alice@example.org` + "\nJosé O'Neill-Smith,'+49 170 1234\n'=1+1,\"two\nlines\"\n"
	if got := buf.String(); got != want || err != nil {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
	}
}

// readBack does what the documentation tells a program to do.
func readBack(s string) string {
	var b strings.Builder
	begins := true
	for _, r := range s {
		switch {
		case strings.ContainsRune(",;\t\r\n", r):
			begins = true
		case strings.ContainsRune(" \u00a0\u3000\"", r):
		case begins && r == '\'':
			begins = false
			continue
		default:
			begins = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// runs tells whether a spreadsheet program would run a part of the line as a formula, be its separator a comma, a
// semicolon or a tab.
func runs(line string) bool {
	for _, cell := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(",;\t\r\n", r) }) {
		cell = strings.TrimLeft(cell, " \u00a0\u3000\"")
		if strings.IndexAny(cell, "=+-@＝＋－＠") == 0 {
			return true
		}
	}
	return false
}

var dangerous = []string{
	"=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "＝1", "'quoted", "''=1", `"=1"`, "a;=1", "a,=1", `a; "=1"`, "a,;'=1", "x ;\u3000@y",
	"plain", "o'neil", "a-b+c=d@e", "a, 'b'", "-", "'", "", "A\t=1",
}

func TestCSVRunsNothingAndReadsBackAsItWas(t *testing.T) {
	for _, text := range dangerous {
		got := write(t, text)
		if line := got[strings.Index(got, "\n")+1:]; runs(line) {
			t.Errorf("%q becomes %s, and would run", text, line)
		}
		if back := readBack(readCell(t, got)); back != text {
			t.Errorf("%q reads back as %q", text, back)
		}
	}
}

func TestCSVAsPythonReadsIt(t *testing.T) {
	python := testpki.Need(t, "python3")
	cmd := exec.Command(python, "-c", `
import csv, io, json, re, sys
rows = csv.DictReader(io.TextIOWrapper(sys.stdin.buffer, "utf-8", newline=""))
json.dump([re.sub("(^|[,;\t])([ \u00a0\u3000\"]*)'", r"\1\2", row["name"]) for row in rows], sys.stdout)`)
	cmd.Stdin = strings.NewReader(write(t, dangerous...))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, dangerous) {
		t.Errorf("got  %q\nwant %q", got, dangerous)
	}
}

func TestCSVThatCannotBeWritten(t *testing.T) {
	err := output.CSV(fullDisk{}, []string{"name"}, nil)
	if want := "writing CSV: no space left"; err == nil || err.Error() != want || !errors.Is(err, errFull) {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// readCell returns the cell below the heading.
func readCell(t testing.TB, file string) string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v in\n%s", len(rows), err, file)
	}
	return rows[1][0]
}

func FuzzCSV(f *testing.F) {
	for _, s := range dangerous {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n") {
			return // no name, contact or path of a package has them
		}
		got := write(t, s)
		if line := got[strings.Index(got, "\n")+1:]; runs(line) {
			t.Errorf("%q would run", line)
		}
		if cell := readCell(t, got); readBack(cell) != s {
			t.Errorf("%q reads back as %q", s, cell)
		}
	})
}
