package output

import (
	"strconv"
	"strings"
	"unicode"
)

// visible writes out what would act on a terminal or break a row instead of being seen: control characters, line and
// paragraph separators, bytes that are not UTF-8, and the characters that turn the direction of the text around them.
// Names in foreign certificates may hold any of these.
func visible(s string) string {
	clean := func(r rune) bool { return r != unicode.ReplacementChar && !hidden(r) }
	if strings.IndexFunc(s, func(r rune) bool { return !clean(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if clean(r) || r == unicode.ReplacementChar {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}
