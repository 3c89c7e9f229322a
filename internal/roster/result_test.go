package roster_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/roster"
	"github.com/ftsca/ftsca/internal/testpki"
)

func write(t testing.TB, results ...roster.Result) string {
	t.Helper()
	var buf bytes.Buffer
	if err := roster.WriteResults(&buf, results); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestResultsAreACSVFile(t *testing.T) {
	got := write(t,
		roster.Result{Name: `alice "the fox", A.`, Generation: 1, Serial: "0a", Package: "/srv/tak/pki/clientPackages/alice-0a.zip",
			PasswordFile: "/srv/pw/alice.txt", Contact: "alice@example.org", State: roster.Issued},
		roster.Result{Name: "José O'Neill-Smith", Generation: 2, Serial: "0b", Package: `C:\pki\jose.zip`, Contact: "+49 170 1234", State: roster.Earlier},
		roster.Result{Name: "=1+1", State: roster.Missing})
	const want = "name,generation,serial,package,password_file,contact,state\n" +
		`"alice ""the fox"", A.",1,0a,/srv/tak/pki/clientPackages/alice-0a.zip,/srv/pw/alice.txt,alice@example.org,issued` + "\n" +
		`José O'Neill-Smith,2,0b,C:\pki\jose.zip,,'+49 170 1234,issued earlier` + "\n" +
		"'=1+1,,,,,,not issued\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
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

func TestResultsRunNothingAndReadBackAsTheyWere(t *testing.T) {
	for _, text := range dangerous {
		got := write(t, roster.Result{Name: text, Package: text, PasswordFile: text, Contact: text, State: roster.Issued})
		line := got[strings.Index(got, "\n")+1:]
		if runs(line) {
			t.Errorf("%q becomes %s, and would run", text, line)
		}
		cells := readCells(t, got)
		for _, column := range []int{0, 3, 4, 5} {
			if back := readBack(cells[column]); back != text {
				t.Errorf("%q reads back as %q", text, back)
			}
		}
	}
}

func TestResultsAsPythonReadsThem(t *testing.T) {
	python := testpki.Need(t, "python3")
	var results []roster.Result
	for _, text := range dangerous {
		results = append(results, roster.Result{Name: text, State: roster.Issued})
	}
	cmd := exec.Command(python, "-c", `
import csv, io, json, re, sys
rows = csv.DictReader(io.TextIOWrapper(sys.stdin.buffer, "utf-8", newline=""))
json.dump([re.sub("(^|[,;\t])([ \u00a0\u3000\"]*)'", r"\1\2", row["name"]) for row in rows], sys.stdout)`)
	cmd.Stdin = strings.NewReader(write(t, results...))
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

type fullDisk struct{}

var errFull = errors.New("no space left")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestResultsThatCannotBeWritten(t *testing.T) {
	err := roster.WriteResults(fullDisk{}, nil)
	if want := "writing the results: no space left"; err == nil || err.Error() != want || !errors.Is(err, errFull) {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// readCells returns the row below the headings.
func readCells(t testing.TB, file string) []string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v in\n%s", len(rows), err, file)
	}
	return rows[1]
}
