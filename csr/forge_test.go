package csr_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// Tags of strings and of what stands in a request.
const (
	integer     = 0x02
	bitString   = 0x03
	octetString = 0x04
	utf8String  = 0x0c
	sequence    = 0x30
	set         = 0x31
)

// tlv is one element in DER.
func tlv(tag byte, parts ...[]byte) []byte {
	content := slices.Concat(parts...)
	size := []byte{byte(len(content))}
	if len(content) >= 0x80 {
		size = binary.BigEndian.AppendUint32([]byte{0x84}, uint32(len(content)))
		for size[1] == 0 {
			size = slices.Delete(size, 1, 2)
			size[0]--
		}
	}
	return slices.Concat([]byte{tag}, size, content)
}

func oid(t testing.TB, dotted string) []byte {
	t.Helper()
	var id asn1.ObjectIdentifier
	for arc := range strings.SplitSeq(dotted, ".") {
		n, err := strconv.Atoi(arc)
		if err != nil {
			t.Fatal(err)
		}
		id = append(id, n)
	}
	der, err := asn1.Marshal(id)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// part is an attribute of a name, by itself in its set.
func part(t testing.TB, dotted string, tag byte, value string) []byte {
	t.Helper()
	return tlv(set, pair(t, dotted, tag, value))
}

func pair(t testing.TB, dotted string, tag byte, value string) []byte {
	t.Helper()
	return tlv(sequence, oid(t, dotted), tlv(tag, []byte(value)))
}

const (
	cn = "2.5.4.3"
	ou = "2.5.4.11"
)

// named is a subject with a common name.
func named(t testing.TB, name string) []byte {
	t.Helper()
	return tlv(sequence, part(t, cn, utf8String, name))
}

// extension is one that is critical where flag is 0xff; with -1 the flag is left out.
func extension(t testing.TB, dotted string, flag int, value []byte) []byte {
	t.Helper()
	var critical []byte
	if flag >= 0 {
		critical = tlv(0x01, []byte{byte(flag)})
	}
	return tlv(sequence, oid(t, dotted), critical, tlv(octetString, value))
}

const (
	standard  = "1.2.840.113549.1.9.14"
	microsoft = "1.3.6.1.4.1.311.2.1.14"
)

// asking is the attribute that asks for extensions.
func asking(t testing.TB, dotted string, extensions ...[]byte) []byte {
	t.Helper()
	return tlv(sequence, oid(t, dotted), tlv(set, tlv(sequence, extensions...)))
}

// forge signs a request whose subject and attributes are given in DER, whatever they are.
func forge(t testing.TB, subject []byte, attributes ...[]byte) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return forged{key: key, subject: subject, attributes: attributes}.sign(t)
}

// forged is a request in the making: each field may hold what does not belong there.
type forged struct {
	key        *ecdsa.PrivateKey
	version    byte
	subject    []byte
	attributes [][]byte
	public     []byte // the DER of another public key
	algorithm  string // another than ecdsa-with-SHA256
	info       []byte // behind the attributes
	request    []byte // behind the signature
	end        []byte // behind the request
}

func (f forged) sign(t testing.TB) []byte {
	t.Helper()
	public := f.public
	if public == nil {
		var err error
		if public, err = x509.MarshalPKIXPublicKey(f.key.Public()); err != nil {
			t.Fatal(err)
		}
	}
	algorithm := "1.2.840.10045.4.3.2"
	if f.algorithm != "" {
		algorithm = f.algorithm
	}
	info := tlv(sequence, tlv(integer, []byte{f.version}), f.subject, public, tlv(0xa0, f.attributes...), f.info)
	digest := sha256.Sum256(info)
	signature, err := f.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(tlv(sequence, info, tlv(sequence, oid(t, algorithm)), tlv(bitString, []byte{0}, signature), f.request), f.end)
}

// bmp and universal write a text as BMPString and UniversalString hold it.
func bmp(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return string(b)
}

func universal(s string) string {
	var b []byte
	for _, r := range s {
		b = binary.BigEndian.AppendUint32(b, uint32(r))
	}
	return string(b)
}
