package transfer

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
)

// The kinds of items that stores ask and answer.
const (
	// AuthorityRequest is the request of a pending authority, in PEM; its root answers with AuthorityCertificate:
	// certificate, root and the root's revocation list, in PEM.
	AuthorityRequest     = "ca-request"
	AuthorityCertificate = "ca-certificate"
	// CertificateRequest is a request of the endpoint's, in PEM; the answer is Certificate: it and those of the
	// authorities above it.
	CertificateRequest = "request"
	Certificate        = "certificate"
	// Revocations is what the asking store has in force, in the JSON form, and Revoked what the answering one has then.
	Revocations = "revocations"
	Revoked     = "revoked"
	// News asks for what is newer: Authorities are their certificates in PEM, Lists the X.509 lists in PEM, Issued the
	// lines of what was issued, which only endpoints get.
	News        = "news"
	Authorities = "authorities"
	Lists       = "lists"
	Issued      = "issued"
)

// keySum is how a party names its key: SHA-256 in hex of the SubjectPublicKeyInfo.
func keySum(spki []byte) string { return sum(spki) }

// sum is the SHA-256 in hex.
func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

func encodeCertificates(certs []*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.Bytes()
}

// decodeCertificates reads a file of certificates alone.
func decodeCertificates(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		cert, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil {
			return nil, fmt.Errorf("it holds a block %q that is no certificate", block.Type)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 || len(bytes.TrimSpace(data)) > 0 {
		return nil, fmt.Errorf("it is not a file of certificates alone")
	}
	return certs, nil
}
