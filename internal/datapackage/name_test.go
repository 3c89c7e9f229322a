package datapackage_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/ftsca/ftsca/internal/datapackage"
)

func TestSafeName(t *testing.T) {
	tests := []struct{ in, want string }{
		{"alice", "alice"},
		{"Alice B. O'Brien", "Alice_B._O_Brien"},
		{"fts.example.org", "fts.example.org"},
		{"Zoë Müller-Łukasz", "Zoe_Muller-Lukasz"},
		{"e\u0301", "e"},
		{"Straße Ærø Œuvre Þór", "Strasse_AEro_OEuvre_Thor"},
		{"ﬁne ½", "fine_1_2"},
		{"山田 太郎", "name"},
		{"山田 Taro 太郎 2", "Taro_2"},
		{"محمد", "name"},
		{"😀", "name"},
		{"", "name"},
		{"   ", "name"},
		{"../../etc/passwd", "etc_passwd"},
		{`..\..\boot.ini`, "boot.ini"},
		{".hidden", "hidden"},
		{"-rf", "rf"},
		{"--", "name"},
		{"a\x00b\nc", "a_b_c"},
		{"a\xffb", "a_b"},
		{"\u202etxt.exe", "txt.exe"},
		{"a;b|c`d$(e)", "a_b_c_d_e"},
		{"trailing...", "trailing"},
		{"nul", "nul_"},
		{"NUL.txt", "NUL_txt"},
		{"com1.x.y", "com1_x.y"},
		{"com10", "com10"},
		{"console", "console"},
		{"x_y", "x_y"},
		{strings.Repeat("a", 41), strings.Repeat("a", 40)},
		{strings.Repeat("a", 39) + ".b", strings.Repeat("a", 39)},
		{strings.Repeat("ß", 200), strings.Repeat("s", 40)},
		{strings.Repeat("山", 500) + "x", "name"},
	}
	for _, test := range tests {
		if got := datapackage.SafeName(test.in); got != test.want {
			t.Errorf("%q: got %q, want %q", test.in, got, test.want)
		}
	}
}

func TestFileStem(t *testing.T) {
	tests := []struct{ name, serial, want string }{
		{"alice", "0123456789abcdef", "alice-01234567"},
		{"alice", "01:23:AB:cd:ef", "alice-0123abcd"},
		{"alice", "0a", "alice-0a"},
		{"山田", "../../x/0123456789", "name-01234567"},
		{"nul", "0123456789", "nul_-01234567"},
	}
	for _, test := range tests {
		if got := datapackage.FileStem(test.name, test.serial); got != test.want {
			t.Errorf("%q, %q: got %q, want %q", test.name, test.serial, got, test.want)
		}
	}
}

func FuzzSafeName(f *testing.F) {
	for _, s := range []string{"alice", "Zoë", "..", "nul.x", "nul. 0", "nul.-", "山", "a\xff", strings.Repeat("ﷺ", 60), "\u0301", "LPT9"} {
		f.Add(s)
	}
	form := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)
	f.Fuzz(func(t *testing.T, s string) {
		got := datapackage.SafeName(s)
		if !form.MatchString(got) || strings.HasSuffix(got, ".") {
			t.Fatalf("%q gives %q", s, got)
		}
		if again := datapackage.SafeName(got); again != got && !strings.HasSuffix(got, "_") {
			t.Errorf("%q gives %q, and that gives %q", s, got, again)
		}
		// Whatever a name has of plain letters at its beginning stays readable.
		plain := s[:len(s)-len(strings.TrimLeftFunc(s, func(r rune) bool { return r < 0x80 && unicode.IsLetter(r) }))]
		if n := min(len(plain), 3); n > 0 && len(s) == len(plain) && !strings.HasPrefix(got, plain[:n]) {
			t.Errorf("%q gives %q", s, got)
		}
	})
}
