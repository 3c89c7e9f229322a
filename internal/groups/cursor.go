package groups

import (
	"bytes"
	"unicode/utf8"
)

// cursor goes through a text, forwards only: to look every name up from the beginning would take hours of a long file.
type cursor struct {
	rest         []byte
	line, column int // where rest begins
}

func newCursor(text []byte) *cursor { return &cursor{rest: text, line: 1, column: 1} }

// reads tells whether s stands at a place that is not before the last one.
func (c *cursor) reads(line, column int, s string) bool {
	for c.line < line {
		end := bytes.IndexByte(c.rest, '\n')
		if end < 0 {
			return false
		}
		c.rest, c.line, c.column = c.rest[end+1:], c.line+1, 1
	}
	for c.column < column && len(c.rest) > 0 {
		_, size := utf8.DecodeRune(c.rest)
		c.rest, c.column = c.rest[size:], c.column+1
	}
	return bytes.HasPrefix(c.rest, []byte(s))
}
