package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Places without a column of ours.
const (
	unheaded column = -1 - iota // nothing may stand there
	refused                     // its heading is a fault already
)

// readCSV reads a header and the rows below it. Rows without any text are passed over: spreadsheet programs leave them
// wherever somebody deleted something.
func (s *sheet) readCSV(text []byte) {
	if bytes.IndexByte(text, '\n') < 0 {
		// What old programs for the Mac write.
		text = bytes.ReplaceAll(text, []byte{'\r'}, []byte{'\n'})
	}
	separator := separatorOf(text)
	if line := overfull(text, separator); line > 0 {
		s.faults.addAll(line, "", fmt.Errorf("more than %d cells", maxCells))
		return
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = separator
	r.FieldsPerRecord = -1 // a row of the wrong length is told with the rest
	r.ReuseRecord = true
	r.TrimLeadingSpace = r.Comma != '\t' // it would take tabs for blanks
	var headings []column
	for {
		cells, err := r.Read()
		var at *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.As(err, &at):
			s.faults.add(Fault{Line: at.StartLine, Err: quoteError(at.Err)})
			if headings == nil {
				return
			}
			continue
		case err != nil:
			s.faults.add(Fault{Err: err})
			return
		}
		line, _ := r.FieldPos(0)
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		used := usedCells(cells)
		switch {
		case used == 0:
		case headings != nil:
			if !s.addCells(line, headings, cells, used) {
				return
			}
		default:
			if headings = s.headings(line, cells[:used]); headings == nil {
				return
			}
		}
	}
}

// quoteError says plainly what encoding/csv does not like.
func quoteError(err error) error {
	switch {
	case errors.Is(err, csv.ErrBareQuote):
		return errors.New(`there is a quote in a cell that does not begin with one: put the cell in quotes, and write "" for the quote`)
	case errors.Is(err, csv.ErrQuote):
		return errors.New("a cell begins with a quote, and its closing quote is missing or not the cell's end")
	}
	return err
}

// separatorOf returns the first character of the headings that can be one: no heading has it in its name.
func separatorOf(text []byte) rune {
	header := bytes.TrimSpace(text)
	if end := bytes.IndexByte(header, '\n'); end >= 0 {
		header = header[:end]
	}
	if at := bytes.IndexAny(header, ",;\t"); at >= 0 {
		return rune(header[at])
	}
	return ','
}

// overfull returns the first line that has more separators than any row can use, or 0: encoding/csv takes a hundred times
// the memory of a cell that is empty.
func overfull(text []byte, separator rune) int {
	n := 0
	for line := range bytes.Lines(text) {
		if n++; bytes.Count(line, []byte(string(separator))) > maxCells {
			return n
		}
	}
	return 0
}

// usedCells is how many cells a row has, without the empty ones at its end.
func usedCells(cells []string) int {
	for n := len(cells); n > 0; n-- {
		if cells[n-1] != "" {
			return n
		}
	}
	return 0
}

// headings returns the column that stands at each place, or nil where no row can be read by them.
func (s *sheet) headings(line int, cells []string) []column {
	if !slices.ContainsFunc(cells, func(heading string) bool { _, ok := columnOf(heading); return ok }) {
		s.faults.addAll(line, "", fmt.Errorf("the first row must be the headings, and none of these is known: the columns are %s", allColumns))
		return nil
	}
	places := make([]column, len(cells))
	var first [columns]string // the heading that means the column
	for i, heading := range cells {
		c, ok := columnOf(heading)
		switch places[i] = refused; {
		case heading == "":
			places[i] = unheaded
		case !ok:
			s.faults.addAll(line, "", unknown(heading))
		case first[c] != "":
			s.faults.addAll(line, "", twice(first[c], heading))
		default:
			places[i], first[c] = c, heading
		}
	}
	if first[nameColumn] == "" {
		s.faults.addAll(line, "", fmt.Errorf("there is no column %q", nameColumn))
		return nil
	}
	return places
}

func unknown(heading string) error {
	return fmt.Errorf("unknown column %.100q: the columns are %s", heading, allColumns)
}

// twice tells that two headings, or two names in an object, are of one column.
func twice(first, second string) error {
	if first == second {
		return fmt.Errorf("the column %.100q is there twice", first)
	}
	return fmt.Errorf("the columns %.100q and %.100q mean the same", first, second)
}

// addCells adds a row of CSV, of which so many cells are used, and tells whether there is room for more.
//
// A row with fewer cells than there are headings is refused: where somebody left a cell out, a group could become of
// what was meant as something else. Excel does so too, for columns at the end that are empty for sixteen rows.
func (s *sheet) addCells(line int, headings []column, cells []string, used int) bool {
	r := record{line: line}
	for i, cell := range cells[:min(used, len(headings))] {
		switch c := headings[i]; {
		case c >= 0:
			r.set(c, len(cell), c.values(cell))
		case c == unheaded && cell != "":
			r.fail(fmt.Errorf("there is no heading above cell %d, %.100q", i+1, cell))
		}
	}
	switch {
	case used > len(headings):
		r.fail(fmt.Errorf("%d cells under %d headings: a cell with a separator in it must stand in quotes", used, len(headings)))
	case len(cells) < len(headings):
		r.fail(fmt.Errorf("%d cells under %d headings: write the empty cells too (Excel leaves them out at the end of a row: "+
			"there, make name the last column)", len(cells), len(headings)))
	}
	return s.add(r)
}
