package roster_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/roster"
)

// Ledgers hold digests, so this must never change.
func TestDigestIsThatOfThisText(t *testing.T) {
	row := roster.Row{Line: 9, Name: "José", Hosts: []string{"b.org:8089", "a.org:1"}, Families: []string{"atak"}, Groups: []string{"red", "blue"},
		Contact: "jose@example.org", Days: 365, Key: keyfile.RSA2048}
	const text = "row 1 1\nname 5 José\nhost 10 b.org:8089\nhost 7 a.org:1\nfamily 4 atak\ngroup 4 blue\ngroup 3 red\n" +
		"contact 16 jose@example.org\ndays 3 365\nkey 8 rsa-2048\n"
	sum := sha256.Sum256([]byte(text))
	if got := row.Digest(); got != hex.EncodeToString(sum[:]) {
		t.Errorf("got %s", got)
	}
	if row.Groups[0] != "red" {
		t.Errorf("the groups were put into another order: %q", row.Groups)
	}
	const least = "row 1 1\nname 5 alice\nhost 20 fts.example.org:8089\nfamily 4 atak\nkey 8 rsa-2048\n"
	sum = sha256.Sum256([]byte(least))
	if got := named(2, "alice").Digest(); got != hex.EncodeToString(sum[:]) {
		t.Errorf("of the least row got %s", got)
	}
}

func TestDigestIsTheSameForTheSameClient(t *testing.T) {
	want := with(named(0, "José"), func(r *roster.Row) {
		r.Groups, r.Contact, r.Days = []string{"blue", "red"}, "jose@example.org", 365
	}).Digest()
	for name, text := range map[string]string{
		"commas":        "name,groups,contact,days\nJosé,blue|red,jose@example.org,365\n",
		"semicolons":    "name;groups;contact;days\r\nJosé;\"blue;red\";jose@example.org;365\r\n",
		"byte order":    "\ufeffname,groups,contact,days\nJosé,blue|red,jose@example.org,365\n",
		"other columns": "days,e-mail,group,callsign,host\n0365,jose@example.org,blue|red,José,\n",
		"other groups":  "name,groups,contact,days\nJosé,red|blue|red,jose@example.org,365\n",
		"blanks":        "\n name , groups ,contact,days\n\n  Jose\u0301 ,\" red | blue \n\",\u00a0jose@example.org ,365\n",
		"what is given": "name,host,family,groups,contact,days,key\nJosé,FTS.example.org:8089,ATAK,blue|red,jose@example.org,365,RSA-2048\n",
		"JSON":          `[{"contact": "jose@example.org", "days": 365, "name": "Jos\u00e9", "groups": ["red", "blue"]}]`,
		"other JSON":    "\n[ {\"name\": \" Jose\\u0301\", \"groups\": \"red;blue\",\n\"E-mail\": \"jose@example.org\", \"days\": \"365\", \"key\": null}]",
	} {
		if got := read(t, text)[0].Digest(); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestDigestIsAnotherForEveryChange(t *testing.T) {
	changes := map[string]func(r *roster.Row){
		"none":                 func(*roster.Row) {},
		"name":                 func(r *roster.Row) { r.Name = "bob" },
		"host":                 func(r *roster.Row) { r.Hosts = []string{"b:1"} },
		"another host":         func(r *roster.Row) { r.Hosts = []string{"a:1", "b:1"} },
		"the hosts' order":     func(r *roster.Row) { r.Hosts = []string{"b:1", "a:1"} },
		"family":               func(r *roster.Row) { r.Families = []string{"wintak"} },
		"group":                func(r *roster.Row) { r.Groups = []string{"blue"} },
		"two groups":           func(r *roster.Row) { r.Groups = []string{"blue", "red"} },
		"one of both":          func(r *roster.Row) { r.Groups = []string{"bluered"} },
		"contact":              func(r *roster.Row) { r.Contact = "blue" },
		"days":                 func(r *roster.Row) { r.Days = 1 },
		"contact of that many": func(r *roster.Row) { r.Contact = "1" },
		"key":                  func(r *roster.Row) { r.Key = keyfile.ECDSAP256 },
		"a line in a contact":  func(r *roster.Row) { r.Contact = "x\ndays 1 1" },
		"a contact and days":   func(r *roster.Row) { r.Contact, r.Days = "x", 1 },
	}
	digests := map[string]string{}
	for name, change := range changes {
		digest := with(named(1, "alice"), change).Digest()
		if other := digests[digest]; other != "" {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		digests[digest] = name
	}
}
