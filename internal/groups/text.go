package groups

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// byteOrderMark is what some editors begin a file in UTF-8 with.
const byteOrderMark = "\ufeff"

// plain returns the text without its byte order mark, or says what cannot stand in any YAML file, and where: the library
// tells no place of these. Line breaks that editors show as none are refused, since lines would be counted differently.
func plain(data []byte) ([]byte, error) {
	if len(data) > MaxSize {
		return nil, &SyntaxError{Line: 1, Column: 1, Msg: fmt.Sprintf("the file has more than %d MiB", MaxSize>>20)}
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, &SyntaxError{Line: 1, Column: 1, Msg: "the file is in UTF-16: save it in UTF-8"}
	}
	text := bytes.TrimPrefix(data, []byte(byteOrderMark))
	line, column := 1, 1
	for i, size := 0, 0; i < len(text); i += size {
		var r rune
		r, size = utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return nil, &SyntaxError{Line: line, Column: column, Msg: "the file is not valid UTF-8"}
		case r == '\n':
			line, column = line+1, 1
			continue
		case r == '\r' && bytes.HasPrefix(text[i+1:], []byte{'\n'}):
		case !printable(r):
			return nil, &SyntaxError{Line: line, Column: column, Msg: fmt.Sprintf("the character %U cannot stand here", r)}
		}
		column++
	}
	return text, nil
}

func printable(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t'
	case r >= 0x7f && r < 0xa0, r == '\u2028', r == '\u2029', r == '\ufeff', r == '\ufffe', r == '\uffff':
		return false
	}
	return true
}
