package pkcs12

import (
	"crypto/sha1"
	"crypto/x509"
)

// FriendlyNames are those of a trust store.
func FriendlyNames(certs []*x509.Certificate) []string {
	anchors := make([]Anchor, len(certs))
	for i, c := range certs {
		anchors[i].Certificate = c
	}
	return anchorNames(anchors)
}

// ReadIdentityWithin is ReadIdentity with other bounds on the rounds of one derivation and of all.
func ReadIdentityWithin(data []byte, password string, one, all int) (Identity, error) {
	return (&reader{limits: limits{one, all}}).identity(data, password)
}

// ReadTrustStoreWithin is ReadTrustStore with other bounds.
func ReadTrustStoreWithin(data []byte, password string, one, all int) ([]Anchor, error) {
	return (&reader{limits: limits{one, all}}).trustStore(data, password)
}

// ExamineWithin is Examine with other bounds.
func ExamineWithin(data []byte, one, all int) (Outline, error) {
	return (&reader{limits: limits{one, all}}).examine(data)
}

// ExamineOpenWithin is ExamineOpen with other bounds.
func ExamineOpenWithin(data []byte, password string, one, all int) (Outline, error) {
	return (&reader{limits: limits{one, all}}).examineOpen(data, password)
}

// DecryptRC2 decrypts one block with a key all of whose bits are effective.
func DecryptRC2(key, block []byte) []byte {
	c, err := newRC2(key)
	if err != nil {
		return nil
	}
	out := make([]byte, rc2BlockSize)
	c.Decrypt(out, block)
	return out
}

// StretchSHA1 is the derivation of RFC 7292, B.2.
func StretchSHA1(purpose byte, password string, salt []byte, rounds, size int) ([]byte, error) {
	p, err := newPassword(password)
	return stretch(sha1.New, purpose, p.bmp, salt, rounds, size), err
}
