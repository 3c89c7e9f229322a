package groups_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/groups"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"blue: [alice, bob]\nred:\n  - bob\n  - carol\n", "\ufeffblue:\r\n- 'it''s'\r\n- \"a\\x00\"\r\n",
		"a: &x [b]\nc: *x\n", "<<: {a: [b]}\n", "%TAG ! tag:x,2000:\n--- !foo\n? a\n: [!!str b, ~]\n...\n---\n", "a: |\n  x\n# é\n", "{a: [b\n c], d: }"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		members, err := groups.Parse(data)
		if err != nil {
			var at *groups.SyntaxError
			if !errors.As(err, &at) || at.Line < 1 || at.Column < 1 || at.Line > 2+bytes.Count(data, []byte{'\n'}) || at.Column > 2+len(data) {
				t.Errorf("the error has no place: %v", err)
			}
			return
		}
		var anew strings.Builder
		byGroup := map[string][]string{}
		for name, of := range members {
			if strings.TrimSpace(name) == "" || len(of) == 0 || !slices.IsSorted(of) || len(slices.Compact(slices.Clone(of))) != len(of) {
				t.Errorf("%q is in %q", name, of)
			}
			for _, group := range of {
				if vetted, err := csr.VetGroup(group); err != nil || vetted != group {
					t.Errorf("the group %q: %v", group, err)
				}
				byGroup[group] = append(byGroup[group], strconv.QuoteToASCII(name))
			}
		}
		for group, names := range byGroup {
			fmt.Fprintf(&anew, "%s: [%s]\n", strconv.QuoteToASCII(group), strings.Join(names, ", "))
		}
		// What is written out in full may be longer than a file may be.
		again, err := groups.Parse([]byte(anew.String()))
		if anew.Len() <= groups.MaxSize && (err != nil || !maps.EqualFunc(again, members, slices.Equal)) {
			t.Errorf("%q, written anew, is %q: %v", members, again, err)
		}
	})
}
