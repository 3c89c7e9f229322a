package pkcs12

import (
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// anew is what to do about a file that openssl reads and we do not.
const anew = "openssl pkcs12 -in OLD -nodes -out PEM && openssl pkcs12 -export -in PEM -out NEW writes it anew; " +
	"delete PEM then, which holds the key in clear"

var (
	errForm = errors.New("it is no PKCS #12 file, or is damaged")
	errBER  = errors.New("it is written in BER, of which only DER is read here: " + anew)
)

const (
	bmpString = tag.Tag(30)
	explicit0 = tag.Tag(0x80 | 0x20) // [0] EXPLICIT, as every content in this format
	implicit0 = tag.Tag(0x80)        // [0] IMPLICIT of a primitive type
)

// take reads one element, and tells the two marks of BER, an open end and a string in pieces, from damage.
func take(in, out *cryptobyte.String, t tag.Tag) error {
	const constructed, openEnd = 0x20, 0x80
	b := *in
	if in.ReadASN1(out, t) {
		return nil
	}
	if len(b) >= 2 && (b[0] == byte(t) && b[1] == openEnd || b[0] != byte(t) && b[0] == byte(t)|constructed) {
		return errBER
	}
	return errForm
}

// takeTyped reads SEQUENCE { OBJECT IDENTIFIER, rest }, the shape of most things here.
func takeTyped(in, rest *cryptobyte.String) (oid string, err error) {
	if err := take(in, rest, tag.SEQUENCE); err != nil {
		return "", err
	}
	return takeOID(rest)
}

func takeOID(in *cryptobyte.String) (string, error) {
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1ObjectIdentifier(&oid) {
		return "", errForm
	}
	return oid.String(), nil
}
