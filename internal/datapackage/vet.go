package datapackage

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/ftsca/ftsca/pkcs12"
	"github.com/ftsca/ftsca/templates"
)

// Check tells, before there are a certificate and a key, what of the connections, the settings and AskPassword a family
// would not take, in the words of [Make].
func (f Family) Check(c Contents) error {
	if err := f.vetNumber(len(c.Connections)); err != nil {
		return err
	}
	for i := range c.Connections {
		to := c.Connections[i]
		if err := to.vet(); err != nil {
			return err
		}
	}
	if c.AskPassword {
		if err := f.vetAsking(); err != nil {
			return err
		}
	}
	return c.Extras.vet(f)
}

// vet returns c with its defaults filled in.
func (c Contents) vet(f Family) (Contents, error) {
	if !f.known() {
		return c, fmt.Errorf("%.50q is no family of devices", string(f))
	}
	if c.Name == "" {
		return c, errors.New("a package needs the client's name")
	}
	if err := f.vetNumber(len(c.Connections)); err != nil {
		return c, err
	}
	c.Connections = slices.Clone(c.Connections)
	for i := range c.Connections {
		if err := c.Connections[i].vet(); err != nil {
			return c, err
		}
	}
	if c.Password.IsZero() {
		return c, errors.New("a package needs a password: ATAK connects with no file of an empty one")
	}
	if c.AskPassword {
		if err := f.vetAsking(); err != nil {
			return c, err
		}
	}
	if err := c.vetCertificates(); err != nil {
		return c, err
	}
	if err := c.Extras.vet(f); err != nil {
		return c, err
	}
	if c.UID == "" {
		c.UID = c.derivedUID("uid")
	}
	return c, nil
}

// vet fills in what may be left out.
func (to *Connection) vet() error {
	host, _, err := ParseHost(to.Host)
	if err != nil {
		return err
	}
	if host != to.Host {
		return fmt.Errorf("host %q has to be written %q, without a port", to.Host, host)
	}
	if to.Port == 0 {
		to.Port = DefaultPort
	}
	if to.Description == "" {
		to.Description = to.Host
	}
	return nil
}

// vetNumber tells why a family takes no such number of servers. The keys without an index name one identity: ATAK itself
// gives it to the first new server only, TAK Aware reads the first server and no other, and of the rest nothing is known.
func (f Family) vetNumber(connections int) error {
	switch {
	case connections == 0:
		return errors.New("a package needs a server to connect to")
	case f == ATAK && connections > templates.MaxConnections:
		return fmt.Errorf("%d servers are too many for a package: at most %d are read", connections, templates.MaxConnections)
	case f == TAKAware && connections > 1:
		return errors.New("TAK Aware reads the first server of a package and no other: make one package for each server")
	case f != ATAK && connections > 1:
		return fmt.Errorf("the preferences of %s name one identity and tie it to no server, and of several only one would be sure to get it: "+
			"make one package for each server", f.Title())
	}
	return nil
}

// vetAsking tells why a family cannot do without the password: from ATAK's CotService and AtakCertificateDatabase, and
// from SwiftTAK's PKCS12, which tries the empty password.
func (f Family) vetAsking() error {
	switch f {
	case ATAK:
		return errors.New("ATAK does not ask for a password that its package leaves out: 4.6 tries atakatak, later ones only report " +
			"a connection error; leave the password in")
	case TAKAware:
		return errors.New("TAK Aware does not ask for a password that its package leaves out: it tries the empty one, and drops the identity; " +
			"leave the password in")
	}
	return nil
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
