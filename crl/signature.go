package crl

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	encodingasn1 "encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// signatureAlgorithms are those that lists are signed with, by the content octets of their object identifiers. The
// weak ones are known for the sake of the error.
var signatureAlgorithms = [...]struct {
	oid       string
	algorithm x509.SignatureAlgorithm
	name      string
}{
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", x509.SHA256WithRSA, ""},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", x509.SHA384WithRSA, ""},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", x509.SHA512WithRSA, ""},
	{"\x2a\x86\x48\xce\x3d\x04\x03\x02", x509.ECDSAWithSHA256, ""},
	{"\x2a\x86\x48\xce\x3d\x04\x03\x03", x509.ECDSAWithSHA384, ""},
	{"\x2a\x86\x48\xce\x3d\x04\x03\x04", x509.ECDSAWithSHA512, ""},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", x509.UnknownSignatureAlgorithm, "MD5"},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", x509.UnknownSignatureAlgorithm, "SHA-1"},
	{"\x2a\x86\x48\xce\x3d\x04\x01", x509.UnknownSignatureAlgorithm, "SHA-1"},
}

// algorithmOf reads an AlgorithmIdentifier in DER.
func algorithmOf(der cryptobyte.String) x509.SignatureAlgorithm {
	oid, _ := algorithmOID(der)
	for _, a := range signatureAlgorithms {
		if string(oid) == a.oid {
			return a.algorithm
		}
	}
	return x509.UnknownSignatureAlgorithm
}

// algorithmOID returns the content of the object identifier, and the whole of it.
func algorithmOID(der cryptobyte.String) (oid, element cryptobyte.String) {
	if !der.ReadASN1(&der, asn1.SEQUENCE) || !der.ReadASN1Element(&element, asn1.OBJECT_IDENTIFIER) {
		return nil, nil
	}
	if rest := element; !rest.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) {
		return nil, nil
	}
	return oid, element
}

// CheckSignature tells whether the authority made the list: its name stands in it, it may sign lists (RFC 5280, 4.2.1.3
// and 6.3.3) and the signature is its. Signatures are RSA (PKCS #1 v1.5) or ECDSA with SHA-256, SHA-384 or SHA-512. The
// authority needs no SubjectKeyIdentifier; its dates and the list's are the caller's to judge.
func (x *X509) CheckSignature(issuer *x509.Certificate) error {
	if !bytes.Equal(x.RawIssuer, issuer.RawSubject) {
		return fmt.Errorf("the revocation list is that of %q, not of %q", nameOf(x.RawIssuer), issuer.Subject)
	}
	if err := maySign(issuer); err != nil {
		return err
	}
	if x.Algorithm == x509.UnknownSignatureAlgorithm {
		return fmt.Errorf("the revocation list of %q is signed with %s, which is not trusted", issuer.Subject, x.algorithmName())
	}
	if err := issuer.CheckSignature(x.Algorithm, x.signed, x.signature); err != nil {
		return fmt.Errorf("the revocation list is not signed by %q: %w", issuer.Subject, err)
	}
	return nil
}

// maySign tells whether a certificate may vouch for a list.
func maySign(issuer *x509.Certificate) error {
	switch {
	case issuer.BasicConstraintsValid && !issuer.IsCA, issuer.Version == 3 && !issuer.BasicConstraintsValid:
		return fmt.Errorf("%q may not sign revocation lists: it is no authority", issuer.Subject)
	case issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCRLSign == 0:
		return fmt.Errorf("%q may not sign revocation lists: its key usage lacks cRLSign", issuer.Subject)
	case len(issuer.RawSubject) == 0:
		return errors.New("the authority's certificate was not parsed")
	}
	return nil
}

func (x *X509) algorithmName() string {
	oid, element := algorithmOID(x.algorithm)
	for _, a := range signatureAlgorithms {
		if string(oid) == a.oid {
			return a.name
		}
	}
	return "the algorithm " + dotted(element)
}

func nameOf(der []byte) string {
	var rdn pkix.RDNSequence
	if rest, err := encodingasn1.Unmarshal(der, &rdn); err != nil || len(rest) > 0 {
		return "a name that cannot be read"
	}
	var name pkix.Name
	name.FillFromRDNSequence(&rdn)
	return name.String()
}
