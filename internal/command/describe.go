package command

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/output"
)

// stamp writes a time for programs and for the record, RFC 3339 in UTC.
func stamp(t time.Time) string { return output.Time(t, time.Time{}, false) }

func serialOf(cert *x509.Certificate) string { return crl.SerialOf(cert.SerialNumber).String() }

func fingerprint(cert *x509.Certificate) string { return sha256Hex(cert.Raw) }

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// keyName says a key as --key does, or as near as can be.
func keyName(public crypto.PublicKey) string {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("rsa-%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ecdsa-" + strings.ToLower(strings.ReplaceAll(k.Curve.Params().Name, "-", ""))
	}
	return fmt.Sprintf("%T", public)
}

// distinguished writes a name as RFC 4514 does, each of its parts where it stands.
func distinguished(der []byte) string {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &name); err != nil {
		return ""
	}
	return name.String()
}

// commonName returns that of a name, or all of it where it has none.
func commonName(der []byte) string {
	var sequence pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &sequence); err != nil {
		return ""
	}
	var name pkix.Name
	name.FillFromRDNSequence(&sequence)
	if name.CommonName == "" {
		return sequence.String()
	}
	return name.CommonName
}

// plural is "1 entry", "2 entries".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
