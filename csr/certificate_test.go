package csr_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/ftsca/ftsca/csr"
)

func certificateOf(t *testing.T, template *x509.Certificate) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotAfter = big.NewInt(1), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestACertificateIsAskedForAgainAsItWas(t *testing.T) {
	subject := csr.Subject{CommonName: "Zoë 😀", Organization: "Valley Rescue", Unit: "Alpine", Locality: "Town", Province: "State",
		Country: "CA", Groups: []string{"blue", "red team"}}
	der, err := subject.DER()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"fts.example.org", "*.example.org", "10.0.0.5", "2001:db8::1"}
	first, err := csr.New(certificateOf(t, &x509.Certificate{RawSubject: der}).PublicKey, subject, names)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{RawSubject: der, DNSNames: first.DNSNames}
	for _, a := range first.Addresses {
		template.IPAddresses = append(template.IPAddresses, a.AsSlice())
	}
	cert := certificateOf(t, template)
	again, err := csr.FromCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	if first.PublicKey = cert.PublicKey; !reflect.DeepEqual(again, first) {
		t.Errorf("got  %+v\nwant %+v", again, first)
	}
	if der2, err := again.Subject.DER(); err != nil || string(der2) != string(der) {
		t.Errorf("the subject is encoded in another way: %v", err)
	}
}

func TestASubjectWithOtherPartsIsNotAskedForAgain(t *testing.T) {
	tests := []struct {
		name    string
		subject pkix.Name
		want    string
	}{
		{"a part of another kind", pkix.Name{CommonName: "a", SerialNumber: "1"}, `the subject of "a" has 2.5.4.5, which no certificate of ours has`},
		{"two units", pkix.Name{CommonName: "a", OrganizationalUnit: []string{"x", "y"}}, `the subject of "a" has 2.5.4.11, which no certificate of ours has`},
		{"no name", pkix.Name{Organization: []string{"x"}}, `name "": it is empty`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := csr.FromCertificate(certificateOf(t, &x509.Certificate{Subject: tt.subject})); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}
