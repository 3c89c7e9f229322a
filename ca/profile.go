package ca

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"time"
)

// Purpose is what a certificate is for; it chooses the profile that the certificate follows.
type Purpose string

// The purposes. CA marks the authority's own certificate in a ledger; it cannot be ordered.
const (
	CA     Purpose = "ca"
	Server Purpose = "server"
	Client Purpose = "client"
)

const (
	day = 24 * time.Hour

	// setBack is how far notBefore, and a CRL's thisUpdate, lie before the moment of signing: tablets in the field have
	// clocks that are hours off and would see "not yet valid".
	setBack = 24 * time.Hour

	// maxServerDays: Apple's systems refuse a server certificate that is valid for longer (support.apple.com/HT210176).
	maxServerDays = 825

	leafDays    = 730
	singleDays  = 3650
	maxCADays   = 36500
	maxLeafDays = 36500
)

// channelsUsage is the extended key usage by which a TAK Server lets a client choose its channels: the
// challengePassword attribute of PKCS #9, used as an extended key usage.
var channelsUsage = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 7}

// profile is what every certificate of a purpose has in common.
type profile struct {
	purpose     Purpose
	days        int
	maxDays     int // beyond it the order must say AllowLong
	keyUsage    x509.KeyUsage
	rsaKeyUsage x509.KeyUsage // besides keyUsage, where the key is RSA
	extended    []x509.ExtKeyUsage
	needsHost   bool // at least one alternative name
	hosts       bool // alternative names are allowed
	authority   bool
	pathLength  int // for an authority: how many authorities may stand below
}

// single is an authority that is its own root.
func single() profile {
	return profile{purpose: CA, days: singleDays, maxDays: maxCADays, authority: true,
		keyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
}

func server() profile {
	return profile{purpose: Server, days: leafDays, maxDays: maxServerDays, needsHost: true, hosts: true,
		keyUsage:    x509.KeyUsageDigitalSignature,
		rsaKeyUsage: x509.KeyUsageKeyEncipherment,
		extended:    []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
}

// client has digitalSignature alone: with clientAuth anything more is inconsistent (RFC 5280, 4.2.1.12).
func client() profile {
	return profile{purpose: Client, days: leafDays, maxDays: maxLeafDays, hosts: true,
		keyUsage: x509.KeyUsageDigitalSignature,
		extended: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
}

func profileOf(p Purpose) (profile, error) {
	switch p {
	case Server:
		return server(), nil
	case Client:
		return client(), nil
	}
	return profile{}, fmt.Errorf("no certificate is issued for the purpose %q: want %q or %q", p, Server, Client)
}
