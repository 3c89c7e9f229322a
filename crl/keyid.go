package crl

import (
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// KeyID returns an authority's key identifier in lower-case hex: that which its certificate names, else the SHA-1 of its
// public key (RFC 5280, 4.2.1.2, method 1), since FreeTAKServer's authorities name none. It is empty for a
// certificate that was not parsed.
func KeyID(authority *x509.Certificate) string {
	var sum [sha1.Size]byte
	return hex.EncodeToString(keyID(authority, &sum))
}

// keyID is KeyID in octets; sum is where it may keep them, so that nothing is allocated.
func keyID(authority *x509.Certificate, sum *[sha1.Size]byte) []byte {
	if len(authority.SubjectKeyId) > 0 {
		return authority.SubjectKeyId
	}
	info, key := cryptobyte.String(authority.RawSubjectPublicKeyInfo), cryptobyte.String(nil)
	if !info.ReadASN1(&info, asn1.SEQUENCE) || !info.SkipASN1(asn1.SEQUENCE) ||
		!info.ReadASN1(&key, asn1.BIT_STRING) || !key.Skip(1) {
		return nil
	}
	*sum = sha1.Sum(key)
	return sum[:]
}
