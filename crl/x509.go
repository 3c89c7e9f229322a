package crl

import (
	"bytes"
	"crypto/x509"
	encodingasn1 "encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// pemType is the label of a list in PEM (RFC 7468, 8).
const pemType = "X509 CRL"

// An X509 is a certificate revocation list of RFC 5280, section 5. [ParseX509] makes one; until CheckSignature has
// found it in order, it is anybody's word.
type X509 struct {
	// Version is 1 or 2. FreeTAKServer, TAK Server and OpenTAKServer write version 1.
	Version int
	// RawIssuer is the DER of the issuer's name.
	RawIssuer []byte
	// AuthorityKeyID is the key identifier of the issuer, nil where the list does not name it.
	AuthorityKeyID []byte
	// Number is the CRL number (RFC 5280, 5.2.3), nil where there is none.
	Number *big.Int
	// ThisUpdate is when the list was made, NextUpdate when the next is due: zero where the list does not tell.
	ThisUpdate, NextUpdate time.Time
	// Entries are those of the list, in its order. Their Issuer is empty, though the list speaks only for its own issuer:
	// whoever joins the lists of several authorities sets it to their [KeyID].
	Entries []Entry
	// Skipped counts entries whose serial is negative or longer than 32 octets. No Checker lets such a certificate pass.
	Skipped int
	// Algorithm is that of the signature, zero where it is none that CheckSignature takes.
	Algorithm x509.SignatureAlgorithm

	entries   cryptobyte.String // DER of what revokedCertificates holds
	n         int               // of entries that a list can name
	algorithm []byte            // DER of the AlgorithmIdentifier
	signed    []byte            // DER of the TBSCertList
	signature []byte
}

// EncodePEM returns a list as a PEM block.
func EncodePEM(der []byte) []byte {
	const line = 64
	size := base64.StdEncoding.EncodedLen(len(der))
	var b bytes.Buffer
	// A buffer that grows would hold a long list twice over.
	b.Grow(size + size/line + 2*len("-----BEGIN "+pemType+"-----\n"))
	_ = pem.Encode(&b, &pem.Block{Type: pemType, Bytes: der}) // a buffer takes everything
	return b.Bytes()
}

// ParseX509 reads a list in DER, or the first one in a file of PEM blocks, of version 1 or 2. It is read though it be of
// version 1 and have what only version 2 allows, since FreeTAKServer writes that. A delta list, one that speaks for
// other issuers too, and one with a critical extension that is not understood are refused (RFC 5280, 5.2). It takes memory
// in proportion to data.
func ParseX509(data []byte) (*X509, error) { return readX509(data, true) }

// ParseX509Head is [ParseX509] for lists of which there may be no room for Entries, which it leaves empty: it reads them
// all the same, and All goes through them.
func ParseX509Head(data []byte) (*X509, error) { return readX509(data, false) }

func readX509(data []byte, keep bool) (*X509, error) {
	der, err := derOf(data)
	if err == nil {
		var x *X509
		if x, err = parseX509(der, keep); err == nil {
			return x, nil
		}
	}
	return nil, fmt.Errorf("reading an X.509 revocation list: %w", err)
}

// Len returns the number of the entries that All goes through.
func (x *X509) Len() int { return x.n }

// All goes through the entries that Entries has after [ParseX509], and keeps none of them.
func (x *X509) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for rest := x.entries; !rest.Empty(); {
			var e Entry
			// They were read before, so there is no error now.
			if listable, err := e.read(&rest); err != nil || listable && !yield(e) {
				return
			}
		}
	}
}

func derOf(data []byte) ([]byte, error) {
	if whole := cryptobyte.String(data); whole.SkipASN1(asn1.SEQUENCE) && whole.Empty() {
		return data, nil
	}
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == pemType {
			return block.Bytes, nil
		}
	}
	if bytes.Contains(data, []byte("-----BEGIN")) {
		return nil, fmt.Errorf("there is no whole %q block of PEM in it", pemType)
	}
	return nil, errors.New("it is neither PEM nor DER")
}

// parseX509 reads a list in DER. Unless it is to keep them, entries are read and let go.
func parseX509(der []byte, keep bool) (*X509, error) {
	x := &X509{Version: 1}
	whole := cryptobyte.String(der)
	var signed, algorithm, inner, issuer cryptobyte.String
	if !whole.ReadASN1(&whole, asn1.SEQUENCE) || !whole.ReadASN1Element(&signed, asn1.SEQUENCE) ||
		!whole.ReadASN1Element(&algorithm, asn1.SEQUENCE) || !whole.ReadASN1BitStringAsBytes(&x.signature) || !whole.Empty() {
		return nil, errors.New("it is not a signed list")
	}
	x.signed, x.algorithm, x.Algorithm = signed, algorithm, algorithmOf(algorithm)
	list := signed
	if !list.ReadASN1(&list, asn1.SEQUENCE) {
		return nil, errors.New("its content is malformed")
	}
	if list.PeekASN1Tag(asn1.INTEGER) {
		var version int
		if !list.ReadASN1Integer(&version) || version < 0 || version > 1 {
			return nil, errors.New("its version is neither 1 nor 2")
		}
		x.Version = version + 1
	}
	if !list.ReadASN1Element(&inner, asn1.SEQUENCE) || !bytes.Equal(inner, algorithm) {
		return nil, errors.New("it names two signature algorithms") // RFC 5280, 5.1.1.2
	}
	if !list.ReadASN1Element(&issuer, asn1.SEQUENCE) {
		return nil, errors.New("its issuer is malformed")
	}
	x.RawIssuer = issuer
	if !readTime(&list, &x.ThisUpdate) {
		return nil, errors.New("its date is malformed")
	}
	if (list.PeekASN1Tag(asn1.UTCTime) || list.PeekASN1Tag(asn1.GeneralizedTime)) && !readTime(&list, &x.NextUpdate) {
		return nil, errors.New("its next date is malformed")
	}
	if list.PeekASN1Tag(asn1.SEQUENCE) {
		var entries cryptobyte.String
		if !list.ReadASN1(&entries, asn1.SEQUENCE) {
			return nil, errors.New("its entries are malformed")
		}
		if err := x.readEntries(entries, keep); err != nil {
			return nil, err
		}
	}
	var extensions cryptobyte.String
	var extended bool
	if !list.ReadOptionalASN1(&extensions, &extended, asn1.Tag(0).Constructed().ContextSpecific()) || !list.Empty() {
		return nil, errors.New("there is something after its entries")
	}
	if extended {
		if !extensions.ReadASN1(&extensions, asn1.SEQUENCE) {
			return nil, errors.New("its extensions are malformed")
		}
		if err := eachExtension(extensions, x.extension); err != nil {
			return nil, err
		}
	}
	return x, nil
}

func (x *X509) readEntries(entries cryptobyte.String, keep bool) error {
	x.entries = entries
	if keep {
		n := 0
		for rest := entries; rest.SkipASN1(asn1.SEQUENCE); {
			n++
		}
		x.Entries = make([]Entry, 0, n)
	}
	for i := 1; !entries.Empty(); i++ {
		var e Entry
		listable, err := e.read(&entries)
		switch {
		case err != nil:
			return fmt.Errorf("its entry %d%w", i, err)
		case !listable:
			x.Skipped++
			continue
		case keep:
			x.Entries = append(x.Entries, e)
		}
		x.n++
	}
	return nil
}

// errEntry continues "its entry 1".
var errEntry = errors.New(" is malformed")

// read reads the next entry, and tells whether a list can name its serial.
func (e *Entry) read(entries *cryptobyte.String) (listable bool, err error) {
	var entry, serial cryptobyte.String
	if !entries.ReadASN1(&entry, asn1.SEQUENCE) || !entry.ReadASN1(&serial, asn1.INTEGER) || serial.Empty() ||
		!readTime(&entry, &e.Date) {
		return false, errEntry
	}
	if !entry.Empty() {
		var extensions cryptobyte.String
		if !entry.ReadASN1(&extensions, asn1.SEQUENCE) || !entry.Empty() {
			return false, errEntry
		}
		if err := eachExtension(extensions, e.extension); err != nil {
			return false, fmt.Errorf(": %w", err)
		}
	}
	negative := serial[0]&0x80 != 0
	e.Serial = Serial{string(bytes.TrimLeft(serial, "\x00"))}
	return !negative && !e.Serial.unlistable(), nil
}

// readTime reads a Time (RFC 5280, 5.1.2.4).
func readTime(s *cryptobyte.String, t *time.Time) bool {
	if s.PeekASN1Tag(asn1.UTCTime) {
		return s.ReadASN1UTCTime(t)
	}
	return s.ReadASN1GeneralizedTime(t)
}

// The content octets of the object identifiers of RFC 5280, 5.2 and 5.3.
const (
	oidNumber            = "\x55\x1d\x14" // 2.5.29.20
	oidReason            = "\x55\x1d\x15" // 2.5.29.21
	oidDelta             = "\x55\x1d\x1b" // 2.5.29.27
	oidDistributionPoint = "\x55\x1d\x1c" // 2.5.29.28
	oidCertificateIssuer = "\x55\x1d\x1d" // 2.5.29.29
	oidAuthorityKeyID    = "\x55\x1d\x23" // 2.5.29.35
)

// eachExtension reads a list of extensions. The function returns whether it understands the one it is given.
func eachExtension(extensions cryptobyte.String, f func(oid string, value cryptobyte.String) (bool, error)) error {
	for !extensions.Empty() {
		var extension, element, oid, value cryptobyte.String
		var critical bool
		if !extensions.ReadASN1(&extension, asn1.SEQUENCE) || !extension.ReadASN1Element(&element, asn1.OBJECT_IDENTIFIER) {
			return errors.New("an extension is malformed")
		}
		rest := element
		if !rest.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) ||
			extension.PeekASN1Tag(asn1.BOOLEAN) && !extension.ReadASN1Boolean(&critical) ||
			!extension.ReadASN1(&value, asn1.OCTET_STRING) || !extension.Empty() {
			return errors.New("an extension is malformed")
		}
		understood, err := f(string(oid), value)
		if err != nil {
			return err
		}
		if critical && !understood {
			return fmt.Errorf("the critical extension %s is not understood", dotted(element))
		}
	}
	return nil
}

func (x *X509) extension(oid string, value cryptobyte.String) (bool, error) {
	switch oid {
	case oidNumber:
		x.Number = new(big.Int)
		if !value.ReadASN1Integer(x.Number) || !value.Empty() || x.Number.Sign() < 0 {
			return true, errors.New("its number is malformed")
		}
	case oidAuthorityKeyID:
		var id cryptobyte.String
		var named bool
		if !value.ReadASN1(&value, asn1.SEQUENCE) ||
			!value.ReadOptionalASN1(&id, &named, asn1.Tag(0).ContextSpecific()) {
			return true, errors.New("its authority key identifier is malformed")
		}
		if named {
			x.AuthorityKeyID = id
		}
	case oidDelta:
		return true, errors.New("it is a delta list, which does not stand on its own")
	case oidDistributionPoint:
		// A list of only some certificates is true of those. Field 4 says that it is one of other issuers' (5.2.5).
		if !value.ReadASN1(&value, asn1.SEQUENCE) {
			return true, errors.New("its distribution point is malformed")
		}
		for !value.Empty() {
			var field cryptobyte.String
			var tag asn1.Tag
			if !value.ReadAnyASN1(&field, &tag) {
				return true, errors.New("its distribution point is malformed")
			}
			if tag == asn1.Tag(4).ContextSpecific() && len(field) == 1 && field[0] != 0 {
				return true, errors.New("it is an indirect list, which speaks for other issuers too")
			}
		}
	default:
		return false, nil
	}
	return true, nil
}

func (e *Entry) extension(oid string, value cryptobyte.String) (bool, error) {
	switch oid {
	case oidReason:
		var code int
		if value.ReadASN1Enum(&code) && Reason(code).valid() {
			e.Reason = Reason(code)
		}
		return true, nil
	case oidCertificateIssuer:
		return true, errors.New("it speaks for another issuer")
	}
	return false, nil
}

// dotted writes an object identifier for an error.
func dotted(element cryptobyte.String) string {
	var oid encodingasn1.ObjectIdentifier
	if !element.ReadASN1ObjectIdentifier(&oid) {
		return "with a malformed name"
	}
	return oid.String()
}
