package ca

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"time"
)

// Purpose is what a certificate is for; it chooses the profile that the certificate follows.
type Purpose string

// The purposes. Single and Root are authorities that are their own issuers: they are founded and cannot be ordered.
const (
	Single  Purpose = "ca"      // issues to servers and clients and has no authority above or below it
	Root    Purpose = "root"    // stands above issuing authorities
	Issuing Purpose = "issuing" // issues to servers and clients, below a root
	Server  Purpose = "server"
	Client  Purpose = "client"
)

// IsAuthority tells whether certificates of the purpose are authorities'.
func (p Purpose) IsAuthority() bool { return p == Single || p == Root || p == Issuing }

const (
	day = 24 * time.Hour

	// setBack is how far notBefore, and a CRL's thisUpdate, lie before the moment of signing: tablets in the field have
	// clocks that are hours off and would see "not yet valid".
	setBack = 24 * time.Hour

	// maxServerDays: Apple's systems refuse a server certificate that is valid for longer (support.apple.com/HT210176).
	maxServerDays = 825

	leafDays    = 730
	issuingDays = 3650
	rootDays    = 7300
	maxDays     = 36500
)

// channelsUsage is the extended key usage by which a TAK Server lets a client choose its channels: the
// challengePassword attribute of PKCS #9, used as an extended key usage.
var channelsUsage = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 7}

// profile is what every certificate of a purpose has in common.
type profile struct {
	purpose     Purpose
	days        int
	maxDays     int // beyond it the order must say AllowLong, where that is possible
	keyUsage    x509.KeyUsage
	rsaKeyUsage x509.KeyUsage // besides keyUsage, where the key is RSA
	extended    []x509.ExtKeyUsage
	needsHost   bool // at least one alternative name
	hosts       bool // alternative names are allowed
	authority   bool
	pathLength  int // for an authority: how many authorities may stand below
}

func single() profile {
	return profile{purpose: Single, days: issuingDays, maxDays: maxDays, authority: true,
		keyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
}

func root() profile {
	p := single()
	p.purpose, p.days, p.pathLength = Root, rootDays, 1
	return p
}

func issuing() profile {
	p := single()
	p.purpose, p.hosts = Issuing, true
	return p
}

func server() profile {
	return profile{purpose: Server, days: leafDays, maxDays: maxServerDays, needsHost: true, hosts: true,
		keyUsage:    x509.KeyUsageDigitalSignature,
		rsaKeyUsage: x509.KeyUsageKeyEncipherment,
		extended:    []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
}

// client has digitalSignature alone: with clientAuth anything more is inconsistent (RFC 5280, 4.2.1.12).
func client() profile {
	return profile{purpose: Client, days: leafDays, maxDays: maxDays, hosts: true,
		keyUsage: x509.KeyUsageDigitalSignature,
		extended: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
}

// profileOf returns the profile of what can be ordered.
func profileOf(p Purpose) (profile, error) {
	switch p {
	case Issuing:
		return issuing(), nil
	case Server:
		return server(), nil
	case Client:
		return client(), nil
	}
	return profile{}, fmt.Errorf("no certificate is issued for the purpose %q: want %q, %q or %q", p, Server, Client, Issuing)
}
