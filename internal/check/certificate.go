package check

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/ftsca/ftsca/pkcs12"
)

const (
	day  = 24 * time.Hour
	soon = 30 * day
)

// judgeDates judges a certificate by now, and by a device whose clock is a day off. kind is "trust" or "identity", with
// which the rules begin.
func (d *device) judgeDates(where, kind string, c *x509.Certificate) {
	name := pkcs12.Describe(c)
	switch {
	case d.now.After(c.NotAfter):
		d.say(all(Refusal), kind+"-expired", where, "%s expired on %s: it has to be renewed, and the package made anew",
			name, date(c.NotAfter))
		return
	case d.now.Before(c.NotBefore):
		d.say(all(Refusal), kind+"-not-yet", where, "%s is not valid before %s: is the clock of this machine right?",
			name, date(c.NotBefore))
		return
	case d.now.Add(-day).Before(c.NotBefore):
		d.say(all(Warning), kind+"-clock", where, "%s is valid only since %s: a device whose clock is a day slow "+
			"refuses it", name, date(c.NotBefore))
	}
	switch {
	case d.now.Add(day).After(c.NotAfter):
		d.say(all(Warning), kind+"-clock", where, "%s is valid only until %s: a device whose clock is a day fast "+
			"refuses it", name, date(c.NotAfter))
	case d.now.Add(soon).After(c.NotAfter):
		d.say(all(Warning), kind+"-expires", where, "%s expires on %s: renew it, and give the package out anew", name,
			date(c.NotAfter))
	}
}

func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// judgeStrength judges the key, and the signature where somebody verifies it.
func (d *device) judgeStrength(where string, c *x509.Certificate) {
	name := pkcs12.Describe(c)
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		switch bits := key.N.BitLen(); {
		case bits < 1024:
			d.say(all(Refusal), "key-size", where, "%s has an RSA key of %d bits, which no device takes any more: "+
				"2048 and up are taken", name, bits)
		case bits < 2048:
			d.say(all(Warning), "key-size", where, "%s has an RSA key of %d bits, which iOS and OpenSSL 3 refuse: "+
				"2048 and up are taken everywhere", name, bits)
		}
	case *ecdsa.PublicKey:
		curve := key.Params().Name
		if curve == "P-256" || curve == "P-384" {
			d.say(all(Warning), "key-ec", where, "it has a key on the curve %s, which ATAK's network core takes, but "+
				"which is not known to have been tried on devices: RSA is the safe choice", curve)
			break
		}
		d.say(levels{Warning, Warning, Refusal, Refusal}, "key-ec", where, "it has a key on the curve %s, which iOS "+
			"refuses: RSA is the safe choice", curve)
	default:
		d.say(all(Refusal), "key-kind", where, "%s has a key of a kind (%s) that devices do not take: RSA is the "+
			"safe choice", name, c.PublicKeyAlgorithm)
	}
	// Nobody verifies what a root signed of itself.
	if selfIssued(c) {
		return
	}
	switch c.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.MD2WithRSA, x509.UnknownSignatureAlgorithm:
		d.say(all(Refusal), "signature", where, "%s is signed with %s, which no device takes any more: have it "+
			"issued anew with SHA-256", name, c.SignatureAlgorithm)
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
		d.say(all(Warning), "signature", where, "%s is signed with SHA-1, which OpenSSL 3 in new ATAKs, iOS and Go "+
			"servers refuse: have it issued anew with SHA-256", name)
	}
}

// isAuthority tells whether a certificate could issue others.
func isAuthority(c *x509.Certificate) bool {
	return c.BasicConstraintsValid && c.IsCA || c.KeyUsage&x509.KeyUsageCertSign != 0
}

func isServer(c *x509.Certificate) bool {
	return slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// selfIssued is cheaper than selfSigned, and enough where no trust hangs on it.
func selfIssued(c *x509.Certificate) bool { return string(c.RawIssuer) == string(c.RawSubject) }

func selfSigned(c *x509.Certificate) bool { return signedBy(c, c) }

// signedBy tells whether parent issued child. What is signed with an algorithm that is not to be relied on any more
// passes: that is told elsewhere.
func signedBy(child, parent *x509.Certificate) bool {
	if string(child.RawIssuer) != string(parent.RawSubject) {
		return false
	}
	err := parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature)
	var insecure x509.InsecureAlgorithmError
	return err == nil || errors.As(err, &insecure)
}
