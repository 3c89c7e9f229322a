package connect

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// judge verifies the server by the trust store alone.
func (m *Met) judge(o Options) error {
	if m.Server == nil {
		return &Refusal{text: "the server showed no certificate"}
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, a := range o.Authorities {
		if selfSigned(a) {
			roots.AddCert(a)
		} else {
			between.AddCert(a)
		}
	}
	chains, err := m.Server.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: o.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return &Refusal{err: err, text: "the device refuses the server: " + m.why(err, o)}
	}
	m.Chain = chains[0]
	return nil
}

func selfSigned(c *x509.Certificate) bool {
	if !bytes.Equal(c.RawIssuer, c.RawSubject) {
		return false
	}
	err := c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	// Nobody verifies what a root signed of itself, with SHA-1 in old ones.
	var insecure x509.InsecureAlgorithmError
	return err == nil || errors.As(err, &insecure)
}

// why tells what the trust store has against the server's certificate.
func (m *Met) why(err error, o Options) string {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) {
		return whyInvalid(invalid, o.Now())
	}
	name := describe(m.Server)
	switch m.Server.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.MD5WithRSA:
		return fmt.Sprintf("%s is signed with %s, which is relied on no more: have it issued anew with SHA-256", name,
			m.Server.SignatureAlgorithm)
	}
	missing := missingIssuer(m.Server, o.Authorities)
	if missing == nil {
		return fmt.Sprintf("an authority of the trust store has the name of who issued %s, but its key did not sign "+
			"it: the authority was made anew, and the package is older; make the package anew", name)
	}
	text := fmt.Sprintf("the trust store lacks %q, who issued %s", missing.Issuer, describe(missing))
	for _, sent := range m.Sent[1:] {
		if bytes.Equal(sent.RawSubject, missing.RawIssuer) {
			return text + "; the server sends it along, but devices take no authority from the server: make the " +
				"trust store of every authority up to the root"
		}
	}
	return text + ": make the trust store of every authority above the server's certificate, up to the root"
}

// missingIssuer climbs from a certificate by names, and returns the first whose issuer is not there; nil where the climb
// ends at a root.
func missingIssuer(c *x509.Certificate, authorities []*x509.Certificate) *x509.Certificate {
	for range 10 {
		var parent *x509.Certificate
		for _, a := range authorities {
			if bytes.Equal(a.RawSubject, c.RawIssuer) {
				parent = a
			}
		}
		switch {
		case parent == nil:
			return c
		case parent.Equal(c) || bytes.Equal(parent.RawSubject, parent.RawIssuer):
			return nil
		}
		c = parent
	}
	return nil
}

func whyInvalid(invalid x509.CertificateInvalidError, now time.Time) string {
	c := invalid.Cert
	switch {
	case invalid.Reason == x509.Expired && now.Before(c.NotBefore):
		return fmt.Sprintf("%s is not valid before %s, and the device's clock says %s: set the clock", describe(c),
			stamp(c.NotBefore), stamp(now))
	case invalid.Reason == x509.Expired:
		return fmt.Sprintf("%s expired on %s, and the device's clock says %s: have it renewed", describe(c),
			stamp(c.NotAfter), stamp(now))
	case invalid.Reason == x509.NotAuthorizedToSign:
		return fmt.Sprintf("%s is no certificate of an authority", describe(c))
	}
	return invalid.Error()
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func describe(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return fmt.Sprintf("%.100q", c.Subject.CommonName)
	}
	return fmt.Sprintf("%.200q", c.Subject.String())
}

// nameFault says which names a certificate has instead of host.
func nameFault(c *x509.Certificate, host string) string {
	const most = 8
	var names []string
	names = append(names, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return fmt.Sprintf("the server's certificate names no host at all, and %.100q is wanted: iTAK, WinTAK and "+
			"browsers may refuse it", host)
	}
	more := ""
	if len(names) > most {
		names, more = names[:most], ", …"
	}
	return fmt.Sprintf("the server's certificate is for %.300q%s, and not for %.100q: iTAK, WinTAK and browsers may "+
		"refuse it", strings.Join(names, ", "), more, host)
}
