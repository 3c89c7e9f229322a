package roster_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/roster"
)

const known = "the columns are name, host, family, groups, contact, days and key"

// faults reads a roster that has some, without a host for all rows.
func faults(t *testing.T, data []byte) *roster.Faults {
	t.Helper()
	rows, err := roster.Read(data, roster.Row{})
	var found *roster.Faults
	if !errors.As(err, &found) {
		t.Fatalf("error is %v, want *roster.Faults", err)
	}
	if rows != nil {
		t.Errorf("got %v beside the error", rows)
	}
	return found
}

func TestFaultsOfRows(t *testing.T) {
	const days = "want a whole number from 1 to 36500"
	const head = "name,host,family,groups,contact,days,key\n"
	long := strings.Repeat("x", 65)
	tests := []struct {
		name, text string
		want       []string
	}{
		{"no name", head + ",fts,,,,,\n", []string{`line 2: it has no name`}},
		{"no host", "name\nalice\n", []string{`line 2: name "alice": it has no host to connect to, and none is given for all rows`}},
		{"a name too long", head + long + ",fts,,,,,\n", []string{`line 2: name "` + long + `": 65 characters, and at most 64 fit`}},
		{"a name that turns", head + "a\u202eb,fts,,,,,\n",
			[]string{`line 2: name "a\u202eb": the character U+202E turns the direction of text and can disguise a name`}},
		{"a name of two lines", head + "\"a\nb\",fts,,,,,\n", []string{`line 2: name "a\nb": the character U+000A is not one for a name`}},
		{"a name twice", head + "alice,fts,,,,,\nbob,fts,,,,,\nalice,fts,,,,,\nalice,fts,,,,,\n",
			[]string{`line 4: name "alice": the row in line 2 has this name too`, `line 5: name "alice": the row in line 2 has this name too`}},
		{"a name twice, typed on two keyboards", head + "José,fts,,,,,\nJose\u0301,fts,,,,,\n",
			[]string{"line 3: name \"Jose\u0301\": the row in line 2 has this name too"}},
		{"names that differ in capitals", head + "Émile,fts,,,,,\nÉMILE,fts,,,,,\n",
			[]string{`line 3: name "ÉMILE": it differs from "Émile" in line 2 in nothing but capitals, and one would be taken for the other: rename one`}},
		{"a bad host", head + "alice,https://fts,,,,,\n", []string{`line 2: name "alice": host "https://fts": write host or host:port, without "https://" in front`}},
		{"one of two hosts", head + "alice,fts a_b,,,,,\n", []string{`line 2: name "alice": host "a_b": '_' does not stand in a host name`}},
		{"a family", head + "alice,fts,TAKKY,,,,\n", []string{`line 2: name "alice": "TAKKY" is no family of devices: write atak, wintak, itak, takaware, several with commas between them, or all`}},
		{"several hosts for a client that takes one", head + "alice,fts|relay,all,,,,\n", []string{`line 2: name "alice": several hosts go into packages for atak alone: the other clients take one`}},
		{"a group too long", head + "alice,fts,,blue|" + long + ",,,\n", []string{`line 2: name "alice": group "` + long + `": 65 characters, and at most 58 fit`}},
		{"too many groups", head + "alice,fts,,g" + strings.Repeat("|g", 64) + ",,,\n", []string{`line 2: name "alice": groups: more than 64 of them`}},
		{"a cell too long", head + strings.Repeat("x", 4097) + ",fts,,,,,\n", []string{`line 2: name: 4097 octets, and at most 4096 fit`}},
		{"a contact of two lines", head + "alice,fts,,,\"a\nb\",,\n",
			[]string{`line 2: name "alice": contact "a\nb": the character U+000A does not stand in a line of text`}},
		{"a contact too long", head + "alice,fts,,," + strings.Repeat("ü", 321) + ",,\n",
			[]string{`line 2: name "alice": contact "` + strings.Repeat("ü", 100) + `": 321 characters, and at most 320 fit`}},
		{"days", head + "alice,fts,,,,0,\nbob,fts,,,,36501,\ncarol,fts,,,,+1,\ndave,fts,,,,1.5,\neve,fts,,,,99999999999999999999,\n", []string{
			`line 2: name "alice": days "0": ` + days, `line 3: name "bob": days "36501": ` + days, `line 4: name "carol": days "+1": ` + days,
			`line 5: name "dave": days "1.5": ` + days, `line 6: name "eve": days "99999999999999999999": ` + days}},
		{"a key", head + "alice,fts,,,,,dsa\n",
			[]string{`line 2: name "alice": key algorithm "dsa" is none of rsa-2048, rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384`}},
		{"all at once", head + "alice,::,xtak,\x01,\x02,no,dsa\n,,,,,,1\n", []string{
			`line 2: name "alice": host "::": an IPv6 address cannot be given to devices, since ATAK splits host:port:ssl at the colons into ` +
				`exactly three parts; give a DNS name that stands for it`,
			`line 2: name "alice": group "\x01": the character U+0001 is not one for a name`,
			`line 2: name "alice": "xtak" is no family of devices: write atak, wintak, itak, takaware, several with commas between them, or all`,
			`line 2: name "alice": contact "\x02": the character U+0002 does not stand in a line of text`,
			`line 2: name "alice": days "no": ` + days,
			`line 2: name "alice": key algorithm "dsa" is none of rsa-2048, rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384`,
			`line 3: key algorithm "1" is none of rsa-2048, rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384`,
			`line 3: it has no name`,
			`line 3: it has no host to connect to, and none is given for all rows`,
		}},
		{"in JSON", "[{\"name\": \"alice\", \"host\": \"fts\", \"days\": 1.5},\n {\"host\": \"fts\", \"groups\": [\"a,b\"]}]", []string{
			`line 1: name "alice": days "1.5": ` + days,
			`line 2: group "a,b": '|', ';' and ',' stand between two groups, and in none`, `line 2: it has no name`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { checkFaults(t, faults(t, []byte(test.text)), test.want) })
	}
}

func TestFaultsOfTheForm(t *testing.T) {
	const save = `save it as text in UTF-8 (in Excel: "CSV UTF-8")`
	const excel = `write the empty cells too (Excel leaves them out at the end of a row: there, make name the last column)`
	tests := []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", []string{"the file is empty"}},
		{"blanks", "\ufeff \r\n", []string{"the file is empty"}},
		{"headings alone", "name,host\n,\n", []string{"there is no row in it"}},
		{"too large", strings.Repeat(" ", roster.MaxSize+1), []string{"the file has more than 16 MiB: divide it"}},
		{"UTF-16", string(asUTF16("name\talice\n")), []string{`the file is in UTF-16, as Excel's "Unicode Text" is: ` + save}},
		{"UTF-16 without a mark", string(asUTF16("name\n")[2:]), []string{`the file is in UTF-16, as Excel's "Unicode Text" is: ` + save}},
		{"a workbook", "PK\x03\x04\x14\x00", []string{`the file is a spreadsheet program's own and no text: ` + save}},
		{"Windows-1252", "name,host\nalice,fts\nJos\xe9,fts\n", []string{`line 3: this is not UTF-8: ` + save}},

		{"no headings", "alice,fts\nbob,fts\n", []string{"line 1: the first row must be the headings, and none of these is known: " + known}},
		{"unknown headings", "name,host,phone,,rôle\nalice,fts,1,,\n", []string{`line 1: unknown column "phone": ` + known, `line 1: unknown column "rôle": ` + known}},
		{"no column for the name", "host,rank\nfts,1\n", []string{`line 1: unknown column "rank": ` + known, `line 1: there is no column "name"`}},
		{"a column twice", "name,host,name\nalice,fts,bob\n", []string{`line 1: the column "name" is there twice`}},
		{"two columns that mean the same", "name,host,E-Mail,Contact\nalice,fts,,\n", []string{`line 1: the columns "E-Mail" and "Contact" mean the same`}},
		{"a cell without a heading", "name,,host\nalice,x,fts\n", []string{`line 2: name "alice": there is no heading above cell 2, "x"`}},
		{"far too many cells", "name,host\nalice" + strings.Repeat(",", 10_001) + "\n", []string{"line 2: more than 10000 cells"}},
		{"too many cells", "name,host\nalice,fts,blue\n",
			[]string{`line 2: name "alice": 3 cells under 2 headings: a cell with a separator in it must stand in quotes`}},
		{"too few cells", "name,host,groups\nalice,fts\n", []string{`line 2: name "alice": 2 cells under 3 headings: ` + excel}},
		{"a quote within", "name,host\nal\"ice,fts\nb_,f_\n", []string{
			`line 2: there is a quote in a cell that does not begin with one: put the cell in quotes, and write "" for the quote`,
			`line 3: name "b_": host "f_": '_' does not stand in a host name`}},
		{"a quote left open", "name,host\nalice,fts\n\"bob,fts\ncarol,fts\n",
			[]string{`line 3: a cell begins with a quote, and its closing quote is missing or not the cell's end`}},
		{"a quote left open in the headings", "\"name,host\nalice,fts\n",
			[]string{`line 1: a cell begins with a quote, and its closing quote is missing or not the cell's end`}},

		{"an object", "{\"clients\": []}", []string{`line 1, column 1: a roster in JSON is an array of objects, not an object`}},
		{"an empty array", "[ ]", []string{"there is no row in it"}},
		{"an array of other things", `["alice", 1, null, [], false]`, []string{
			`line 1, column 2: a row must be an object, not a string`, `line 1, column 11: a row must be an object, not a number`,
			`line 1, column 14: a row must be an object, not null`, `line 1, column 20: a row must be an object, not an array`,
			`line 1, column 24: a row must be an object, not true or false`}},
		{"unknown names", "[\n  {\"name\": \"é\", \"phone\": {\"a\": [1]}, \"host\": \"fts\",\n   \"rank\": 1}\n]", []string{
			`line 2, column 17: unknown column "phone": ` + known, `line 3, column 4: unknown column "rank": ` + known}},
		{"a name twice", `[{"name": "alice", "host": "fts", "name": "bob"}]`, []string{`line 1, column 35: the column "name" is there twice`}},
		{"two names that mean the same", `[{"name": "alice", "host": "fts", "server": "fts"}]`,
			[]string{`line 1, column 35: the columns "host" and "server" mean the same`}},
		{"values of the wrong kind", `[{"name": 1, "host": [1, {}], "groups": {}, "contact": ["a"], "days": true, "key": 2048, "family": {}}]`, []string{
			`line 1: name: want a string, not a number`, `line 1: host: want strings in the array, not a number`,
			`line 1: host: want strings in the array, not an object`, `line 1: groups: want a string, not an object`,
			`line 1: contact: want a string, not an array`, `line 1: days: want a string, not true or false`,
			`line 1: key: want a string, not a number`, `line 1: family: want a string, not an object`}},
		{"a comma too many", "[{\"name\": \"alice\", \"host\": \"fts\"},\n]", []string{`line 1, column 34: a comma too many`}},
		{"another comma too many", `[{"name": "alice", "host": "fts",}]`, []string{`line 1, column 33: a comma too many`}},
		{"a quote too few", "[{\"name\": \"alice,\n\"host\": \"fts\"}]", []string{`line 1, column 18: a string does not end on its line: a quote is missing`}},
		{"a comma too few", "[{\"name\": \"alice\"\n \"host\": \"fts\"}]",
			[]string{`line 2, column 2: invalid character '"' after object value (expecting ',' or '}')`}},
		{"broken off", "[{\"name\": \"alice\", \"host\": \"fts\"},\n {\"name\"", []string{`line 2, column 9: the array breaks off`}},
		{"half a character", `[{"name": "\ud83d", "host": "fts"}]`, []string{`line 1, column 12: invalid surrogate pair "\\ud83d\", \"ho" in string`}},
		{"more after the end", "[{\"name\": \"alice\", \"host\": \"fts\"}]\n[]", []string{`line 2, column 1: there is something after the end of the array`}},
		{"a deep nest", `[{"name": "alice", "x": ` + strings.Repeat("[", 20_000), []string{
			`line 1, column 20: unknown column "x": ` + known, `line 1, column 10023: exceeded max depth`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { checkFaults(t, faults(t, []byte(test.text)), test.want) })
	}
}

func checkFaults(t *testing.T, got *roster.Faults, want []string) {
	t.Helper()
	for i := range max(len(got.List), len(want)) {
		switch {
		case i >= len(got.List):
			t.Errorf("fault %d is missing:\n%s", i, want[i])
		case i >= len(want):
			t.Errorf("fault %d is too many:\n%v", i, got.List[i])
		case got.List[i].Error() != want[i]:
			t.Errorf("fault %d is\n%v, want\n%s", i, got.List[i], want[i])
		}
	}
}

func TestFaultsAreToldTogetherAndCounted(t *testing.T) {
	bad := func(n int) []byte { return []byte("name\n" + strings.Repeat("\u200f\n", n)) }
	line := func(n int) string {
		return fmt.Sprintf("\n  line %d: name \"\\u200f\": the character U+200F turns the direction of text and can disguise a name"+
			"\n  line %d: name \"\\u200f\": it has no host to connect to, and none is given for all rows", n, n)
	}
	lines := ""
	for n := 2; n < 12; n++ {
		lines += line(n)
	}
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"one", []byte("name,host\n,fts\n"), "a fault in the roster: line 2: it has no name"},
		{"two", bad(1), "2 faults in the roster:" + line(2)},
		{"twenty", bad(10), "20 faults in the roster:" + lines},
		{"more", bad(11), "22 faults in the roster:" + lines + "\n  and 2 more"},
		{"more than are kept", bad(1000), "2000 faults in the roster:" + lines + "\n  and 1980 more"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := faults(t, test.data).Error(); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestMoreRowsThanARosterMayHave(t *testing.T) {
	row := func(i int) string { return fmt.Sprintf("n%d,fts\n", i) }
	var text strings.Builder
	text.WriteString("name,host\n")
	for i := range roster.MaxRows {
		text.WriteString(row(i))
	}
	if rows, err := roster.Read([]byte(text.String()), roster.Row{}); err != nil || len(rows) != roster.MaxRows {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	text.WriteString(row(-1) + row(-1))
	checkFaults(t, faults(t, []byte(text.String())), []string{"line 100002: more than 100000 rows: divide the roster"})
	objects := []byte("[" + strings.Repeat("{},\n", roster.MaxRows+2) + "{}]")
	if found := faults(t, objects); len(found.List)+found.More != 2*roster.MaxRows+1 {
		t.Errorf("%d faults", len(found.List)+found.More)
	}
}
