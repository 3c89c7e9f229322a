package csr_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/csr"
)

var update = flag.Bool("update", false, "write the golden files anew")

// one parses a request that is alone in its file.
func one(t testing.TB, data []byte) csr.Foreign {
	t.Helper()
	all, err := csr.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 {
		t.Fatalf("%d requests", len(all))
	}
	return all[0]
}

// fixed returns the files of requests that other tools have made.
func fixed(t testing.TB) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"testdata/*.pem", "testdata/*.txt"} {
		more, err := filepath.Glob(pattern)
		if err != nil || len(more) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		files = append(files, more...)
	}
	return files
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestRequestsOfOtherToolsAreShownInFull(t *testing.T) {
	const golden = "testdata/shown.golden"
	var shown bytes.Buffer
	for _, file := range fixed(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&shown, "%s\n", filepath.Base(file))
		all, err := csr.Parse(data)
		if err != nil {
			fmt.Fprintf(&shown, "  refused: %v\n", err)
		}
		for _, f := range all {
			fmt.Fprintln(&shown)
			for _, row := range f.Rows() {
				fmt.Fprintf(&shown, "  %-12s %s\n", row[0], row[1])
			}
		}
		fmt.Fprintln(&shown)
	}
	if *update {
		if err := os.WriteFile(golden, shown.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(shown.Bytes(), want) {
		t.Errorf("got\n%s\nwant\n%s", shown.Bytes(), want)
	}
}

func TestSubjectIsReadInEveryEncodingOfText(t *testing.T) {
	for _, tt := range []struct {
		name  string
		tag   byte
		value string
		want  string
	}{
		{"UTF8String", utf8String, "Zoë 山田 👩‍🚒", "Zoë 山田 👩‍🚒"},
		{"PrintableString", 19, "alice", "alice"},
		{"IA5String", 22, "alice@example", "alice@example"},
		{"NumericString", 18, "42", "42"},
		{"VisibleString", 26, "alice", "alice"},
		{"TeletexString", 20, "Zo\xeb", "Zoë"},
		{"BMPString", 30, bmp("Łukasz"), "Łukasz"},
		{"UniversalString", 28, universal("Łukasz 🚒"), "Łukasz 🚒"},
		{"a decomposed letter", utf8String, "Zoe\u0308", "Zoë"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := one(t, forge(t, tlv(sequence, part(t, cn, tt.tag, tt.value))))
			if got := f.Asked.Subject.CommonName; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if len(f.NotTaken) > 0 {
				t.Errorf("not taken: %q", f.NotTaken)
			}
		})
	}
}

func TestWhatIsNotTakenIsTold(t *testing.T) {
	for _, tt := range []struct {
		name       string
		subject    []byte
		attributes [][]byte
		want       []string
	}{
		{"a name that says all", tlv(sequence, part(t, "2.5.4.6", 19, "CA"), part(t, "2.5.4.8", 19, "BC"), part(t, "2.5.4.7", 19, "Fernie"),
			part(t, "2.5.4.10", 19, "Valley Rescue"), part(t, ou, 19, "Alpine"), part(t, cn, 19, "alice")), nil, nil},
		{"several units in one set, as Go writes them", tlv(sequence, tlv(set, pair(t, ou, utf8String, "Alpine"), pair(t, ou, utf8String, "group:blue"),
			pair(t, ou, utf8String, "Nordic"))), nil, []string{
			`unit "group:blue": the authority decides who is in which group`, `unit "Nordic": it has another one already`}},
		{"two organizations", tlv(sequence, part(t, "2.5.4.10", utf8String, "One"), part(t, "2.5.4.10", utf8String, "Two")), nil,
			[]string{`organization "Two": it has another one already`}},
		{"an empty unit, which asks for nothing", tlv(sequence, part(t, ou, utf8String, "")), nil, nil},
		{"a group that hides in the organization", tlv(sequence, part(t, "2.5.4.10", utf8String, "Valley/OU=group:red")), nil,
			[]string{`organization "Valley/OU=group:red": the authority decides who is in which group`}},
		{"parts that no certificate has", tlv(sequence, part(t, "2.5.4.5", 19, "7"), part(t, "0.9.2342.19200300.100.1.1", 30, bmp("ü\x07")),
			part(t, "1.2.3", integer, "\x05"), part(t, "2.5.4.13", utf8String, "\x1b[2J\u202e"+strings.Repeat("x", 400))), nil, []string{
			`serialNumber "7" in the subject`, `UID "ü\a" in the subject`, `1.2.3 in the subject`,
			`description "\x1b[2J\u202e` + strings.Repeat("x", 295) + `…" in the subject`}},
		{"attributes, but not what stands in them", tlv(sequence), [][]byte{
			tlv(sequence, oid(t, "1.2.840.113549.1.9.7"), tlv(set, tlv(19, []byte("secret")))),
			tlv(sequence, oid(t, "1.2.3.4"), tlv(set)),
		}, []string{"attribute challengePassword", "attribute 1.2.3.4"}},
		{"an empty list of extensions", tlv(sequence), [][]byte{asking(t, standard)}, nil},
		{"extensions", tlv(sequence), [][]byte{asking(t, standard,
			extension(t, "2.5.29.14", -1, tlv(octetString, []byte("x"))),
			extension(t, "2.5.29.30", 0xff, tlv(sequence)),
			extension(t, "1.2.3.4", 0, nil),
			extension(t, "2.5.29.19", 0xff, tlv(sequence)),
			extension(t, "2.5.29.15", -1, tlv(bitString, []byte{7, 0x80})),
			extension(t, "2.5.29.37", -1, tlv(sequence, oid(t, "1.3.6.1.5.5.7.3.2"), oid(t, "1.2.840.113549.1.9.7"))),
		)}, []string{"extension subjectKeyIdentifier", "extension nameConstraints, critical", "extension 1.2.3.4",
			"key usage digitalSignature", "extended key usage clientAuth", "extended key usage challengePassword"}},
		{"alternative names of other kinds", tlv(sequence), [][]byte{asking(t, standard, extension(t, "2.5.29.17", -1, tlv(sequence,
			tlv(0xa0, oid(t, "1.3.6.1.4.1.311.20.2.3"), tlv(0xa0, tlv(utf8String, []byte("admin")))),
			tlv(0x81, []byte("a@example.org")), tlv(0x86, []byte("urn:x")), tlv(0x82, []byte("a.example.org")),
			tlv(0xa3), tlv(0xa4, tlv(sequence)), tlv(0xa5), tlv(0x88, []byte{0x2a, 3}))))}, []string{
			"alternative name of the kind userPrincipalName", `e-mail address "a@example.org"`, `URI "urn:x"`, "X.400 address", "directory name",
			"EDI party name", "registered identifier"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := one(t, forge(t, tt.subject, tt.attributes...))
			if !slices.Equal(f.NotTaken, tt.want) {
				t.Errorf("got  %q\nwant %q", f.NotTaken, tt.want)
			}
			if f.Authority {
				t.Error("it passes for an authority's")
			}
			if len(f.Asked.Subject.Groups) > 0 {
				t.Errorf("it has the groups %q", f.Asked.Subject.Groups)
			}
		})
	}
}

func TestARequestForThePowersOfAnAuthorityIsSeenInEveryForm(t *testing.T) {
	constraints, usage := "2.5.29.19", "2.5.29.15"
	yes := tlv(0x01, []byte{0xff})
	for _, tt := range []struct {
		name   string
		under  string
		oid    string
		value  []byte
		powers bool
		words  []string
	}{
		{"CA:TRUE", standard, constraints, tlv(sequence, yes), true, []string{"basic constraints CA:TRUE"}},
		{"CA:TRUE with a path length", standard, constraints, tlv(sequence, yes, tlv(integer, []byte{0})), true, []string{"basic constraints CA:TRUE, path length 0"}},
		{"CA:TRUE in Microsoft's list", microsoft, constraints, tlv(sequence, yes), true, []string{"basic constraints CA:TRUE"}},
		{"CA:FALSE written out", standard, constraints, tlv(sequence, tlv(0x01, []byte{0})), false, nil},
		{"a path length alone", standard, constraints, tlv(sequence, tlv(integer, []byte{3})), false, []string{"basic constraints with the path length 3"}},
		{"keyCertSign", standard, usage, tlv(bitString, []byte{2, 0x04}), true, []string{"key usage keyCertSign"}},
		{"cRLSign", standard, usage, tlv(bitString, []byte{1, 0x02}), true, []string{"key usage cRLSign"}},
		{"keyCertSign in a string of three bytes", standard, usage, tlv(bitString, []byte{0, 0x04, 0, 0}), true, []string{"key usage keyCertSign"}},
		{"keyCertSign beside a bit that nobody knows", microsoft, usage, tlv(bitString, []byte{4, 0x84, 0x80, 0x10}), true, []string{"key usage digitalSignature, keyCertSign, decipherOnly, bit 19"}},
		{"every usage but those", standard, usage, tlv(bitString, []byte{7, 0xf9, 0x80}), false,
			[]string{"key usage digitalSignature, nonRepudiation, keyEncipherment, dataEncipherment, keyAgreement, encipherOnly, decipherOnly"}},
		{"no usage at all", standard, usage, tlv(bitString, []byte{0}), false, nil},
		{"an authority in Netscape's words", standard, "2.16.840.1.113730.1.1", tlv(bitString, []byte{2, 0x04}), true, []string{"Netscape certificate type SSL CA"}},
		{"an authority for code in Netscape's words", standard, "2.16.840.1.113730.1.1", tlv(bitString, []byte{0, 0x01}), true, []string{"Netscape certificate type object signing CA"}},
		{"a client in Netscape's words", standard, "2.16.840.1.113730.1.1", tlv(bitString, []byte{7, 0x80}), false, []string{"Netscape certificate type SSL client"}},
	} {
		for _, flag := range []int{-1, 0, 0xff} {
			f := one(t, forge(t, named(t, "eve"), asking(t, tt.under, extension(t, tt.oid, flag, tt.value))))
			if f.Authority != tt.powers || !slices.Equal(f.NotTaken, tt.words) {
				t.Errorf("%s: got %t, %q; want %t, %q", tt.name, f.Authority, f.NotTaken, tt.powers, tt.words)
			}
			shown := slices.Contains(f.Rows(), [2]string{"asks for", "the powers of an authority"})
			if shown != tt.powers {
				t.Errorf("%s: people are told %t", tt.name, shown)
			}
		}
	}
}

func TestNobodyPutsHimselfIntoAGroup(t *testing.T) {
	for _, unit := range []string{
		"group:blue", "group:", "GROUP:blue", "Group:Blue", "gROUP:b", " group:blue", "group :blue", "g r o u p : blue", "\u00a0group:blue",
		"ｇｒｏｕｐ：blue", "group：blue", "group\ufe55blue", "𝐠𝐫𝐨𝐮𝐩:blue", "ⓖⓡⓞⓤⓟ:blue", "group\ua789blue", "group\u2236blue",
		"gr\u200boup:blue", "gr\u00adoup:blue", "\u200dgroup:blue", "group\u2060:blue", "gr\u3164oup:blue", "gröup:blue", "gro\u0308up:blue",
		"gr\u043eup:blue", "gr\u03bfup:blue", "grou\u0440:blue", "\u0261roup:blue", "\u0262\u0280\u1d0f\u1d1c\u1d18:blue", "gr0up:blue", "GR0UP:blue",
		"Alpine/OU=group:blue", "Alpine,OU=group:blue", "Alpine+OU=Group:blue", "Alpine\u2028OU=group:blue", "a group: b",
	} {
		f := one(t, forge(t, tlv(sequence, part(t, cn, utf8String, "eve"), part(t, ou, utf8String, unit), part(t, ou, utf8String, "Alpine"))))
		want := []string{fmt.Sprintf("unit %q: the authority decides who is in which group", unit)}
		if !slices.Equal(f.NotTaken, want) || f.Asked.Subject.Unit != "Alpine" || len(f.Asked.Subject.Groups) > 0 {
			t.Errorf("%+q: got %q, the unit %q and the groups %q", unit, f.NotTaken, f.Asked.Subject.Unit, f.Asked.Subject.Groups)
		}
		_, err := csr.Parse(forge(t, named(t, unit)))
		if want := fmt.Sprintf("name %q: it could pass for a group", unit); message(err) != want {
			t.Errorf("as a name: got %v, want %s", err, want)
		}
	}
	for _, unit := range []string{"Groupe Spéléo", "group", "group blue", "Отряд: Альфа", "группа: 5", "दुःख", "soup:blue", "Alpine: 5", "Gruppe: 5"} {
		if f := one(t, forge(t, tlv(sequence, part(t, ou, utf8String, unit)))); f.Asked.Subject.Unit != unit || len(f.NotTaken) > 0 {
			t.Errorf("%q became %q, not taken: %q", unit, f.Asked.Subject.Unit, f.NotTaken)
		}
	}
}

func TestTheAuthorityDecidesNameAndGroups(t *testing.T) {
	nameless := func(names ...string) csr.Foreign {
		var all [][]byte
		for _, n := range names {
			all = append(all, tlv(0x82, []byte(n)))
		}
		return one(t, forge(t, tlv(sequence, part(t, ou, utf8String, "Alpine")), asking(t, standard, extension(t, "2.5.29.17", -1, tlv(sequence, all...)))))
	}
	long := strings.Repeat("a", 63) + ".org"
	for _, tt := range []struct {
		f    csr.Foreign
		want string
	}{
		{one(t, forge(t, named(t, "alice"))), "alice"},
		{one(t, forge(t, named(t, ""))), ""},
		{one(t, forge(t, tlv(sequence))), ""},
		{nameless("FTS.example.org", "b.example.org"), "fts.example.org"},
		{nameless("*.example.org", long, "b.example.org"), "b.example.org"},
		{nameless(long), ""},
	} {
		if got := tt.f.Name(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	f := nameless("a.example.org")
	r, err := f.As("alice", []string{"blue"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Subject.CommonName != "alice" || !slices.Equal(r.Subject.Groups, []string{"blue"}) || r.Subject.Unit != "Alpine" ||
		!slices.Equal(r.DNSNames, []string{"a.example.org"}) || r.PublicKey != f.Asked.PublicKey {
		t.Errorf("got %+v", r)
	}
	if f.Asked.Subject.CommonName != "" || len(f.Asked.Subject.Groups) > 0 {
		t.Errorf("the request itself has become %+v", f.Asked)
	}
	if _, err := f.As(f.Asked.Subject.CommonName, nil); message(err) != `name "": it is empty` {
		t.Errorf("without a name: %v", err)
	}
	if _, err := f.As("alice", []string{"a\tb"}); message(err) != `group "a\tb": the character U+0009 is not one for a name` {
		t.Errorf("with a wrong group: %v", err)
	}
}
