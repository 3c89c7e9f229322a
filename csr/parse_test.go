package csr_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/testpki"
)

func block(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

const label = "CERTIFICATE REQUEST"

func TestParseFindsEveryRequestOfAFile(t *testing.T) {
	alice, bob := forge(t, named(t, "alice")), forge(t, named(t, "bob"))
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	encoded := base64.StdEncoding.EncodeToString(alice)
	var folded strings.Builder
	for line := range slices.Chunk([]byte(encoded), 64) {
		fmt.Fprintf(&folded, "%s\r\n", line)
	}
	for _, tt := range []struct {
		name, file string
		want       [][]byte
	}{
		{"PEM", block(label, alice), [][]byte{alice}},
		{"the banners of old", block("NEW "+label, alice), [][]byte{alice}},
		{"lines that end as on Windows", crlf(block(label, alice)), [][]byte{alice}},
		{"a mark of byte order", "\ufeff" + block(label, alice), [][]byte{alice}},
		{"no end of line at the end", strings.TrimSpace(block(label, alice)), [][]byte{alice}},
		{"text between", "0 requests?\n" + block(label, alice) + "and\nbob:\n" + block("NEW "+label, bob) + "that is all", [][]byte{alice, bob}},
		{"other blocks between", block("EC PARAMETERS", []byte{5, 0}) + block(label, bob) + block("CERTIFICATE", nil) + block(label, alice), [][]byte{bob, alice}},
		{"the same request twice", block(label, alice) + block(label, alice), [][]byte{alice, alice}},
		{"DER", string(alice), [][]byte{alice}},
		{"base64 in one line, as ATAK 5.5 sends it", encoded, [][]byte{alice}},
		{"base64 in lines", folded.String(), [][]byte{alice}},
		{"base64 with spaces around", "\ufeff  " + encoded + "\n\n", [][]byte{alice}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all, err := csr.Parse([]byte(tt.file))
			if err != nil {
				t.Fatal(err)
			}
			var got [][]byte
			for _, f := range all {
				got = append(got, f.DER)
			}
			if !slices.EqualFunc(got, tt.want, bytes.Equal) {
				t.Errorf("got %d requests, not those that are there", len(got))
			}
		})
	}
}

func TestParseRefusesAFileInWhichARequestMayBeMissing(t *testing.T) {
	alice := forge(t, named(t, "alice"))
	good := block(label, alice)
	encoded := base64.StdEncoding.EncodeToString(alice)
	large := forge(t, tlv(sequence, part(t, "1.2.3", utf8String, strings.Repeat("x", 32<<10))))
	spoilt := strings.Replace(good, "MI", "M!", 1)
	const neither = "it is no request in PEM, DER or base64"
	for _, tt := range []struct{ name, file, want string }{
		{"empty", "", "there is nothing in it"},
		{"blank", " \r\n\t", "there is nothing in it"},
		{"text", "Dear authority,\nI would like a certificate.\n", neither},
		{"base64 of something else", base64.StdEncoding.EncodeToString([]byte("something else")), neither},
		{"base64 that breaks off", encoded[:len(encoded)-3], neither},
		{"base64 and more", encoded + "!", neither},
		{"base64 of two", base64.StdEncoding.EncodeToString(slices.Concat(alice, alice)), "something stands behind its end"},
		{"text of two bytes of DER", "0\x82", "it is no certificate request (RFC 2986)"},
		{"a certificate", string(testpki.CertPEM(testpki.NewRoot(t, "CA").Cert)), `it holds a PEM block "CERTIFICATE" and no request`},
		{"a certificate in DER", string(testpki.NewRoot(t, "CA").Cert.Raw), "it is no certificate request (RFC 2986)"},
		{"a certificate under the wrong label", block(label, testpki.NewRoot(t, "CA").Cert.Raw), "it is no certificate request (RFC 2986)"},
		{"an empty block", block(label, nil), "it is no certificate request (RFC 2986)"},
		{"a block that breaks off", good + good[:len(good)/2], fmt.Sprintf("the PEM block in line %d is damaged or breaks off", 1+strings.Count(good, "\n"))},
		{"a block without an end before another", strings.Replace(good, "-----END", "", 1) + good, "the PEM block in line 1 is damaged or breaks off"},
		{"a block with a damaged line between two whole ones", good + "two:\n" + spoilt + good, fmt.Sprintf("the PEM block in line %d is damaged or breaks off", 2+strings.Count(good, "\n"))},
		{"a block that ends as another", strings.Replace(good, "END "+label, "END NEW "+label, 1), "the PEM block in line 1 is damaged or breaks off"},
		{"a banner that lost a hyphen", strings.Replace(good, label+"-----\n", label+"----\n", 1), "the PEM block in line 1 is damaged or breaks off"},
		{"an indented block", good + strings.ReplaceAll(good, "\n", "\n  "), fmt.Sprintf("the PEM block in line %d is damaged or breaks off", 1+strings.Count(good, "\n"))},
		{"a bad one among good ones", good + "\n" + block("NEW "+label, forge(t, named(t, "a\tb"))) + good,
			fmt.Sprintf(`request 2, in line %d: name "a\tb": the character U+0009 is not one for a name`, 2+strings.Count(good, "\n"))},
		{"too many", strings.Repeat(block(label, nil), 1001), "more than 1000 requests are too many for one file"},
		{"too large", good + strings.Repeat(" ", 1<<20), "a file of more than 1048576 bytes holds no requests"},
		{"a large request", string(large), fmt.Sprintf("a request of %d bytes: at most 32768 are taken", len(large))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if all, err := csr.Parse([]byte(tt.file)); message(err) != tt.want || all != nil {
				t.Errorf("got  %v, %d requests\nwant %s", err, len(all), tt.want)
			}
		})
	}
}

func TestParseRefusesWhatCouldTrickAnAuthority(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := func(k any) []byte {
		der, err := x509.MarshalPKIXPublicKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	long, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(change func(*forged)) []byte {
		f := forged{key: key, subject: named(t, "eve")}
		change(&f)
		return f.sign(t)
	}
	names := func(names ...[]byte) []byte {
		return forge(t, tlv(sequence), asking(t, standard, extension(t, "2.5.29.17", -1, tlv(sequence, names...))))
	}
	asked := func(oid string, value []byte) []byte {
		return forge(t, tlv(sequence), asking(t, standard, extension(t, oid, -1, value)))
	}
	dns := func(s string) []byte { return tlv(0x82, []byte(s)) }
	san := extension(t, "2.5.29.17", -1, tlv(sequence, dns("a.example.org")))
	var many [][]byte
	for i := range 101 {
		many = append(many, dns(fmt.Sprintf("a%d.org", i)))
	}
	padded := public(key.Public())
	padded = tlv(sequence, padded[2:], []byte{5, 0})
	compressed := tlv(sequence, public(key.Public())[2:23], tlv(bitString, []byte{0}, elliptic.MarshalCompressed(elliptic.P256(), key.X, key.Y)))
	const twoNames = "it has two common names, and which of them is meant it does not say"
	const twoLists = "it has two lists of extensions, and which of them is meant it does not say"
	const behind = "something stands behind its end"
	const noSubject = "the subject cannot be read"
	const noExtension = "an extension cannot be read"
	for _, tt := range []struct {
		name string
		der  []byte
		want string
	}{
		{"one byte behind its end", signed(func(f *forged) { f.end = []byte{0} }), behind},
		{"two requests in one", slices.Concat(forge(t, named(t, "a")), forge(t, named(t, "b"))), behind},
		{"something behind the signature", signed(func(f *forged) { f.request = []byte{5, 0} }), behind},
		{"something behind the attributes", signed(func(f *forged) { f.info = []byte{5, 0} }), behind},
		{"version 2", signed(func(f *forged) { f.version = 1 }), "a request of version 2: there is only version 1"},

		{"another's key", signed(func(f *forged) { f.public = public(other.Public()) }), "it is not signed by its own key: x509: ECDSA verification failure"},
		{"another's RSA key", signed(func(f *forged) {
			f.public = public(&rsa.PublicKey{N: composite(2048), E: 65537})
			f.algorithm = "1.2.840.113549.1.1.11"
		}), "it is not signed by its own key: crypto/rsa: verification error"},
		{"a signature of another kind than the key", signed(func(f *forged) { f.algorithm = "1.2.840.113549.1.1.11" }),
			"it is not signed by its own key: x509: signature algorithm specifies an RSA public key, but have public key of type *ecdsa.PublicKey"},
		{"MD5", signed(func(f *forged) { f.algorithm = "1.2.840.113549.1.1.4" }), "it is signed with md5WithRSAEncryption, which proves nothing"},
		{"MD2", signed(func(f *forged) { f.algorithm = "1.2.840.113549.1.1.2" }), "it is signed with md2WithRSAEncryption, which proves nothing"},
		{"an algorithm that nobody knows", signed(func(f *forged) { f.algorithm = "1.2.3.4" }), "it is signed with 1.2.3.4, which proves nothing"},

		{"RSA of 1024 bits", signed(func(f *forged) { f.public = public(&rsa.PublicKey{N: composite(1024), E: 65537}) }), "public key: an RSA key of 1024 bits: 2048 to 8192 are taken"},
		{"RSA with a small factor", signed(func(f *forged) {
			f.public = public(&rsa.PublicKey{N: new(big.Int).Mul(composite(2048), big.NewInt(3)), E: 65537})
		}), "public key: an RSA key whose modulus can be divided by 3 is broken: make a new one"},
		{"Ed25519", signed(func(f *forged) { f.public = public(edwards) }), "public key: a key of the type ed25519.PublicKey: RSA and ECDSA are taken"},
		{"P-521", signed(func(f *forged) { f.public = public(long.Public()) }), "public key: an ECDSA key on another curve than P-256 or P-384, which devices do not share"},
		{"a compressed point", signed(func(f *forged) { f.public = compressed }), "public key: ecdsa: invalid uncompressed public key"},
		{"a key of no kind", signed(func(f *forged) { f.public = tlv(sequence, tlv(sequence, oid(t, "1.2.3")), tlv(bitString, []byte{0})) }), "public key: x509: unknown public key algorithm"},
		{"something beside the key", signed(func(f *forged) { f.public = padded }), "public key: it is not encoded as RFC 5280, 4.1.2.7 has it"},

		{"a control character", forge(t, named(t, "a\x1b[2J")), `name "a\x1b[2J": the character U+001B is not one for a name`},
		{"a zero in the name", forge(t, named(t, "alice\x00.evil")), `name "alice\x00.evil": the character U+0000 is not one for a name`},
		{"a zero at the end of a BMPString", forge(t, tlv(sequence, part(t, cn, 30, bmp("alice\x00")))), `name "alice\x00": the character U+0000 is not one for a name`},
		{"half a pair in a BMPString", forge(t, tlv(sequence, part(t, cn, 30, "\xd8\x00"))), "name \"\ufffd\": the character U+FFFD is not one for a name"},
		{"half a character", forge(t, tlv(sequence, part(t, cn, 30, "\x00a\x00"))), "name: it is not in an encoding of text that RFC 5280, 4.1.2.4 has (tag 0x1e)"},
		{"no Unicode", forge(t, tlv(sequence, part(t, cn, 28, "\xff\xff\xff\xff"))), "name \"\ufffd\": the character U+FFFD is not one for a name"},
		{"no UTF-8", forge(t, named(t, "a\xff")), `name "a\xff": it is not valid UTF-8`},
		{"no ASCII", forge(t, tlv(sequence, part(t, cn, 19, "Zo\xeb"))), "name: it is not in an encoding of text that RFC 5280, 4.1.2.4 has (tag 0x13)"},
		{"no PrintableString", forge(t, tlv(sequence, part(t, cn, 19, "a@b"))), "it cannot be read: asn1: syntax error: PrintableString contains invalid character"},
		{"a number for a name", forge(t, tlv(sequence, part(t, cn, integer, "\x05"))), "name: it is not in an encoding of text that RFC 5280, 4.1.2.4 has (tag 0x02)"},
		{"a name that turns around", forge(t, named(t, "a\u202eb")), `name "a\u202eb": the character U+202E turns the direction of text and can disguise a name`},
		{"a space for a name", forge(t, named(t, " ")), `name " ": it is empty`},
		{"a long name", forge(t, named(t, strings.Repeat("x", 65))), `name "` + strings.Repeat("x", 65) + `": 65 characters, and at most 64 fit`},
		{"a very long name", forge(t, named(t, strings.Repeat("x", 20000))), `name "` + strings.Repeat("x", 300) + `…": 20000 characters, and at most 64 fit`},
		{"a long country", forge(t, tlv(sequence, part(t, "2.5.4.6", 19, "Unknown"))), `country "Unknown": want a code of two letters, such as CA`},
		{"a wrong organization", forge(t, tlv(sequence, part(t, "2.5.4.10", utf8String, "a\x7f"))), `organization "a\x7f": the character U+007F is not one for a name`},
		{"a wrong unit", forge(t, tlv(sequence, part(t, ou, utf8String, "a\nb"))), `unit "a\nb": the character U+000A is not one for a name`},
		{"two names", forge(t, tlv(sequence, part(t, cn, utf8String, "alice"), part(t, cn, utf8String, "eve"))), twoNames},
		{"two names in one set", forge(t, tlv(sequence, tlv(set, pair(t, cn, utf8String, "alice"), pair(t, cn, 19, "eve")))), twoNames},
		{"two names, one of them empty", forge(t, tlv(sequence, part(t, cn, utf8String, ""), part(t, cn, utf8String, "eve"))), twoNames},
		{"a subject of something else", forge(t, tlv(sequence, tlv(sequence))), noSubject},
		{"a part without a value", forge(t, tlv(sequence, tlv(set, tlv(sequence, oid(t, cn))))), noSubject},
		{"a part with two values", forge(t, tlv(sequence, tlv(set, tlv(sequence, oid(t, cn), tlv(utf8String), tlv(utf8String))))), noSubject},

		{"two lists of extensions", forge(t, tlv(sequence), asking(t, standard, san), asking(t, standard)), twoLists},
		{"a list of each kind", forge(t, tlv(sequence), asking(t, microsoft, san), asking(t, standard)), twoLists},
		{"two lists in one attribute", forge(t, tlv(sequence), tlv(sequence, oid(t, standard), tlv(set, tlv(sequence), tlv(sequence)))), twoLists},
		{"no list in the attribute", forge(t, tlv(sequence), tlv(sequence, oid(t, standard), tlv(set))), "the list of extensions cannot be read"},
		{"an attribute of something else", forge(t, tlv(sequence), tlv(set)), "an attribute cannot be read"},
		{"something behind an attribute's values", forge(t, tlv(sequence), tlv(sequence, oid(t, "1.2.3"), tlv(set), tlv(set))), "an attribute cannot be read"},
		{"the alternative names twice", forge(t, tlv(sequence), asking(t, standard, san, san)), "it has the extension subjectAltName twice"},
		{"an unknown extension twice", forge(t, tlv(sequence), asking(t, microsoft, extension(t, "1.2.3", -1, nil), extension(t, "1.2.3", 0xff, nil))), "it has the extension 1.2.3 twice"},
		{"a flag that is neither true nor false", forge(t, tlv(sequence), asking(t, standard, extension(t, "1.2.3", 1, nil))), noExtension},
		{"something behind an extension", forge(t, tlv(sequence), asking(t, standard, tlv(sequence, oid(t, "1.2.3"), tlv(octetString), tlv(octetString)))), noExtension},
		{"CA:TRUE that only BER has", asked("2.5.29.19", tlv(sequence, tlv(0x01, []byte{1}))), "the extension basicConstraints cannot be read"},
		{"a path length below zero", asked("2.5.29.19", tlv(sequence, tlv(integer, []byte{0xff}))), "the extension basicConstraints cannot be read"},
		{"constraints and more", asked("2.5.29.19", tlv(sequence, tlv(octetString))), "the extension basicConstraints cannot be read"},
		{"something behind the constraints", asked("2.5.29.19", slices.Concat(tlv(sequence), tlv(sequence))), "the extension basicConstraints cannot be read"},
		{"a usage of something else", asked("2.5.29.15", tlv(integer, []byte{4})), "the extension keyUsage cannot be read"},
		{"a usage with bits that are none", asked("2.5.29.15", tlv(bitString, []byte{3, 0x04})), "the extension keyUsage cannot be read"},
		{"an extended usage of something else", asked("2.5.29.37", tlv(sequence, tlv(sequence))), "the extension extKeyUsage cannot be read"},

		{"no list of names", asked("2.5.29.17", tlv(set)), "the alternative names cannot be read"},
		{"something behind the names", asked("2.5.29.17", slices.Concat(tlv(sequence), tlv(sequence))), "the alternative names cannot be read"},
		{"a name that breaks off", asked("2.5.29.17", tlv(sequence, []byte{0x82, 9, 'a'})), "an alternative name cannot be read"},
		{"a name of a kind to come", names(tlv(0x8a)), "in the alternative names: an alternative name of an unknown kind (tag 0x8a)"},
		{"an other name without a kind", names(tlv(0xa0)), "in the alternative names: an alternative name of another kind cannot be read"},
		{"a zero in a DNS name", names(dns("good.org\x00.evil.org")), `in the alternative names: name "good.org\x00.evil.org": '\x00' does not stand in a DNS name`},
		{"a DNS name that is no ASCII", names(dns("zürich.example")), `in the alternative names: name "zürich.example": write international names in their xn-- form: 'ü' is not ASCII`},
		{"an empty DNS name", names(dns("")), `in the alternative names: name "": it is empty`},
		{"a DNS name with a wildcard inside", names(dns("a.*.org")), `in the alternative names: name "a.*.org": '*' does not stand in a DNS name`},
		{"a wildcard alone", names(dns("*")), `in the alternative names: name "*": '*' does not stand in a DNS name`},
		{"an address for a DNS name", names(dns("10.0.0.5")), `in the alternative names: name "10.0.0.5": it is an address, and asked for as a DNS name`},
		{"an address in brackets for a DNS name", names(dns("[::1]")), `in the alternative names: name "[::1]": it is an address, and asked for as a DNS name`},
		{"a network for an address", names(tlv(0x87, []byte{10, 0, 0, 0, 255, 0, 0, 0})), "in the alternative names: an address of 8 bytes is neither IPv4 nor IPv6"},
		{"an empty address", names(tlv(0x87)), "in the alternative names: an address of 0 bytes is neither IPv4 nor IPv6"},
		{"too many names", names(many...), "101 alternative names: at most 100 are taken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if all, err := csr.Parse([]byte(block(label, tt.der))); message(err) != tt.want || all != nil {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	if all, err := csr.Parse(names(many[:100]...)); err != nil || len(all[0].Asked.DNSNames) != 100 {
		t.Errorf("a hundred names: %v", err)
	}
}

func TestAChangedByteIsNeverTaken(t *testing.T) {
	f := one(t, forge(t, named(t, "alice"), asking(t, standard, extension(t, "2.5.29.17", -1, tlv(sequence, tlv(0x82, []byte("a.example.org")))))))
	for i := range f.DER {
		for _, bit := range []byte{1, 0x20, 0x80} {
			changed := bytes.Clone(f.DER)
			changed[i] ^= bit
			if all, err := csr.Parse([]byte(block(label, changed))); err == nil {
				t.Errorf("byte %d of %d, bit %#x: taken as %v", i, len(f.DER), bit, all[0].Rows())
			}
		}
	}
}

// composite is a number of so many bits without small factors.
func composite(bits uint) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	for f := int64(2); f < 752; f++ {
		if new(big.Int).Mod(n, big.NewInt(f)).Sign() == 0 {
			n.Add(n, big.NewInt(1))
			f = 1
		}
	}
	return n
}

func TestRequestsOfATAKAreTaken(t *testing.T) {
	for file, want := range map[string]x509.SignatureAlgorithm{"atak_4.6.pem": x509.SHA1WithRSA, "atak_5.5.txt": x509.SHA256WithRSA} {
		data, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if f := one(t, data); f.Name() != "alice" || f.Algorithm != want || f.Authority || len(f.NotTaken) > 0 {
			t.Errorf("%s: %v", file, f.Rows())
		}
	}
}
