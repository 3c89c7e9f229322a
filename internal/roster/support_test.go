package roster_test

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/roster"
)

// forAll is what the operator gives on the command line.
func forAll() roster.Row { return roster.Row{Hosts: []string{"fts.example.org"}} }

// named is the row that a name alone leads to, after forAll.
func named(line int, name string) roster.Row {
	return roster.Row{Line: line, Name: name, Hosts: []string{"fts.example.org:8089"}, Families: []string{"atak"}, Key: keyfile.RSA2048}
}

func with(r roster.Row, change func(r *roster.Row)) roster.Row {
	change(&r)
	return r
}

func read(t testing.TB, text string) []roster.Row {
	t.Helper()
	rows, err := roster.Read([]byte(text), forAll())
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func same(a, b roster.Row) bool {
	return a.Line == b.Line && sameClient(a, b)
}

func sameClient(a, b roster.Row) bool {
	return a.Name == b.Name && slices.Equal(a.Hosts, b.Hosts) && slices.Equal(a.Families, b.Families) && slices.Equal(a.Groups, b.Groups) &&
		a.Contact == b.Contact && a.Days == b.Days && a.Key == b.Key
}

func days(r roster.Row) string {
	if r.Days == 0 {
		return ""
	}
	return strconv.Itoa(r.Days)
}

// asCSV writes rows as a spreadsheet program does.
func asCSV(t testing.TB, rows []roster.Row, separator rune) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	w.Comma, w.UseCRLF = separator, true
	lines := [][]string{{"Days", "Key", "E-Mail", "Name", "Groups", "Device family", "Host"}}
	for _, r := range rows {
		lines = append(lines, []string{days(r), strings.ToUpper(string(r.Key)), " " + r.Contact + "\t", r.Name,
			strings.Join(r.Groups, " | "), strings.ToUpper(strings.Join(r.Families, ",")), strings.Join(r.Hosts, " ")})
	}
	if err := w.WriteAll(lines); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func asJSON(t testing.TB, rows []roster.Row) []byte {
	t.Helper()
	objects := []map[string]any{}
	for _, r := range rows {
		object := map[string]any{"name": r.Name, "hosts": r.Hosts, "device_family": r.Families, "groups": r.Groups, "email": r.Contact,
			"key": r.Key, "days": nil}
		if r.Days != 0 {
			object["days"] = r.Days
		}
		objects = append(objects, object)
	}
	text, err := json.MarshalIndent(objects, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func asUTF16(text string) []byte {
	data := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		data = binary.LittleEndian.AppendUint16(data, u)
	}
	return data
}
