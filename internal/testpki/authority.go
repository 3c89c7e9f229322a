package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"testing"
	"time"
)

// An Authority is a certificate authority with its key.
type Authority struct {
	Cert *x509.Certificate
	Key  crypto.Signer
	// Parent signed Cert; nil for a root.
	Parent *Authority
}

// NewRoot returns a self-signed authority, valid from a year ago for ten years.
func NewRoot(t testing.TB, cn string, opts ...Option) *Authority {
	t.Helper()
	return newAuthority(t, cn, nil, opts)
}

// Issuing returns an authority whose certificate a signed: a may be a root or not.
func (a *Authority) Issuing(t testing.TB, cn string, opts ...Option) *Authority {
	t.Helper()
	return newAuthority(t, cn, a, opts)
}

func newAuthority(t testing.TB, cn string, parent *Authority, opts []Option) *Authority {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	o := newOrder(t, cn, opts, &x509.Certificate{
		NotBefore:             now.AddDate(-1, 0, 0),
		NotAfter:              now.AddDate(9, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	})
	if o.noKeyID {
		// CreateCertificate makes up a key identifier for whatever it knows to be a CA.
		o.template.IsCA, o.template.BasicConstraintsValid = false, false
		o.template.ExtraExtensions = append(o.template.ExtraExtensions, basicConstraints(t))
	}
	a := &Authority{Key: o.key, Parent: parent}
	signer := parent
	if signer == nil {
		signer = &Authority{Cert: o.template, Key: o.key}
	}
	a.Cert = sign(t, o.template, o.key, signer)
	return a
}

// Chain returns a's certificate and those above it, the root last.
func (a *Authority) Chain() []*x509.Certificate {
	var chain []*x509.Certificate
	for ; a != nil; a = a.Parent {
		chain = append(chain, a.Cert)
	}
	return chain
}

// Pool returns a pool that holds a's certificate alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Cert)
	return pool
}

// Server returns a server's certificate for the given host names and IP addresses, at least one, with a as issuer. As
// servers do, it brings the chain along, without the root.
func (a *Authority) Server(t testing.TB, names ...string) tls.Certificate {
	t.Helper()
	if len(names) == 0 {
		t.Fatal("testpki: a server needs a name")
	}
	cert := a.Leaf(t, names[0], Names(names...), Usages(x509.ExtKeyUsageServerAuth))
	for c := a; c.Parent != nil; c = c.Parent {
		cert.Certificate = append(cert.Certificate, c.Cert.Raw)
	}
	return cert
}

// Client returns a client's certificate, valid from an hour ago for a year, with a as issuer. As ATAK does, it brings
// no chain along.
func (a *Authority) Client(t testing.TB, cn string, opts ...Option) tls.Certificate {
	t.Helper()
	return a.Leaf(t, cn, append([]Option{Usages(x509.ExtKeyUsageClientAuth)}, opts...)...)
}

// Leaf returns an end entity's certificate with a as issuer. It has no extended key usage and no alternative name
// unless an Option gives it one.
func (a *Authority) Leaf(t testing.TB, cn string, opts ...Option) tls.Certificate {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	o := newOrder(t, cn, opts, &x509.Certificate{
		NotBefore: now.Add(-time.Hour),
		NotAfter:  now.AddDate(1, 0, 0),
		KeyUsage:  x509.KeyUsageDigitalSignature,
	})
	cert := sign(t, o.template, o.key, a)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: o.key, Leaf: cert}
}

// NewKey returns a new ECDSA P-256 key.
func NewKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("testpki: making a key: %v", err)
	}
	return key
}

func newOrder(t testing.TB, cn string, opts []Option, template *x509.Certificate) *order {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		t.Fatalf("testpki: making a serial: %v", err)
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	template.Subject = pkix.Name{CommonName: cn}
	o := &order{t: t, template: template}
	for _, opt := range opts {
		opt(o)
	}
	if o.key == nil {
		o.key = NewKey(t)
	}
	return o
}

func sign(t testing.TB, template *x509.Certificate, key crypto.Signer, issuer *Authority) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.Cert, key.Public(), issuer.Key)
	if err != nil {
		t.Fatalf("testpki: signing the certificate of %q: %v", template.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("testpki: reading the certificate of %q back: %v", template.Subject.CommonName, err)
	}
	return cert
}

// basicConstraints is the extension of a CA without a path length (RFC 5280, 4.2.1.9).
func basicConstraints(t testing.TB) pkix.Extension {
	t.Helper()
	value, err := asn1.Marshal(struct{ IsCA bool }{true})
	if err != nil {
		t.Fatalf("testpki: writing basicConstraints: %v", err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: value}
}

// setNames sorts names into host names and IP addresses.
func setNames(template *x509.Certificate, names []string) {
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
}
