package csr

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// colons are that of GroupPrefix and what looks like it in normal form KD: those characters of Unicode's confusables.txt
// that no language has inside its words.
const colons = ":\u02d0\u02f8\u0589\u05c3\u1803\u1809\u205a\u2236\ua4fd\ua789"

// hasGroup tells whether a text has GroupPrefix in it, in any case, width or disguise that a person, or a program that
// folds names, may take for it: "GROUP:blue", "ｇｒｏｕｐ：blue", "gr\u200boup :blue", "Alpine/OU=group:blue", or with letters
// of other scripts between Latin ones. Marks, spaces and punctuation count for nothing.
func hasGroup(s string) bool {
	var seen []rune
	for _, r := range norm.NFKD.String(s) {
		visible := unicode.IsLetter(r) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
		if visible || unicode.IsDigit(r) || strings.ContainsRune(colons, r) {
			seen = append(seen, unicode.ToLower(r))
		}
	}
	prefix := []rune(GroupPrefix)
	for len(seen) >= len(prefix) {
		if looksLike(seen[:len(prefix)], prefix) {
			return true
		}
		seen = seen[1:]
	}
	return false
}

// looksLike takes every letter beyond ASCII for the one it stands in place of, so long as one is Latin: "Отряд:" is
// another word.
func looksLike(window, prefix []rune) bool {
	latin := false
	for i, r := range window {
		switch {
		case prefix[i] == ':':
			if !strings.ContainsRune(colons, r) {
				return false
			}
		case r == '0' && prefix[i] == 'o':
		case r == prefix[i] || r > unicode.MaxASCII && unicode.IsLetter(r):
			latin = latin || unicode.Is(unicode.Latin, r)
		default:
			return false
		}
	}
	return latin
}
