package pkcs12

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

const maxFile = 1 << 20

// pfx is a file whose visible sizes are all judged, and of which nothing is derived yet.
type pfx struct {
	mac   *mac // nil where there is none
	safes []safe
}

// safe is one part of a file: bags, or what becomes bags when it is decrypted.
type safe struct {
	scheme     *scheme // nil where it is in clear
	ciphertext []byte
	bags       []bag
}

// parse reads what stands in clear.
func (r *reader) parse(data []byte) (*pfx, error) {
	switch {
	case len(data) > maxFile:
		return nil, fmt.Errorf("a file of more than %d bytes is not read", maxFile)
	case bytes.HasPrefix(data, []byte("-----BEGIN ")):
		return nil, errors.New("it is text in PEM, and a PKCS #12 file is binary: openssl pkcs12 -export makes one of it")
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}):
		return nil, errors.New("it is a Java keystore of the old kind (JKS): keytool -importkeystore -deststoretype PKCS12 makes a PKCS #12 file of it")
	}
	in := cryptobyte.String(data)
	var outer, content, parts cryptobyte.String
	if err := take(&in, &outer, tag.SEQUENCE); err != nil {
		return nil, err
	}
	var version int
	if !in.Empty() || !outer.ReadASN1Integer(&version) {
		return nil, errForm
	}
	if version != 3 {
		return nil, fmt.Errorf("it is of version %d of the format, where only version 3 is known", version)
	}
	kind, err := takeContent(&outer, &content)
	if err != nil {
		return nil, err
	}
	switch kind {
	case oidData:
	case oidSignedData:
		return nil, errors.New("a signature takes the place of the password in it, which is not read: have it made with a password")
	default:
		return nil, errForm
	}
	if err := takeOctets(content, &parts); err != nil {
		return nil, err
	}
	f := &pfx{}
	if !outer.Empty() {
		if f.mac, err = r.takeMAC(&outer, parts); err != nil {
			return nil, err
		}
	}
	if f.safes, err = r.takeSafes(parts); err != nil {
		return nil, err
	}
	return f, nil
}

const (
	oidData          = "1.2.840.113549.1.7.1"
	oidSignedData    = "1.2.840.113549.1.7.2"
	oidEnvelopedData = "1.2.840.113549.1.7.3"
	oidEncryptedData = "1.2.840.113549.1.7.6"
)

// takeContent reads a ContentInfo (RFC 5652, 3).
func takeContent(in, content *cryptobyte.String) (oid string, err error) {
	var info cryptobyte.String
	if oid, err = takeTyped(in, &info); err != nil {
		return "", err
	}
	if err := take(&info, content, explicit0); err != nil {
		return "", err
	}
	if !info.Empty() {
		return "", errForm
	}
	return oid, nil
}

// takeOctets reads an OCTET STRING that is all of in.
func takeOctets(in cryptobyte.String, out *cryptobyte.String) error {
	if err := take(&in, out, tag.OCTET_STRING); err != nil {
		return err
	}
	if !in.Empty() {
		return errForm
	}
	return nil
}

// takeSafes reads an AuthenticatedSafe (RFC 7292, 4.1).
func (r *reader) takeSafes(in cryptobyte.String) ([]safe, error) {
	var list cryptobyte.String
	if err := take(&in, &list, tag.SEQUENCE); err != nil {
		return nil, err
	}
	if !in.Empty() {
		return nil, errForm
	}
	var safes []safe
	for !list.Empty() {
		var content, octets cryptobyte.String
		kind, err := takeContent(&list, &content)
		if err != nil {
			return nil, err
		}
		var s safe
		switch kind {
		case oidData:
			if err := takeOctets(content, &octets); err != nil {
				return nil, err
			}
			s.bags, err = r.takeBags(octets)
		case oidEncryptedData:
			s.scheme, s.ciphertext, err = r.takeEncrypted(content)
		case oidEnvelopedData:
			err = errors.New("a part of it is encrypted for a certificate, which is not read: have it made with a password")
		default:
			err = errForm
		}
		if err != nil {
			return nil, err
		}
		safes = append(safes, s)
	}
	return safes, nil
}

// takeEncrypted reads an EncryptedData (RFC 5652, 8).
func (r *reader) takeEncrypted(in cryptobyte.String) (*scheme, []byte, error) {
	var data, info, ciphertext cryptobyte.String
	if err := take(&in, &data, tag.SEQUENCE); err != nil {
		return nil, nil, err
	}
	var version int
	if !in.Empty() || !data.ReadASN1Integer(&version) {
		return nil, nil, errForm
	}
	kind, err := takeTyped(&data, &info)
	if err != nil {
		return nil, nil, err
	}
	if kind != oidData {
		return nil, nil, errForm
	}
	s, err := r.takeScheme(&info)
	if err != nil {
		return nil, nil, err
	}
	if err := take(&info, &ciphertext, implicit0); err != nil {
		return nil, nil, err
	}
	if !info.Empty() {
		return nil, nil, errForm
	}
	return s, ciphertext, nil
}
