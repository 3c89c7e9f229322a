package roster

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// State is what became of a row.
type State string

// The states.
const (
	Issued  State = "issued"         // by this run
	Earlier State = "issued earlier" // by another one
	Missing State = "not issued"     // the run ended before it
)

// Result is what a row led to.
type Result struct {
	Name         string
	Generation   int    // 0 where nothing was issued
	Serial       string // as crl.Serial writes it
	Package      string // path
	PasswordFile string // path
	Contact      string
	State        State
}

// WriteResults writes the result file: CSV (RFC 4180) in UTF-8 with a row of headings, name, generation, serial, package,
// password_file, contact and state, and a row for each result. It holds no password.
//
// Spreadsheet programs run a cell as a formula that begins with = + - or @, quoted or not, and take not only the comma
// as the end of a cell. Somebody whose name is =HYPERLINK(…) must not run on the operator's machine, and yet a name must
// read back as it is. So one apostrophe stands before such a character, and before an apostrophe itself, where text
// begins or follows a comma, semicolon or tab, with blanks and quotes between them passed over. A program that reads the
// file takes that apostrophe off again; all other text, and so nearly every name, stands as it is.
func WriteResults(w io.Writer, results []Result) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"name", "generation", "serial", "package", "password_file", "contact", "state"}}
	for _, r := range results {
		generation := ""
		if r.Generation != 0 {
			generation = strconv.Itoa(r.Generation)
		}
		rows = append(rows, []string{inert(r.Name), generation, inert(r.Serial), inert(r.Package), inert(r.PasswordFile),
			inert(r.Contact), string(r.State)})
	}
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}

// inert keeps a spreadsheet program from running text. The wide forms count too: in Japanese, Excel takes them for the
// narrow ones (OWASP, CSV Injection).
func inert(s string) string {
	var b strings.Builder
	begins := true // here a cell may begin
	for _, r := range s {
		switch {
		case strings.ContainsRune(",;\t\r\n", r):
			begins = true
		case strings.ContainsRune(" \u00a0\u3000\"", r): // as it was
		case begins && strings.ContainsRune("=+-@'＝＋－＠", r):
			b.WriteByte('\'')
			begins = false
		default:
			begins = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
