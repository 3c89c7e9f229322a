package pkcs12

import (
	"crypto/hmac"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// mac is the MacData of a file (RFC 7292, 4), with what it was made of.
type mac struct {
	kdf     derivation
	keySize int
	hash    hashed
	message []byte
	digest  []byte
}

const oidPBMAC1 = "1.2.840.113549.1.5.14"

// takeMAC reads a MacData and charges its rounds.
func (r *reader) takeMAC(in *cryptobyte.String, message []byte) (*mac, error) {
	var data, info, algorithm, octets cryptobyte.String
	if err := take(in, &data, tag.SEQUENCE); err != nil {
		return nil, err
	}
	if err := take(&data, &info, tag.SEQUENCE); err != nil {
		return nil, err
	}
	oid, err := takeTyped(&info, &algorithm)
	if err != nil {
		return nil, err
	}
	if err := takeOctets(info, &octets); err != nil {
		return nil, err
	}
	if !in.Empty() {
		return nil, errForm
	}
	m := &mac{message: message, digest: octets}
	if oid == oidPBMAC1 {
		// Salt and rounds of the MacData itself say nothing then (RFC 9579, 4).
		if err := r.takePBMAC1(m, algorithm); err != nil {
			return nil, err
		}
		r.form.MAC = "PBMAC1 " + m.hash.name
		return m, nil
	}
	var ok bool
	if m.hash, ok = digest(oid); !ok {
		return nil, unread("its MAC is made with", oid, "SHA-1, SHA-256, SHA-384 and SHA-512 are")
	}
	var salt cryptobyte.String
	if err := take(&data, &salt, tag.OCTET_STRING); err != nil {
		return nil, err
	}
	m.kdf, m.keySize = derivation{hash: m.hash, salt: salt}, m.hash.make().Size()
	r.form.MAC = m.hash.name
	if data.Empty() {
		m.kdf.rounds, err = r.ask(1)
	} else {
		m.kdf.rounds, err = r.takeRounds(&data)
	}
	return m, err
}

// takePBMAC1 reads PBMAC1-params (RFC 8018, A.5).
func (r *reader) takePBMAC1(m *mac, in cryptobyte.String) error {
	var parameters, kdf, scheme cryptobyte.String
	if err := take(&in, &parameters, tag.SEQUENCE); err != nil {
		return err
	}
	if err := take(&parameters, &kdf, tag.SEQUENCE); err != nil {
		return err
	}
	oid, err := takeTyped(&parameters, &scheme)
	if err != nil {
		return err
	}
	var ok bool
	if m.hash, ok = digest(oid); !ok {
		return unread("its MAC is made with", oid, "HMAC with SHA-1, SHA-256, SHA-384 and SHA-512 are")
	}
	if m.kdf, m.keySize, err = r.takePBKDF2(kdf); err != nil {
		return err
	}
	// A short key lets anybody make the MAC by trying them all; RFC 9579, 5 and 6, asks for a length, and one that fits.
	const minSize, maxSize = 20, 64
	switch {
	case m.keySize == 0:
		return errors.New("its MAC (PBMAC1) does not say how long its key is")
	case m.keySize < minSize || m.keySize > maxSize:
		return fmt.Errorf("its MAC (PBMAC1) has a key of %d bytes: %d to %d are taken", m.keySize, minSize, maxSize)
	}
	return nil
}

// check returns ErrPassword where the MAC is another.
func (m *mac) check(p password) error {
	key, err := m.kdf.derive(p, forMAC, m.keySize)
	if err != nil {
		return fmt.Errorf("deriving the key of the MAC: %w", err)
	}
	h := hmac.New(m.hash.make, key)
	h.Write(m.message)
	if !hmac.Equal(h.Sum(nil), m.digest) {
		return ErrPassword
	}
	return nil
}
