package crl

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Template is what [Sign] signs.
type Template struct {
	// Entries are those in force. Of other issuers' none is signed; of several with one serial, the first.
	Entries []Entry
	// Number must be above that of every list the issuer signed before: positive, of 20 octets at most (RFC 5280, 5.2.3).
	Number *big.Int
	// ThisUpdate is when the list was made, NextUpdate when a client may refuse everybody for want of a newer one. Both
	// are needed, and are cut to whole seconds.
	ThisUpdate, NextUpdate time.Time
}

// Sign returns a list of version 2 in DER (RFC 5280, 5): entries sorted by serial, with their reason unless it is
// unspecified or remove_from_crl, which is for delta lists only (5.3.1); the issuer's key identifier as [KeyID] returns
// it, and the number. No entry is dated after ThisUpdate: one that is, and one without a date, has that of the list.
//
// The issuer must be allowed to sign lists and signer must hold its key: RSA (PKCS #1 v1.5, SHA-256) or ECDSA on
// P-256, P-384 or P-521. The list is returned only after its signature was checked.
func Sign(t Template, issuer *x509.Certificate, signer crypto.Signer) ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	if err := maySign(issuer); err != nil {
		return nil, err
	}
	kind, err := signatureOf(issuer, signer)
	if err != nil {
		return nil, err
	}
	der, err := t.body(issuer, kind)
	if err != nil {
		return nil, fmt.Errorf("writing the revocation list: %w", err)
	}
	signed := der[headerRoom:]
	digest := kind.hash.New()
	digest.Write(signed)
	signature, err := signer.Sign(rand.Reader, digest.Sum(nil), kind.hash)
	if err != nil {
		return nil, fmt.Errorf("signing the revocation list: %w", err)
	}
	var b cryptobyte.Builder
	kind.add(&b)
	b.AddASN1BitString(signature)
	tail, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("writing the revocation list: %w", err)
	}
	// Written around what was signed: a builder would copy it.
	der = append(der, tail...)
	header := sequenceHeader(len(der) - headerRoom)
	der = der[headerRoom-len(header):]
	copy(der, header)
	x, err := parseX509(der, false)
	if err == nil {
		err = x.CheckSignature(issuer)
	}
	if err != nil {
		return nil, fmt.Errorf("checking the revocation list just signed: %w", err)
	}
	return der, nil
}

func (t *Template) check() error {
	this, next := t.ThisUpdate.Format(time.RFC3339), t.NextUpdate.Format(time.RFC3339)
	switch {
	case t.Number == nil || t.Number.Sign() <= 0 || t.Number.BitLen() > 20*8-1:
		return fmt.Errorf("a revocation list needs a positive number of 20 octets at most, not %v", t.Number)
	case t.ThisUpdate.IsZero() || !t.NextUpdate.Truncate(time.Second).After(t.ThisUpdate.Truncate(time.Second)):
		return fmt.Errorf("a revocation list of %s cannot lapse at %s", this, next)
	case t.ThisUpdate.UTC().Year() < firstYear || t.NextUpdate.UTC().Year() > 9999:
		return fmt.Errorf("a revocation list cannot be from %s to %s", this, next)
	}
	return nil
}

// signatureKind is how a list is signed.
type signatureKind struct {
	oid  string
	hash crypto.Hash
	null bool // RFC 4055, 5, wants a NULL there; RFC 5758, 3.2, wants none
}

func (k signatureKind) add(b *cryptobyte.Builder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(k.oid)) })
		if k.null {
			b.AddASN1NULL()
		}
	})
}

func signatureOf(issuer *x509.Certificate, signer crypto.Signer) (signatureKind, error) {
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(issuer.PublicKey) {
		return signatureKind{}, fmt.Errorf("the key is not that of %q", issuer.Subject)
	}
	algorithm, hash := x509.UnknownSignatureAlgorithm, crypto.SHA256
	switch key := issuer.PublicKey.(type) {
	case *rsa.PublicKey:
		algorithm = x509.SHA256WithRSA
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			algorithm = x509.ECDSAWithSHA256
		case elliptic.P384():
			algorithm, hash = x509.ECDSAWithSHA384, crypto.SHA384
		case elliptic.P521():
			algorithm, hash = x509.ECDSAWithSHA512, crypto.SHA512
		}
	}
	for _, a := range signatureAlgorithms {
		if algorithm != x509.UnknownSignatureAlgorithm && a.algorithm == algorithm {
			return signatureKind{oid: a.oid, hash: hash, null: algorithm == x509.SHA256WithRSA}, nil
		}
	}
	return signatureKind{}, fmt.Errorf("the key of %q is neither RSA nor ECDSA on P-256, P-384 or P-521", issuer.Subject)
}

// headerRoom is more than any sequenceHeader takes.
const headerRoom = 16

// sequenceHeader is the DER that stands before the content of a SEQUENCE of that length.
func sequenceHeader(length int) []byte {
	if length < 0x80 {
		return []byte{byte(asn1.SEQUENCE), byte(length)}
	}
	octets := big.NewInt(int64(length)).Bytes()
	return append([]byte{byte(asn1.SEQUENCE), 0x80 | byte(len(octets))}, octets...)
}

// body returns the DER of the TBSCertList, behind headerRoom and with room for a signature.
func (t *Template) body(issuer *x509.Certificate, kind signatureKind) ([]byte, error) {
	var sum [sha1.Size]byte
	id := keyID(issuer, &sum)
	if len(id) == 0 {
		return nil, errors.New("the authority has no key identifier")
	}
	entries := t.of(KeyID(issuer))
	this := t.ThisUpdate.UTC().Truncate(time.Second)
	reasons := encodeReasons()
	b := cryptobyte.NewBuilder(make([]byte, headerRoom, 2048+len(entries)*64))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1) // version 2
		kind.add(b)
		b.AddBytes(issuer.RawSubject)
		addTime(b, this)
		addTime(b, t.NextUpdate.UTC().Truncate(time.Second))
		// An empty list has no entries at all (RFC 5280, 5.1.2.6).
		if len(entries) > 0 {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, e := range entries {
					addEntry(b, e, this, reasons)
				}
			})
		}
		b.AddASN1(asn1.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addExtension(b, oidAuthorityKeyID, func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(asn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(id) })
					})
				})
				addExtension(b, oidNumber, func(b *cryptobyte.Builder) { b.AddASN1BigInt(t.Number) })
			})
		})
	})
	return b.Bytes()
}

// of returns the entries that the issuer is meant by, sorted by serial, each serial once.
func (t *Template) of(issuer string) []*Entry {
	entries := make([]*Entry, 0, len(t.Entries))
	for i := range t.Entries {
		e := &t.Entries[i]
		if of := canonical(e.Issuer); (of == "" || of == issuer) && !e.Serial.unlistable() {
			entries = append(entries, e)
		}
	}
	slices.SortStableFunc(entries, func(a, b *Entry) int { return a.Serial.Compare(b.Serial) })
	return slices.CompactFunc(entries, func(a, b *Entry) bool { return a.Serial == b.Serial })
}

func addEntry(b *cryptobyte.Builder, e *Entry, this time.Time, reasons [][]byte) {
	date := e.Date.UTC().Truncate(time.Second)
	if date.After(this) || date.Year() < firstYear {
		date = this
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) {
			if e.Serial.octets == "" || e.Serial.octets[0]&0x80 != 0 {
				b.AddUint8(0)
			}
			b.AddBytes([]byte(e.Serial.octets))
		})
		addTime(b, date)
		if e.Reason.valid() {
			b.AddBytes(reasons[e.Reason])
		}
	})
}

// encodeReasons returns the extensions of an entry by its reason.
func encodeReasons() [][]byte {
	all := make([][]byte, len(reasonNames))
	for _, r := range Reasons() {
		if r == Unspecified || r == RemoveFromCRL {
			continue
		}
		var b cryptobyte.Builder
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addExtension(b, oidReason, func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(r)) })
		})
		all[r] = b.BytesOrPanic()
	}
	return all
}

func addExtension(b *cryptobyte.Builder, oid string, value cryptobyte.BuilderContinuation) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(oid)) })
		b.AddASN1(asn1.OCTET_STRING, value)
	})
}

// addTime writes a Time: UTCTime through 2049, GeneralizedTime from 2050 on (RFC 5280, 5.1.2.4).
func addTime(b *cryptobyte.Builder, t time.Time) {
	if t.Year() < 2050 {
		b.AddASN1UTCTime(t)
	} else {
		b.AddASN1GeneralizedTime(t)
	}
}
