package check

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/ftsca/ftsca/pkcs12"
)

// identity judges the file with the client's key and certificate.
func (d *device) identity(r reference, c *Connection) (where, text string) {
	f := d.find(r.where, r.key, r.location)
	if f == nil {
		return "", ""
	}
	b := d.unlock(r, f)
	switch {
	case b == nil:
		return "", ""
	case !b.hasKey:
		d.say(all(Refusal), "identity-no-key", f.where, "it holds no private key, as a trust store: %s has to name "+
			"the client's own file", r.key)
		return "", ""
	case b.identityErr != nil:
		d.say(all(Refusal), "identity-key", f.where, "%v", b.identityErr)
		return "", ""
	}
	if len(b.form.Ciphers) == 0 {
		d.say(all(Warning), "p12-clear", f.where, "nothing in it is encrypted: it gives its key away without a "+
			"password")
	}
	id := b.identity
	c.Key, c.Certificate = id.Key, id.Certificate
	d.judgeClient(f.where, id.Certificate, c.Authorities)
	d.judgeDates(f.where, "identity", id.Certificate)
	d.judgeStrength(f.where, id.Certificate)
	if len(id.Others) > 0 {
		d.say(all(Warning), "identity-others", f.where, "%s lies beside %s and does not stand above it: iOS may take "+
			"it for the client's", pkcs12.Describe(id.Others[0]), pkcs12.Describe(id.Certificate))
	}
	return f.where, fmt.Sprintf("the client's certificate is read: %s, until %s; %s", pkcs12.Describe(id.Certificate),
		date(id.Certificate.NotAfter), b.form)
}

// judgeClient judges whether a certificate is a client's and nothing else.
func (d *device) judgeClient(where string, c *x509.Certificate, authorities []*x509.Certificate) {
	name := pkcs12.Describe(c)
	sameKey := slices.ContainsFunc(authorities, func(a *x509.Certificate) bool { return same(a.PublicKey, c.PublicKey) })
	usages := len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0
	switch {
	case isAuthority(c) || sameKey:
		d.say(all(Refusal), "identity-ca", where, "the package holds the private key of an authority (%s): whoever "+
			"has it can issue certificates for everybody", name)
	case isServer(c):
		d.say(all(Refusal), "identity-server", where, "%s may serve as a server's certificate: whoever has the "+
			"package can pass for the server", name)
	}
	if usages && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) {
		d.say(all(Refusal), "identity-usage", where, "%s is not made for clients (extended key usage clientAuth), "+
			"and servers refuse it", name)
	}
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageKeyAgreement) == 0 {
		d.say(all(Refusal), "identity-key-usage", where, "the key usage of %s lacks digitalSignature, and servers "+
			"with OpenSSL, as FreeTAKServer, refuse it", name)
	}
	issuer := func(a *x509.Certificate) bool { return string(a.RawSubject) == string(c.RawIssuer) }
	if len(authorities) > 0 && len(authorities) <= maxAnchors && !sameKey && !slices.ContainsFunc(authorities, issuer) {
		d.say(all(Warning), "trust-issuer", where, "%s was issued by %q, which the trust store lacks: if the "+
			"server's certificate has the same issuer, the device refuses it", name, c.Issuer)
	}
}

func same(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}
