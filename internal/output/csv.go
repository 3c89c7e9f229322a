package output

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// CSV writes rows under a header as comma-separated values (RFC 4180, with a newline at the end of a line).
//
// Spreadsheet programs run a cell as a formula that begins with = + - or @, quoted or not, and take not only the comma
// as the end of a cell. Somebody whose name is =HYPERLINK(…) must not run on the operator's machine, and yet a name must
// read back as it is. So one apostrophe stands before such a character, and before an apostrophe itself, where text
// begins or follows a comma, semicolon or tab, with blanks and quotes between them passed over. A program that reads the
// file takes that apostrophe off again; all other text, and so nearly every name, stands as it is.
func CSV(w io.Writer, header []string, rows [][]string) error {
	c := csv.NewWriter(w)
	for _, row := range append([][]string{header}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = inert(cell)
		}
		if err := c.Write(cells); err != nil {
			return fmt.Errorf("writing CSV: %w", err)
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

// inert keeps a spreadsheet program from running text. The wide forms count too: in Japanese, Excel takes them for the
// narrow ones (OWASP, CSV Injection).
func inert(s string) string {
	var b strings.Builder
	done := 0      // so much of s is in b
	begins := true // here a cell may begin
	for i, r := range s {
		switch r {
		case ',', ';', '\t', '\r', '\n':
			begins = true
		case ' ', '\u00a0', '\u3000', '"': // as it was
		case '=', '+', '-', '@', '\'', '＝', '＋', '－', '＠':
			if begins {
				b.WriteString(s[done:i])
				b.WriteByte('\'')
				done = i
			}
			begins = false
		default:
			begins = false
		}
	}
	if done == 0 && b.Len() == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}
