package csr

import (
	"strconv"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// Tags that package asn1 has no name for.
const (
	numericString   = asn1.Tag(18)
	visibleString   = asn1.Tag(26)
	universalString = asn1.Tag(28)
	bmpString       = asn1.Tag(30)
)

// text reads a DirectoryString (RFC 5280, 4.1.2.4) or another string of ASCII, none of which is shortened: a zero at the
// end stays one. A TeletexString is read as ISO 8859-1, as OpenSSL and Java read and write it. What is no Unicode comes
// out as U+FFFD or as bytes that are no UTF-8, which no name may have.
func text(tag asn1.Tag, value []byte) (string, bool) {
	switch tag {
	case asn1.UTF8String:
		return string(value), true
	case asn1.PrintableString, asn1.IA5String, numericString, visibleString:
		for _, b := range value {
			if b >= 0x80 {
				return "", false
			}
		}
		return string(value), true
	case asn1.T61String:
		runes := make([]rune, len(value))
		for i, b := range value {
			runes[i] = rune(b)
		}
		return string(runes), true
	case bmpString:
		return wide(value, 2)
	case universalString:
		return wide(value, 4)
	}
	return "", false
}

// wide reads characters of so many bytes each.
func wide(value []byte, size int) (string, bool) {
	var runes []rune
	for ; len(value) >= size; value = value[size:] {
		var r rune
		for _, b := range value[:size] {
			r = r<<8 | rune(b)
		}
		runes = append(runes, r)
	}
	return string(runes), len(value) == 0
}

// quoted makes foreign text safe for a terminal, and short.
func quoted(s string) string {
	const most = 300
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return strconv.Quote(s)
}
