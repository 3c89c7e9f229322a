package output_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/ftsca/ftsca/internal/output"
)

func TestTable(t *testing.T) {
	header := []string{"name", "serial_number", "expires"}
	rows := [][]string{
		{"alice", "0f3a9c41d2", "2027-03-01"},
		{"山田太郎", "7b", ""},
		{"bob"},
	}
	tests := []struct {
		name   string
		width  int
		header []string
		rows   [][]string
		want   string
	}{
		{"AlignedWhenItFits", 80, header, rows, "" +
			"name      serial_number  expires\n" +
			"alice     0f3a9c41d2     2027-03-01\n" +
			"山田太郎  7b\n" +
			"bob\n"},
		{"ExactWidthLosesNothing", 35, header, rows[:1], "" +
			"name   serial_number  expires\n" +
			"alice  0f3a9c41d2     2027-03-01\n"},
		{"WidestColumnsAreShortenedFirst", 26, header, rows, "" +
			"name     serial…  expires\n" +
			"alice    0f3a9c…  2027-03…\n" +
			"山田太…  7b\n" +
			"bob\n"},
		{"WideRunesAreNotCutInHalf", 5, []string{"n"}, [][]string{{"山田太郎"}}, "n\n山田…\n"},
		{"NarrowerThanAnyTableCanBe", 3, header, rows[:1], "…  …  …\n…  …  …\n"},
		{"PipedIsSeparatedByTabsAndWhole", 0, header, rows, "" +
			"name\tserial_number\texpires\n" +
			"alice\t0f3a9c41d2\t2027-03-01\n" +
			"山田太郎\t7b\t\n" +
			"bob\t\t\n"},
		{"ControlCharactersAreWrittenOut", 80, []string{"name"}, [][]string{{"a\nb\tc\x1b[2J\u202ed\xff\u2028"}},
			"name\n" + `a\nb\tc\x1b[2J\u202ed` + "\ufffd" + `\u2028` + "\n"},
		{"PipedRowIsOneLine", 0, []string{"name"}, [][]string{{"a\tb\r\n"}}, "name\n" + `a\tb\r\n` + "\n"},
		{"InnerSpacesAndUnderscoresStay", 80, []string{"a_b"}, [][]string{{"x   y"}}, "a_b\nx   y\n"},
		{"HeaderAlone", 80, header, nil, "name  serial_number  expires\n"},
		{"NoColumns", 80, nil, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var buf bytes.Buffer
			if err := output.Table(&buf, tt.width, tt.header, tt.rows); err != nil {
				t.Fatal(err)
			}
			if got := buf.String(); got != tt.want {
				t.Errorf("table is\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestTableIsNeverWiderThanTheTerminal(t *testing.T) {
	header := []string{"name", "serial", "what for", "expires", "state"}
	rows := [][]string{
		{strings.Repeat("é", 70), strings.Repeat("0a", 16), "client", "2027-03-01 (in 30 days)", "revoked"},
		{strings.Repeat("界", 64), "7b", "server", "2027-03-01 (in 30 days)", "good"},
		{"👩‍🚒 Ana", "7b", "client", "-", "good"},
	}
	for width := 13; width < 300; width++ {
		var buf bytes.Buffer
		if err := output.Table(&buf, width, header, rows); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(buf.String(), "\n"); n != 4 {
			t.Fatalf("width %d: %d lines, want 4", width, n)
		}
		for line := range strings.Lines(buf.String()) {
			if got := twwidth.Width(strings.TrimSuffix(line, "\n")); got > width {
				t.Fatalf("width %d: line of %d columns: %s", width, got, line)
			}
		}
	}
}

func TestTableRefusesARowWithoutAHeading(t *testing.T) {
	var buf bytes.Buffer
	err := output.Table(&buf, 80, []string{"a"}, [][]string{{"1"}, {"1", "2"}})
	const want = "writing a table: row 2 has 2 cells under 1 headings"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	if buf.Len() != 0 {
		t.Errorf("wrote %q beside the error", buf.String())
	}
}

func TestTableDoesNotChangeTheCallersRows(t *testing.T) {
	rows := [][]string{{"a long cell that is cut", "x\ny"}}
	if err := output.Table(&bytes.Buffer{}, 10, []string{"h", "k"}, rows); err != nil {
		t.Fatal(err)
	}
	if rows[0][0] != "a long cell that is cut" || rows[0][1] != "x\ny" {
		t.Errorf("rows are now %q", rows)
	}
}

type fullDisk struct{}

var errFull = errors.New("no space left")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReturned(t *testing.T) {
	if err := output.Table(fullDisk{}, 80, []string{"a"}, nil); !errors.Is(err, errFull) {
		t.Errorf("Table: error is %v", err)
	}
	if err := output.JSON(fullDisk{}, 1); !errors.Is(err, errFull) {
		t.Errorf("JSON: error is %v", err)
	}
}
