package cot

// fuses tells whether two pieces of text would read otherwise if nothing stood between them, given the byte that the
// one ends with and the byte that the other begins with. Text must not hold "]]>" (XML 1.0, 2.4), and CR LF is one line
// end (2.11). It looks no further than these bytes, so some pieces are said to fuse that do not, such as "]" and "]".
func fuses(before, after byte) bool {
	switch before {
	case ']':
		return after == ']' || after == '>'
	case '\r':
		return after == '\n'
	}
	return false
}
