package pkcs12

import (
	"errors"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

type kind int

const (
	other kind = iota
	certificate
	clearKey
	sealedKey
)

// bag is one thing in a safe (RFC 7292, 4.2).
type bag struct {
	kind    kind
	content []byte  // DER of a certificate or a PrivateKeyInfo, or the ciphertext of the latter
	scheme  *scheme // of a sealedKey
	oid     string  // of what kind it says to be
	name    string  // friendlyName
	id      []byte  // localKeyID
	java    bool    // has trustedKeyUsage
}

// takeBags reads a SafeContents (RFC 7292, 4.2).
func (r *reader) takeBags(in cryptobyte.String) ([]bag, error) {
	var list cryptobyte.String
	if err := take(&in, &list, tag.SEQUENCE); err != nil {
		return nil, err
	}
	if !in.Empty() {
		return nil, errForm
	}
	var bags []bag
	for !list.Empty() {
		b, err := r.takeBag(&list)
		if err != nil {
			return nil, err
		}
		bags = append(bags, b)
	}
	return bags, nil
}

func (r *reader) takeBag(in *cryptobyte.String) (b bag, err error) {
	var rest, value cryptobyte.String
	oid, err := takeTyped(in, &rest)
	if err != nil {
		return b, err
	}
	if err := take(&rest, &value, explicit0); err != nil {
		return b, err
	}
	b.oid = oid
	switch oid {
	case "1.2.840.113549.1.12.10.1.1":
		b.kind, b.content = clearKey, value
	case "1.2.840.113549.1.12.10.1.2":
		b.kind = sealedKey
		b.scheme, b.content, err = r.takeSealed(value)
	case "1.2.840.113549.1.12.10.1.3":
		b.kind = certificate
		b.content, err = takeCertificate(value)
	case "1.2.840.113549.1.12.10.1.6":
		err = errors.New("it has bags within bags, which are not read: " + anew)
	default:
		// A revocation list, a secret key of Java's: nothing that makes an identity.
		b.kind = other
	}
	if err != nil {
		return b, err
	}
	return b, b.takeAttributes(&rest)
}

// takeSealed reads an EncryptedPrivateKeyInfo (RFC 5958, 3).
func (r *reader) takeSealed(in cryptobyte.String) (*scheme, []byte, error) {
	var info, ciphertext cryptobyte.String
	if err := take(&in, &info, tag.SEQUENCE); err != nil {
		return nil, nil, err
	}
	s, err := r.takeScheme(&info)
	if err != nil {
		return nil, nil, err
	}
	err = takeOctets(info, &ciphertext)
	return s, ciphertext, err
}

func takeCertificate(in cryptobyte.String) ([]byte, error) {
	var rest, content, der cryptobyte.String
	oid, err := takeTyped(&in, &rest)
	if err != nil {
		return nil, err
	}
	if oid != "1.2.840.113549.1.9.22.1" {
		return nil, errors.New("it holds a certificate that is none of X.509")
	}
	if err := take(&rest, &content, explicit0); err != nil {
		return nil, err
	}
	err = takeOctets(content, &der)
	return der, err
}

// takeAttributes reads what the bag says of itself (RFC 7292, 4.2; RFC 2985, 5.5). What is not known is passed over.
func (b *bag) takeAttributes(in *cryptobyte.String) error {
	if in.Empty() {
		return nil
	}
	var set cryptobyte.String
	if err := take(in, &set, tag.SET); err != nil {
		return err
	}
	for !set.Empty() {
		var rest, values, value cryptobyte.String
		oid, err := takeTyped(&set, &rest)
		if err != nil {
			return err
		}
		if err := take(&rest, &values, tag.SET); err != nil {
			return err
		}
		switch oid {
		case "1.2.840.113549.1.9.20":
			if values.ReadASN1(&value, bmpString) {
				b.name = fromBMP(value)
			}
		case "1.2.840.113549.1.9.21":
			if values.ReadASN1(&value, tag.OCTET_STRING) {
				b.id = value
			}
		case "2.16.840.1.113894.746875.1.1":
			b.java = true
		}
	}
	return nil
}

func fromBMP(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		units = append(units, uint16(b[0])<<8|uint16(b[1]))
	}
	return string(utf16.Decode(units))
}

// toBMP writes a character beyond 16 bits as two surrogates, as OpenSSL and Java do.
func toBMP(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return b
}
