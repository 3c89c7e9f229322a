package csr

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	encodingasn1 "encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ftsca/ftsca/internal/keyfile"
)

var (
	errNoRequest = errors.New("it is no certificate request (RFC 2986)")
	errTrailing  = errors.New("something stands behind its end")
	errTwoLists  = errors.New("it has two lists of extensions, and which of them is meant it does not say")
)

// reader fills in a Foreign from the parts of a request.
type reader struct {
	Foreign
}

// leave notes what the request asks for in vain.
func (r *reader) leave(format string, args ...any) {
	r.NotTaken = append(r.NotTaken, fmt.Sprintf(format, args...))
}

// read reads one request in DER.
func read(der []byte) (Foreign, error) {
	if len(der) > maxRequest {
		return Foreign{}, fmt.Errorf("a request of %d bytes: at most %d are taken", len(der), maxRequest)
	}
	p, err := dissect(der)
	if err != nil {
		return Foreign{}, err
	}
	sum := sha256.Sum256(der)
	r := reader{Foreign: Foreign{DER: bytes.Clone(der), Fingerprint: hex.EncodeToString(sum[:])}}
	for _, step := range []func(parts) error{r.publicKey, r.subject, r.attributes, r.proof} {
		if err := step(p); err != nil {
			return Foreign{}, err
		}
	}
	return r.Foreign, nil
}

// parts are those of a CertificationRequest (RFC 2986, 4), the contents of the first three and the whole of the key.
type parts struct {
	subject, attributes, algorithm cryptobyte.String
	key                            cryptobyte.String
}

// dissect is stricter than crypto/x509, which lets things stand behind the last part of each sequence.
func dissect(der []byte) (parts, error) {
	var p parts
	var request, info, signature cryptobyte.String
	var version int64
	whole := cryptobyte.String(der)
	if !whole.ReadASN1(&request, asn1.SEQUENCE) ||
		!request.ReadASN1(&info, asn1.SEQUENCE) ||
		!request.ReadASN1(&p.algorithm, asn1.SEQUENCE) ||
		!request.ReadASN1(&signature, asn1.BIT_STRING) ||
		!info.ReadASN1Integer(&version) ||
		!info.ReadASN1(&p.subject, asn1.SEQUENCE) ||
		!info.ReadASN1Element(&p.key, asn1.SEQUENCE) ||
		!info.ReadASN1(&p.attributes, asn1.Tag(0).ContextSpecific().Constructed()) {
		return parts{}, errNoRequest
	}
	if version != 0 {
		return parts{}, fmt.Errorf("a request of version %d: there is only version 1", version+1)
	}
	if !whole.Empty() || !request.Empty() || !info.Empty() {
		return parts{}, errTrailing
	}
	return p, nil
}

func (r *reader) publicKey(p parts) error {
	key, err := x509.ParsePKIXPublicKey(p.key)
	if err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	if err := keyfile.CheckPublic(key); err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	if again, err := x509.MarshalPKIXPublicKey(key); err != nil || !bytes.Equal(again, p.key) {
		return errors.New("public key: it is not encoded as RFC 5280, 4.1.2.7 has it")
	}
	r.Asked.PublicKey = key
	return nil
}

// proof sees that the key has signed the request.
func (r *reader) proof(p parts) error {
	parsed, err := x509.ParseCertificateRequest(r.DER)
	if err != nil {
		return fmt.Errorf("it cannot be read: %w", err)
	}
	if !proves(parsed.SignatureAlgorithm) {
		var id encodingasn1.ObjectIdentifier
		if !p.algorithm.ReadASN1ObjectIdentifier(&id) {
			return errNoRequest
		}
		return fmt.Errorf("it is signed with %s, which proves nothing", nameOf(id))
	}
	if err := parsed.CheckSignature(); err != nil {
		return fmt.Errorf("it is not signed by its own key: %w", err)
	}
	r.Algorithm = parsed.SignatureAlgorithm
	return nil
}

// proves tells with which algorithms a key can prove itself. ATAK 4.6 knows nothing better than SHA-1, and whoever wants
// to pass off another's key needs a second preimage of what that key has signed, not a mere collision.
func proves(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.SHA1WithRSA, x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA1, x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return true
	}
	return false
}

// attributes looks for the one list of extensions (RFC 2985, 5.4.2, or Microsoft's own identifier for the same) and
// notes all other attributes, without their values: a challengePassword is a secret.
func (r *reader) attributes(p parts) error {
	found := false
	for der := p.attributes; !der.Empty(); {
		var attribute, values, list cryptobyte.String
		var id encodingasn1.ObjectIdentifier
		if !der.ReadASN1(&attribute, asn1.SEQUENCE) || !attribute.ReadASN1ObjectIdentifier(&id) ||
			!attribute.ReadASN1(&values, asn1.SET) || !attribute.Empty() {
			return errors.New("an attribute cannot be read")
		}
		if s := id.String(); s != extensionRequest && s != microsoftExtensionRequest {
			r.leave("attribute %s", nameOf(id))
			continue
		}
		if found {
			return errTwoLists
		}
		found = true
		if !values.ReadASN1(&list, asn1.SEQUENCE) {
			return errors.New("the list of extensions cannot be read")
		}
		if !values.Empty() {
			return errTwoLists
		}
		if err := r.extensions(list); err != nil {
			return err
		}
	}
	return nil
}
