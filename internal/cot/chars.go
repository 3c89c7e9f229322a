package cot

import "unicode/utf8"

// What an ASCII byte may be. Bytes from 0x80 up have no class: they are decoded and judged as characters.
const (
	isSpace     = 1 << iota // XML 1.0, 2.3: S
	isNameStart             // starts a name without colon (Namespaces in XML, 3: NCName)
	isName                  // goes on in one
	isChar                  // legal character (2.2)
	isText                  // stands for itself between tags
	isValue                 // stands for itself in an attribute value between either kind of quotes
)

var class = classes()

func classes() (t [256]uint8) {
	for c := range utf8.RuneSelf {
		lower := c | 0x20
		switch {
		case c == '\t' || c == '\n' || c == '\r' || c == ' ':
			t[c] |= isSpace | isChar | isText
		case c >= 0x20:
			t[c] |= isChar | isText | isValue
		}
		switch {
		case 'a' <= lower && lower <= 'z' || c == '_':
			t[c] |= isNameStart | isName
		case '0' <= c && c <= '9' || c == '-' || c == '.':
			t[c] |= isName
		}
	}
	t[' '] |= isValue
	t['<'] &^= isText | isValue
	t['&'] &^= isText | isValue
	t[']'] &^= isText
	t['"'] &^= isValue
	t['\''] &^= isValue
	return t
}

// charLen returns the length of the character beyond ASCII that b begins with, 0 when it is not UTF-8 (overlong forms
// and surrogates are not) or no legal XML character.
func charLen(b []byte) int {
	r, n := utf8.DecodeRune(b)
	if r == utf8.RuneError && n <= 1 || r == 0xFFFE || r == 0xFFFF {
		return 0
	}
	return n
}

// legal tells whether a numeric reference may name r (XML 1.0, 2.2: Char).
func legal(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	default:
		return r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
	}
}
