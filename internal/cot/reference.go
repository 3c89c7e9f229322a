package cot

import "unicode/utf8"

// reference reads the reference at b[i], which is '&': one of the five entities that need no declaration (XML 1.0, 4.6)
// or a number of a legal character (4.1). It returns the character and where the reference ends, or 0 and the reason.
func reference(b []byte, i int) (r rune, end int, reason string) {
	i++
	rest := b[i:min(len(b), i+len("quot;"))]
	switch {
	case hasPrefix(rest, "amp;"):
		return '&', i + 4, ""
	case hasPrefix(rest, "lt;"):
		return '<', i + 3, ""
	case hasPrefix(rest, "gt;"):
		return '>', i + 3, ""
	case hasPrefix(rest, "quot;"):
		return '"', i + 5, ""
	case hasPrefix(rest, "apos;"):
		return '\'', i + 5, ""
	case !hasPrefix(rest, "#"):
		return 0, 0, "& begins none of the five known entities"
	}
	i++
	base := rune(10)
	if i < len(b) && b[i] == 'x' {
		base = 16
		i++
	}
	first := i
	for ; i < len(b) && b[i] != ';'; i++ {
		d := digit(b[i])
		if d < 0 || d >= base {
			return 0, 0, "a character reference is not a number"
		}
		// Any number past the last character is as wrong as the next, and must not run over.
		r = min(r*base+d, utf8.MaxRune+1)
	}
	switch {
	case i == len(b) || i == first:
		return 0, 0, "a character reference is not a number"
	case !legal(r):
		return 0, 0, "a character reference names no legal character"
	}
	return r, i + 1, ""
}

// digit returns the value of a hexadecimal digit, -1 for any other byte.
func digit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}

// appendValue appends the attribute value as a reader sees it (XML 1.0, 2.11 and 3.3.3): references resolved, white
// space written as such turned into spaces, a CR LF pair into one. raw has been judged.
func appendValue(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		switch c := raw[i]; c {
		case '&':
			r, end, _ := reference(raw, i)
			dst = utf8.AppendRune(dst, r)
			i = end
		case '\r':
			if i+1 < len(raw) && raw[i+1] == '\n' {
				i++
			}
			fallthrough
		case '\t', '\n':
			dst = append(dst, ' ')
			i++
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}
