package roster_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/roster"
)

func TestRostersAsPeopleAndProgramsWriteThem(t *testing.T) {
	full := with(named(2, "alice"), func(r *roster.Row) {
		r.Hosts, r.Groups, r.Contact = []string{"10.0.0.5:8090", "tak.example.org:8089"}, []string{"Dark Blue", "medics"}, "alice@example.org"
		r.Days, r.Key = 90, keyfile.ECDSAP256
	})
	grouped := func(line int, name string, groups ...string) roster.Row {
		return with(named(line, name), func(r *roster.Row) { r.Groups = groups })
	}
	reached := func(line int, name, contact string) roster.Row {
		return with(named(line, name), func(r *roster.Row) { r.Contact = contact })
	}
	tests := []struct {
		name, text string
		want       []roster.Row
	}{
		{"names alone", "name\nalice\nbob\n", []roster.Row{named(2, "alice"), named(3, "bob")}},
		{"without a last line end", "name\nalice", []roster.Row{named(2, "alice")}},
		{"a byte order mark", "\ufeffname,contact\nalice,a@b\n", []roster.Row{reached(2, "alice", "a@b")}},
		{"a byte order mark before a quote", "\ufeff\"name\",\"contact\"\n\"alice\",\"a@b\"\n", []roster.Row{reached(2, "alice", "a@b")}},
		{"all columns", "name,host,family,groups,contact,days,key\n" +
			"alice,10.0.0.5:8090 tak.example.org,atak,Dark Blue|medics,alice@example.org,90,ecdsa-p256\n", []roster.Row{full}},
		{"another order, semicolons, capitals", "KEY;Days;E-Mail;GROUPS;Device Family;Host;Callsign\r\n" +
			"ECDSA-P256;90;alice@example.org;\"Dark Blue;medics\";ATAK;10.0.0.5:8090,TAK.example.org;alice\r\n", []roster.Row{full}},
		{"tabs", "name\tcontact\tgroups\nalice\t\tblue\n", []roster.Row{grouped(2, "alice", "blue")}},
		{"blanks at the edges", " name , groups \n  alice\t, \u00a0blue | red \n", []roster.Row{grouped(2, "alice", "blue", "red")}},
		{"blanks before quotes", "name, groups\nalice, \" blue , red \"\n", []roster.Row{grouped(2, "alice", "blue", "red")}},
		{"quotes within quotes", "name,contact\n\"alice \"\"the fox\"\" a\",\"x, y; z\"\n", []roster.Row{reached(2, `alice "the fox" a`, "x, y; z")}},
		{"lines within a cell", "name,groups\n\"alice\",\"blue\nred\r\n\"\nbob,\n", []roster.Row{grouped(2, "alice", "blue", "red"), named(5, "bob")}},
		{"empty lines, rows and columns", "\r\n;;;\r\nname;groups;;\r\n\r\nalice;blue;;\r\n;;;\r\n ; ;\r\nbob;;;;;;\r\n;;;\r\n;;;\r\n",
			[]roster.Row{grouped(5, "alice", "blue"), named(8, "bob")}},
		{"an empty column between", "name,,contact\nalice,,a@b\n", []roster.Row{reached(2, "alice", "a@b")}},
		{"line ends of old", "name,groups\ralice,blue\rbob,\r", []roster.Row{grouped(2, "alice", "blue"), named(3, "bob")}},
		{"a group twice", "name,groups\nalice,blue|red|blue\n", []roster.Row{grouped(2, "alice", "blue", "red")}},
		{"an accent in two characters", "name\nJose\u0301\n", []roster.Row{named(2, "José")}},
		{"two who are spelt nearly alike", "name\nWeiß\nWeiss\n", []roster.Row{named(2, "Weiß"), named(3, "Weiss")}},
		{"names of the world", "name\n山田太郎\nمحمد\n👩‍🚒 Ana\n", []roster.Row{named(2, "山田太郎"), named(3, "محمد"), named(4, "👩‍🚒 Ana")}},
		{"JSON", `[{"name": "alice"}, {"name": "bob"}]`, []roster.Row{named(1, "alice"), named(1, "bob")}},
		{"all of JSON", "\ufeff\n[{\"key\": \"ecdsa-p256\", \"Days\": 90, \"e_mail\": \" alice@example.org \", \"groups\": [\"Dark Blue\", \" medics \"],\n" +
			`"device-family": "ATAK", "hosts": ["10.0.0.5:8090", "tak.example.org"], "callsign": "al\u0069ce"}]`, []roster.Row{full}},
		{"JSON with cells", `[{"name": "alice", "groups": "blue|red", "days": "", "key": null, "host": [], "contact": ""}]`,
			[]roster.Row{grouped(1, "alice", "blue", "red")}},
		{"JSON over lines", "[\n  {\n    \"name\": \"alice\"\n  },\n  {\"name\": \"bob\"}\n]\n", []roster.Row{named(2, "alice"), named(5, "bob")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := read(t, test.text); !slices.EqualFunc(got, test.want, same) {
				t.Errorf("got\n%+v, want\n%+v", got, test.want)
			}
		})
	}
}

func TestWhatIsGivenForAllRows(t *testing.T) {
	defaults := roster.Row{Line: 7, Name: "nobody", Hosts: []string{"TAK.example.org:9000"}, Families: []string{"ATAK"}, Groups: []string{"blue"},
		Contact: " desk ", Days: 30, Key: keyfile.ECDSAP384}
	got, err := roster.Read([]byte("name,host,family,groups,contact,days,key\nalice,,,,,,\nbob,10.0.0.5,atak,red,bob@example.org,5,rsa-4096\n"), defaults)
	if err != nil {
		t.Fatal(err)
	}
	want := []roster.Row{
		{Line: 2, Name: "alice", Hosts: []string{"tak.example.org:9000"}, Families: []string{"atak"}, Groups: []string{"blue"}, Contact: "desk",
			Days: 30, Key: keyfile.ECDSAP384},
		{Line: 3, Name: "bob", Hosts: []string{"10.0.0.5:8089"}, Families: []string{"atak"}, Groups: []string{"red"}, Contact: "bob@example.org",
			Days: 5, Key: keyfile.RSA4096},
	}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
}

func TestWhatIsGivenForAllRowsIsVettedOnce(t *testing.T) {
	rows, err := roster.Read([]byte("name\nalice\nbob\n"), roster.Row{Hosts: []string{"::1"}, Families: []string{"xtak"}, Groups: []string{"a|b"}, Days: -1, Key: "dsa"})
	const want = `what is given for all rows: host "::1": an IPv6 address cannot be given to devices, since ATAK splits host:port:ssl ` +
		`at the colons into exactly three parts; give a DNS name that stands for it
group "a|b": '|', ';' and ',' stand between two groups, and in none
"xtak" is no family of devices: write atak, wintak, itak, takaware, several with commas between them, or all
days "-1": want a whole number from 1 to 36500
key algorithm "dsa" is none of rsa-2048, rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if rows != nil {
		t.Errorf("got %v beside the error", rows)
	}
}

// team is a roster of ten thousand.
func team(t testing.TB) []roster.Row {
	t.Helper()
	var text strings.Builder
	text.WriteString("name;host;groups;contact;days\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "José %d;tak.example.org;blue|medics;jose.%d@example.org;365\n", i, i)
	}
	return read(t, text.String())
}

func TestTenThousandRowsAreReadAsTheyWereWritten(t *testing.T) {
	rows := team(t)
	var oneLine bytes.Buffer
	if err := json.Compact(&oneLine, asJSON(t, rows)); err != nil {
		t.Fatal(err)
	}
	for form, data := range map[string][]byte{"CSV": asCSV(t, rows, ';'), "JSON": asJSON(t, rows), "JSON in one line": oneLine.Bytes()} {
		got, err := roster.Read(data, roster.Row{})
		if err != nil || !slices.EqualFunc(got, rows, sameClient) {
			t.Errorf("%s: %d rows, %v", form, len(got), err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	rows := team(b)
	for _, form := range []struct {
		name string
		data []byte
	}{{"CSV", asCSV(b, rows, ',')}, {"JSON", asJSON(b, rows)}} {
		b.Run(form.name, func(b *testing.B) {
			b.SetBytes(int64(len(form.data)))
			for b.Loop() {
				if _, err := roster.Read(form.data, roster.Row{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
