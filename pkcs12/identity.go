package pkcs12

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
)

// Identity is [Encoder.WriteIdentity] of a key, its certificate and the authorities above that, called by the common name
// of the certificate, else by its whole subject.
func (e Encoder) Identity(key crypto.Signer, leaf *x509.Certificate, chain []*x509.Certificate, password string) ([]byte, error) {
	id := Identity{Key: key, Certificate: leaf, Chain: chain}
	if leaf != nil && leaf.Subject.String() != "" {
		id.Name = friendlyName(leaf)
	}
	return e.WriteIdentity(id, password)
}

// WriteIdentity returns a file with the key, its certificate, and the chain: the certificate's issuer first, then its
// issuer, and so on; the root may be left out, and the chain may be empty. Others are left out. The key has the friendly
// name Name, at most 100 characters of it, a blank for each control character and U+FFFD for what has no 16 bits (RFC
// 7292, 4.2); "" makes none.
//
// It refuses a key other than RSA or ECDSA or that is not in memory, a key that does not belong to the certificate, a
// chain in which a certificate was not signed by the next, and a password that [CheckPassword] refuses.
func (e Encoder) WriteIdentity(id Identity, password string) ([]byte, error) {
	key, leaf, chain := id.Key, id.Certificate, id.Chain
	form, err := e.form()
	if err != nil {
		return nil, err
	}
	if leaf == nil {
		return nil, errors.New("an identity needs a certificate")
	}
	name := Describe(leaf)
	if err := matches(key, leaf); err != nil {
		return nil, fmt.Errorf("identity of %s: %w", name, err)
	}
	below := leaf
	for _, c := range chain {
		if c == nil {
			return nil, fmt.Errorf("identity of %s: a certificate of its chain is missing", name)
		}
		if err := signed(below, c); err != nil {
			return nil, fmt.Errorf("identity of %s: %w", name, err)
		}
		below = c
	}
	if err := CheckPassword(password); err != nil {
		return nil, fmt.Errorf("identity of %s: %w", name, err)
	}
	data, err := form.Encode(key, leaf, chain, password)
	if name := printable(id.Name); err == nil && name != "" {
		data, err = label(data, name, password)
	}
	if err != nil {
		return nil, fmt.Errorf("writing the identity of %s: %w", name, err)
	}
	return data, nil
}

func matches(key crypto.Signer, leaf *x509.Certificate) error {
	// Only these can be written as PKCS #8; nothing is known of a TAK client that takes another kind.
	switch key.(type) {
	case nil:
		return errors.New("the key is missing")
	case *rsa.PrivateKey, *ecdsa.PrivateKey:
	default:
		return fmt.Errorf("its key is a %T: devices read RSA and ECDSA keys", key)
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(leaf.PublicKey) {
		return errors.New("the key is not that of the certificate")
	}
	return nil
}

// signed tells why parent is not the issuer of child.
func signed(child, parent *x509.Certificate) error {
	if string(child.RawIssuer) != string(parent.RawSubject) {
		return fmt.Errorf("%s does not follow %s, whose issuer is %q", Describe(parent), Describe(child), child.Issuer)
	}
	if err := child.CheckSignatureFrom(parent); err != nil {
		return fmt.Errorf("%s was not signed by %s: %w", Describe(child), Describe(parent), err)
	}
	return nil
}
