package datapackage

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/ftsca/ftsca/pkcs12"
)

// vet returns c with its defaults filled in.
func (c Contents) vet() (Contents, error) {
	if c.Name == "" {
		return c, errors.New("a package needs the client's name")
	}
	host, _, err := ParseHost(c.Host)
	if err != nil {
		return c, err
	}
	if host != c.Host {
		return c, fmt.Errorf("host %q has to be written %q, without a port", c.Host, host)
	}
	if c.Port == 0 {
		c.Port = DefaultPort
	}
	if c.Description == "" {
		c.Description = c.Host
	}
	if c.Password.IsZero() {
		return c, errors.New("a package needs a password: ATAK connects with no file of an empty one")
	}
	if err := c.vetCertificates(); err != nil {
		return c, err
	}
	if c.UID == "" {
		c.UID = c.derivedUID()
	}
	return c, nil
}

// vetCertificates makes sure that the package is a client's: that its key is nobody's who could pass for a server or
// sign certificates.
func (c Contents) vetCertificates() error {
	leaf := c.Certificate
	if leaf == nil {
		return errors.New("a package needs the client's certificate")
	}
	name := pkcs12.Describe(leaf)
	switch {
	case leaf.IsCA || leaf.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0:
		return fmt.Errorf("%s is the certificate of a CA: its key goes into no package", name)
	case allows(leaf, x509.ExtKeyUsageServerAuth) || allows(leaf, x509.ExtKeyUsageAny):
		return fmt.Errorf("%s may serve as a server's certificate: its key goes into no package", name)
	case !allows(leaf, x509.ExtKeyUsageClientAuth):
		return fmt.Errorf("%s is not made for client authentication (extended key usage clientAuth)", name)
	case len(c.Authorities) == 0:
		return errors.New("a package needs the authorities that its device shall trust")
	}
	for _, authority := range c.Authorities {
		if authority == nil {
			return errors.New("an authority's certificate is missing")
		}
		if samePublic(authority.PublicKey, leaf.PublicKey) {
			return fmt.Errorf("the key of %s is also that of the CA %s: it goes into no package", name, pkcs12.Describe(authority))
		}
	}
	return nil
}

func allows(leaf *x509.Certificate, usage x509.ExtKeyUsage) bool {
	return slices.Contains(leaf.ExtKeyUsage, usage)
}

func samePublic(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}

// chain returns the authorities that follow one another above the client's certificate. The rest, as another root during
// a rollover, goes into the trust store alone.
func (c Contents) chain() []*x509.Certificate {
	below := c.Certificate
	for i, authority := range c.Authorities {
		top := bytes.Equal(below.RawIssuer, below.RawSubject)
		// The first one must follow; pkcs12 tells where it does not.
		if i > 0 && (top || !bytes.Equal(below.RawIssuer, authority.RawSubject)) {
			return c.Authorities[:i]
		}
		below = authority
	}
	return c.Authorities
}
