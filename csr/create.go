package csr

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"slices"
)

// pemType is the label of a request in PEM (RFC 7468, 7), oldPEMType the one that Windows and old tools write.
const (
	pemType    = "CERTIFICATE REQUEST"
	oldPEMType = "NEW CERTIFICATE REQUEST"
)

// Create returns a request in PEM (RFC 2986, RFC 7468) that the key, which is the request's, has signed: with SHA-256,
// or SHA-384 where it lies on P-384. The error says what in the request cannot stand, or what kept the key from signing.
func Create(key crypto.Signer, r Request) ([]byte, error) { return create(key, r, nil) }

// CreateAuthority is [Create] for the key of an authority. The request says that it is one, by critical basic
// constraints and key usage, so that nobody signs it as anything else by mistake.
func CreateAuthority(key crypto.Signer, r Request) ([]byte, error) {
	constraints, err := asn1.Marshal(struct{ IsCA bool }{true})
	if err != nil {
		return nil, fmt.Errorf("encoding the basic constraints: %w", err)
	}
	usage, err := asn1.Marshal(asn1.BitString{Bytes: []byte{1<<(7-certSignBit) | 1<<(7-crlSignBit)}, BitLength: crlSignBit + 1})
	if err != nil {
		return nil, fmt.Errorf("encoding the key usage: %w", err)
	}
	return create(key, r, []pkix.Extension{
		{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: constraints},
		{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: usage},
	})
}

func create(key crypto.Signer, r Request, extensions []pkix.Extension) ([]byte, error) {
	if key == nil {
		return nil, errors.New("there is no key")
	}
	if public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(r.PublicKey) {
		return nil, errors.New("the key is not the request's")
	}
	names := slices.Clone(r.DNSNames)
	for _, a := range r.Addresses {
		names = append(names, a.String())
	}
	// Anybody can fill in a Request; what others shall sign is judged once more.
	r, err := New(r.PublicKey, r.Subject, names)
	if err != nil {
		return nil, err
	}
	template := &x509.CertificateRequest{DNSNames: r.DNSNames, ExtraExtensions: extensions}
	for _, a := range r.Addresses {
		template.IPAddresses = append(template.IPAddresses, net.IP(a.AsSlice()))
	}
	if template.RawSubject, err = r.Subject.DER(); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		return nil, fmt.Errorf("signing the request of %q: %w", r.Subject.CommonName, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), nil
}
