package groups_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/groups"
)

// told are the names with their groups, in a line each.
func told(members map[string][]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(members)) {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(members[name], ", "))
	}
	return b.String()
}

func TestNamesHaveTheirGroups(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"as the manual has it", "blue: [alice, bob]\nred:\n  - bob\n  - carol\n", "alice: blue\nbob: blue, red\ncarol: red\n"},
		{"lists that are not set in", "red:\n- carol\n- bob\nblue:\n- bob\n", "bob: blue, red\ncarol: red\n"},
		{"in one pair of braces", "{blue: [alice], \"red\": ['bob']}", "alice: blue\nbob: red\n"},
		{"over several lines", "blue: [alice,\n  bob,\n]\n", "alice: blue\nbob: blue\n"},
		{"from Windows", "\ufeffblue:\r\n  - alice\r\n  - bob # on leave\r\n", "alice: blue\nbob: blue\n"},
		{"no newline at the end", "blue: [alice]", "alice: blue\n"},
		{"empty", "", ""},
		{"comments alone", "# blue: [alice]\n\n", ""},
		{"an empty document", "---\n...\n", ""},
		{"an empty mapping", "{}\n", ""},
		{"one document, between its marks", "---\nblue: [alice]\n...\n", "alice: blue\n"},
		{"groups without names", "blue:\nred: []\ngreen: ~\nwhite: [alice]\n", "alice: white\n"},
		{"a name twice in its group", "blue: [alice, bob, alice]\n", "alice: blue\nbob: blue\n"},
		{"nobody's group", "__ANON__: [alice]\nblue: [bob]\n", "alice: __ANON__\nbob: blue\n"},
		{"what else YAML would take for something", "blue: [007, yes, No, 1e3, 0x1f, 2026-01-02, .inf, \"null\", '~', \"<<\"]\n1: [a]\nno: [b]\n",
			".inf: blue\n007: blue\n0x1f: blue\n1e3: blue\n2026-01-02: blue\n<<: blue\nNo: blue\na: 1\nb: no\nnull: blue\nyes: blue\n~: blue\n"},
		{"names with spaces, colons and hashes", "search team: [Zoë Müller, a:b, a#b, \"a, b\", 'it''s', \"a\\tb\"]\n",
			"Zoë Müller: search team\na\tb: search team\na#b: search team\na, b: search team\na:b: search team\nit's: search team\n"},
		{"other scripts", "Отряд: [Борис, 山田, 😀]\n", "Борис: Отряд\n山田: Отряд\n😀: Отряд\n"},
		{"letters that are put together of two", "Zoe\u0308s: [Ame\u0301lie, Am\u00e9lie]\n", "Am\u00e9lie: Zo\u00ebs\n"},
		{"keys that say that they are", "? blue\n: [alice]\n", "alice: blue\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			members, err := groups.Parse([]byte(test.file))
			if err != nil {
				t.Fatal(err)
			}
			if got := told(members); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
			if members == nil {
				t.Error("a file with no names is not no file")
			}
		})
	}
}

func TestFaultsAreToldWithTheirPlace(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"an open bracket", "blue: [alice, bob\nred: [carol]\n", "line 2, column 4: did not find expected ',' or ']', for what begins in line 1, column 7"},
		{"an open bracket at the end", "blue: [alice", "line 2, column 1: did not find expected ',' or ']', for what begins in line 1, column 7"},
		{"an open quote", "blue: [\"alice]\n", "line 2, column 1: found unexpected end of stream, for what begins in line 1, column 8"},
		{"a tab", "blue:\n\t- alice\n", "line 2, column 1: a tab, where YAML is indented with spaces"},
		{"another indentation", "blue:\n  - alice\n - bob\n", "line 3, column 2: did not find expected key, for what begins in line 1, column 1"},
		{"a dash in the group's line", "blue: - alice\n", "line 1, column 7: block sequence entries are not allowed in this context"},
		{"dashes without a space", "blue:\n-alice\n-bob\n", "line 3, column 1: could not find expected ':', for what begins in line 2, column 1"},
		{"no space behind the colon", "blue:[alice]\n", "line 1, column 1: want groups, each with a list of names, as in blue: [alice, bob]"},
		{"one name, and no list", "blue: alice\n", `line 1, column 7: want a list of the names in group "blue", as in blue: [alice, bob]`},
		{"names without brackets", "red: [carol]\nblue: alice, bob]\n", `line 2, column 7: want a list of the names in group "blue", as in blue: [alice, bob]`},
		{"braces in the place of brackets", "blue: {alice, bob}\n", `line 1, column 7: want a list of the names in group "blue", as in blue: [alice, bob]`},
		{"a list of names alone", "- alice\n", "line 1, column 1: want groups, each with a list of names, as in blue: [alice, bob]"},
		{"text", "nothing\n", "line 1, column 1: want groups, each with a list of names, as in blue: [alice, bob]"},
		{"a group twice", "blue: [alice]\n\nred: []\nblue: [bob]\n", `line 4, column 1: the group "blue" stands in line 1 already`},
		{"a group twice, typed on two keyboards", "Zo\u00eb: [alice]\nZoe\u0308: [bob]\n", "line 2, column 1: the group \"Zo\u00eb\" stands in line 1 already"},
		{"a group twice in braces", "{blue: [alice], blue: [bob]}\n", `line 1, column 17: the group "blue" stands in line 1 already`},
		{"a list in a list", "blue:\n  - [alice]\n", "line 2, column 5: want a name, and not a list or a mapping"},
		{"a mapping in a list", "blue:\n  - alice: leader\n", "line 2, column 5: want a name, and not a list or a mapping"},
		{"a list for a group", "[blue, red]: [alice]\n", "line 1, column 1: want the name of a group, and not a list or a mapping"},
		{"a name that is missing", "blue:\n  - alice\n  -\n", "line 3, column 4: a name is empty"},
		{"a name of nothing", "blue: [alice, ' ']\n", "line 1, column 15: a name is empty"},
		{"a group of nothing", "'': [alice]\n", "line 1, column 1: the name of a group is empty"},
		{"a word for nothing", "blue: [~]\n", "line 1, column 8: ~ is nothing in YAML: in quotes it is a name"},
		{"a group that is nothing", "null: [alice]\n", "line 1, column 1: null is nothing in YAML: in quotes it is the name of a group"},
		{"a dash that is missing", "blue:\n  - alice\n    bob\n", "line 2, column 5: a name that goes on in the next line: there a - or a comma is missing"},
		{"a comma that is missing", "blue: [é, alice\n  bob]\n", "line 1, column 11: a name that goes on in the next line: there a - or a comma is missing"},
		{"a block of text", "blue:\n  - |\n    alice\n", "line 2, column 5: a name stands in one line, without | or >"},
		{"an anchor", "blue: &all [alice]\n", "line 1, column 7: the anchor &all: write out what is meant where it is meant"},
		{"an anchor on a name", "blue: [&a alice]\n", "line 1, column 8: the anchor &a: write out what is meant where it is meant"},
		{"an alias to nothing", "blue: *all\n", "line 1, column 7: unknown anchor 'all' referenced"},
		{"an anchor around it all", "&a\nblue: [alice]\n", "line 1, column 1: the anchor &a: write out what is meant where it is meant"},
		{"a merge key", "<<: {red: [alice]}\n", "line 1, column 1: the merge key <<: write out what it stands for; in quotes it is a name"},
		{"a tag", "blue: !team [alice]\n", "line 1, column 7: the tag !team: leave it out"},
		{"a tag of YAML's own", "blue: [!!str 7]\n", "line 1, column 8: the tag !!str: leave it out"},
		{"a tag of no name", "blue: [! alice]\n", "line 1, column 8: the tag !: leave it out"},
		{"a second document", "blue: [alice]\n---\nred: [bob]\n", "line 2, column 1: a second document: want one, in which every group stands"},
		{"a broken second document", "blue: [alice]\n---\nred: [bob\n", "line 4, column 1: did not find expected ',' or ']', for what begins in line 3, column 6"},
		{"another YAML", "%YAML 1.2\n---\nblue: [alice]\n", "line 1, column 1: found incompatible YAML document"},
		{"a group that no certificate can have", "blue: [alice]\n\"a\\u202eb\": [bob]\n",
			"line 2, column 1: group \"a\\u202eb\": the character U+202E turns the direction of text and can disguise a name"},
		{"a group with a space behind it", "'blue ': [alice]\n", `line 1, column 1: group "blue ": it begins or ends with a space`},
		{"a long group", strings.Repeat("é", 59) + ": [alice]\n", `line 1, column 1: group "` + strings.Repeat("é", 59) + `": 59 characters, and at most 58 fit`},
		{"a zero byte", "blue: [alice]\né\x00\n", "line 2, column 2: the character U+0000 cannot stand here"},
		{"a line break that no editor shows", "blue: [alice]\u2028\n", "line 1, column 14: the character U+2028 cannot stand here"},
		{"lines as they once were on a Mac", "blue: [alice]\rred: [bob]\r", "line 1, column 14: the character U+000D cannot stand here"},
		{"not UTF-8", "blue: [alice]\nred: [Zo\xeb]\n", "line 2, column 9: the file is not valid UTF-8"},
		{"UTF-16", "\xff\xfeb\x00", "line 1, column 1: the file is in UTF-16: save it in UTF-8"},
		{"very deep", "blue: " + strings.Repeat("[", 20_000) + "\n", "line 1, column 10007: exceeded max depth of 10000"},
		{"too long", "#" + strings.Repeat(" ", groups.MaxSize), "line 1, column 1: the file has more than 1 MiB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			members, err := groups.Parse([]byte(test.file))
			var at *groups.SyntaxError
			if !errors.As(err, &at) || at.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if members != nil {
				t.Errorf("got names of a broken file: %v", members)
			}
		})
	}
}

func TestALongFileIsReadInGoodTime(t *testing.T) {
	// Each name is looked up in the text: by a way that began anew each time this would take minutes.
	for name, file := range map[string]string{
		"in one line": "blue: [" + strings.Repeat("alice, ", groups.MaxSize/7-10) + "]\n",
		"in many":     "blue:\n" + strings.Repeat("- alice\n", groups.MaxSize/8-10),
	} {
		if members, err := groups.Parse([]byte(file)); err != nil || told(members) != "alice: blue\n" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheExampleOfTheManual(t *testing.T) {
	data, err := os.ReadFile("../../docs/groups.yaml")
	if err != nil {
		t.Fatal(err)
	}
	members, err := groups.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	want := "alice: blue\nbob: blue, red\ncarol: red\ndave: __ANON__\nzoë müller: search team\n"
	if got := told(members); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
