package output

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

const (
	gap      = "  " // between two columns
	ellipsis = "…"
)

// Table writes rows under a header.
//
// For a terminal of width columns, the table is aligned, without lines or borders, and no wider than the terminal: the
// widest columns are shortened, with an ellipsis at the end of each cell that lost something. A width of 0 or less
// means that no terminal reads this: then nothing is aligned or shortened, one tab stands between two cells, and the
// header is the first line. In both forms a control character inside a cell is written out (a newline as \n), so a row
// is always one line. Rows shorter than the header are filled with empty cells; a longer row is an error, and nothing
// is written.
func Table(w io.Writer, width int, header []string, rows [][]string) error {
	lines := make([][]string, 0, len(rows)+1)
	for i, row := range append([][]string{header}, rows...) {
		if len(row) > len(header) {
			return fmt.Errorf("writing a table: row %d has %d cells under %d headings", i, len(row), len(header))
		}
		line := make([]string, len(header))
		for j, cell := range row {
			line[j] = visible(cell)
		}
		lines = append(lines, line)
	}
	if len(header) == 0 {
		return nil
	}
	var text []byte
	if width <= 0 {
		text = separated(lines)
	} else {
		var err error
		if text, err = aligned(width, lines); err != nil {
			return fmt.Errorf("writing a table: %w", err)
		}
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("writing a table: %w", err)
	}
	return nil
}

func separated(lines [][]string) []byte {
	var buf bytes.Buffer
	for _, line := range lines {
		buf.WriteString(strings.Join(line, "\t"))
		buf.WriteByte('\n')
	}
	return buf.Bytes()
}

func aligned(width int, lines [][]string) ([]byte, error) {
	columns := make([]int, len(lines[0]))
	for _, line := range lines {
		for j, cell := range line {
			columns[j] = max(columns[j], twwidth.Width(cell))
		}
	}
	fit(columns, width-len(gap)*(len(columns)-1))
	for _, line := range lines {
		for j, cell := range line {
			line[j] = shorten(cell, columns[j])
		}
	}
	var buf bytes.Buffer
	table := newTable(&buf)
	table.Header(lines[0])
	if err := table.Bulk(lines[1:]); err != nil {
		return nil, err
	}
	if err := table.Render(); err != nil {
		return nil, err
	}
	return withoutTrailingSpace(buf.Bytes()), nil
}

// fit lowers the widest columns to one common width, so that the sum is at most room. No column falls below one cell.
func fit(columns []int, room int) {
	sum := 0
	for _, c := range columns {
		sum += c
	}
	for sum > room {
		widest := slices.Max(columns)
		if widest <= 1 {
			return
		}
		// From the left, so that what is left over goes to the last columns.
		i := slices.Index(columns, widest)
		columns[i]--
		sum--
	}
}

func shorten(cell string, width int) string {
	if twwidth.Width(cell) <= width {
		return cell
	}
	return twwidth.Truncate(cell, width, ellipsis)
}

// newTable asks the library for alignment alone: it neither wraps nor shortens nor changes the case of a heading, all
// of which it does by default.
func newTable(w io.Writer) *tablewriter.Table {
	cells := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoWrap: tw.WrapNone, AutoFormat: tw.Off},
		Alignment:  tw.CellAlignment{Global: tw.AlignLeft},
		Padding:    tw.CellPadding{Global: tw.Padding{Right: gap, Overwrite: true}},
	}
	return tablewriter.NewTable(w,
		tablewriter.WithConfig(tablewriter.Config{Header: cells, Row: cells}),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Settings: tw.Settings{
				Separators: tw.SeparatorsNone,
				Lines:      tw.LinesNone,
			},
		})),
	)
}

func withoutTrailingSpace(text []byte) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		out = append(out, bytes.TrimRight(line, " \n")...)
		out = append(out, '\n')
	}
	return out
}
