package testpki

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"testing"
	"time"
)

// An Option changes a certificate before it is signed. Later ones win.
type Option func(*order)

// order is a certificate in the making.
type order struct {
	t        testing.TB
	template *x509.Certificate
	key      crypto.Signer
	noKeyID  bool
}

// Validity sets the two ends, both inclusive; certificates keep whole seconds only.
func Validity(notBefore, notAfter time.Time) Option {
	return func(o *order) { o.template.NotBefore, o.template.NotAfter = notBefore, notAfter }
}

// Expired gives a validity that ended an hour ago.
func Expired() Option {
	return func(o *order) {
		now := time.Now()
		o.template.NotBefore, o.template.NotAfter = now.AddDate(-1, 0, 0), now.Add(-time.Hour)
	}
}

// NotYetValid gives a validity that starts in an hour.
func NotYetValid() Option {
	return func(o *order) {
		now := time.Now()
		o.template.NotBefore, o.template.NotAfter = now.Add(time.Hour), now.AddDate(1, 0, 0)
	}
}

// Serial sets the serial number, which is random otherwise.
func Serial(n *big.Int) Option {
	return func(o *order) { o.template.SerialNumber = new(big.Int).Set(n) }
}

// Usages sets the extended key usages. Usages() leaves the extension out.
func Usages(usages ...x509.ExtKeyUsage) Option {
	return func(o *order) { o.template.ExtKeyUsage = usages }
}

// KeyUsage sets the key usage. Zero leaves the extension out.
func KeyUsage(usage x509.KeyUsage) Option {
	return func(o *order) { o.template.KeyUsage = usage }
}

// Names adds subject alternative names: host names and IP addresses.
func Names(names ...string) Option {
	return func(o *order) { setNames(o.template, names) }
}

// Units sets the organizational units (OU) of the subject, in this order.
func Units(units ...string) Option {
	return func(o *order) { o.template.Subject.OrganizationalUnit = units }
}

// Key sets the key, which is a new one otherwise.
func Key(key crypto.Signer) Option {
	return func(o *order) { o.key = key }
}

// RSA makes a key of so many bits. It takes a noticeable part of a second.
func RSA(bits int) Option {
	return func(o *order) {
		o.t.Helper()
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			o.t.Fatalf("testpki: making an RSA key: %v", err)
		}
		o.key = key
	}
}

// NoKeyID leaves the subject key identifier out of an authority's certificate, as FreeTAKServer does.
func NoKeyID() Option {
	return func(o *order) { o.noKeyID = true }
}

// Template calls change on what is about to be signed, for what no other Option does.
func Template(change func(*x509.Certificate)) Option {
	return func(o *order) { change(o.template) }
}
