package pkcs12_test

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"os"
	"path/filepath"
	"testing"

	sslmate "software.sslmate.com/src/go-pkcs12"

	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

// What is read is whole, and what the library reads in its turn is the same. A file may ask for 100 rounds at most, so
// that none of those that a fuzzer makes up takes long: where one does, a bound is missing.
func FuzzRead(f *testing.F) {
	issuing := testpki.NewRoot(f, "Valley Root").Issuing(f, "Valley Issuing")
	alice := issuing.Client(f, "alice")
	for _, e := range []*sslmate.Encoder{sslmate.LegacyRC2, sslmate.LegacyDES, sslmate.Modern2023, sslmate.Modern2026} {
		identity, err := e.WithIterations(2).Encode(alice.PrivateKey, alice.Leaf, issuing.Chain(), password)
		if err != nil {
			f.Fatal(err)
		}
		trust, err := e.WithIterations(2).EncodeTrustStore(issuing.Chain(), password)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(identity)
		f.Add(trust)
	}
	forged := newForge(f)
	f.Add(forged.file(forged.sealed(forged.sealedKey(alice.PrivateKey, forged.localKeyID("1"))), forged.clear(forged.cert(alice.Leaf))))
	f.Add(forged.with(1 << 40).file(forged.sealed(forged.with(1 << 50).sealedKey(alice.PrivateKey))))
	samples, err := filepath.Glob(filepath.Join("testdata", "*.p12"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range samples {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const one, all = 40, 100
		form, formErr := pkcs12.Inspect(data)
		if len(form.String()) > 1000 {
			t.Errorf("a form of %d bytes", len(form.String()))
		}
		id, err := pkcs12.ReadIdentityWithin(data, password, one, all)
		anchors, trustErr := pkcs12.ReadTrustStoreWithin(data, password, one, all)
		if err == nil && trustErr == nil {
			t.Error("both an identity and a trust store")
		}
		if (err == nil || trustErr == nil) && formErr != nil {
			t.Errorf("read, but not inspected: %v", formErr)
		}
		checkOutline(t, data, id, err, anchors, trustErr)
		if trustErr == nil {
			for _, a := range anchors {
				if a.Certificate == nil {
					t.Fatal("an anchor without a certificate")
				}
			}
			if certs, err := sslmate.DecodeTrustStore(data, password); err == nil && !sameCerts(certs, certsOf(anchors)) {
				t.Error("the library reads other certificates")
			}
		}
		if err != nil {
			return
		}
		public, ok := id.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
		if !ok || !public.Equal(id.Certificate.PublicKey) {
			t.Error("the key is not the certificate's")
		}
		if key, _, _, err := sslmate.DecodeChain(data, password); err == nil && !sameKey(key, id.Key) {
			t.Error("the library reads another key")
		}
	})
}

// What is encrypted is out of a fuzzer's reach behind the MAC, so here it is given what stands inside. Of what is read
// nothing may cost more than it asked for, and no key may come without its certificate.
func FuzzReadInside(f *testing.F) {
	alice := testpki.NewRoot(f, "Valley Root").Client(f, "alice")
	forged := newForge(f)
	id := forged.localKeyID("1")
	name := forged.seq(forged.oid(1, 2, 840, 113549, 1, 9, 20), forged.set(forged.der(asn1.RawValue{Tag: 30, Bytes: []byte("\x00a\xd8\x3d\xde\x00")})))
	f.Add(forged.seq(forged.cert(alice.Leaf, id, name), forged.sealedKey(alice.PrivateKey, id)))
	f.Add(forged.seq(forged.cert(alice.Leaf), forged.clearKey(alice.PrivateKey, name), forged.bag(4, forged.der(1)), forged.bag(6, forged.seq())))
	f.Add(forged.seq(forged.with(1<<40).sealedKey(alice.PrivateKey), forged.cert(alice.Leaf)))
	f.Fuzz(func(t *testing.T, content []byte) {
		forged := newForge(t)
		data := forged.file(forged.seal(content))
		id, err := pkcs12.ReadIdentityWithin(data, password, 40, 100)
		if errors.Is(err, pkcs12.ErrPassword) && err.Error() == pkcs12.ErrPassword.Error() {
			t.Error("the right password is said to be wrong")
		}
		if o, err := pkcs12.ExamineOpenWithin(data, password, 40, 100); errors.Is(err, pkcs12.ErrPassword) || errors.Is(err, pkcs12.ErrAltered) || err == nil && len(o.Parts) != 1 {
			t.Errorf("the right password shows %d parts, %v", len(o.Parts), err)
		}
		if _, trustErr := pkcs12.ReadTrustStoreWithin(data, password, 40, 100); err == nil && !errors.Is(trustErr, pkcs12.ErrKeyInside) {
			t.Errorf("both an identity and, but for %v, a trust store", trustErr)
		}
		if err != nil {
			return
		}
		public, ok := id.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
		if !ok || !public.Equal(id.Certificate.PublicKey) {
			t.Error("the key is not the certificate's")
		}
		if key, _, _, err := sslmate.DecodeChain(data, password); err == nil && !sameKey(key, id.Key) {
			t.Error("the library reads another key")
		}
	})
}

// checkOutline holds what is shown of a file against what is read of it.
func checkOutline(t *testing.T, data []byte, id pkcs12.Identity, err error, anchors []pkcs12.Anchor, trustErr error) {
	t.Helper()
	if closed, err := pkcs12.ExamineWithin(data, 40, 100); err == nil {
		for _, v := range append(pkcs12.Readers(closed.Form), pkcs12.Families(closed.Form)...) {
			if (v.Reads == pkcs12.Yes) != (v.Why == "") {
				t.Errorf("%+v", v)
			}
		}
	}
	o, openErr := pkcs12.ExamineOpenWithin(data, password, 40, 100)
	var certs []*x509.Certificate
	keys := 0
	for _, part := range o.Parts {
		if !part.Open && len(part.Bags) > 0 || part.Open && part.Fault != nil {
			t.Errorf("a part that is open %t has %d bags, %v", part.Open, len(part.Bags), part.Fault)
		}
		for _, b := range part.Bags {
			if b.Certificate != nil {
				certs = append(certs, b.Certificate)
			}
			if b.Public != nil {
				keys++
			}
			if b.Fault != nil && (b.Certificate != nil || b.Public != nil) {
				t.Errorf("%s is shown in spite of %v", b.Kind, b.Fault)
			}
		}
	}
	if openErr != nil && openErr.Error() == "it holds more than 1000 things" {
		return
	}
	if trustErr == nil && (openErr != nil || !sameCerts(certs, certsOf(anchors))) {
		t.Errorf("a trust store is shown with %d certificates, %v", len(certs), openErr)
	}
	if err == nil && (openErr != nil || keys != 1 || len(certs) < 1+len(id.Chain)+len(id.Others)) {
		t.Errorf("an identity is shown with %d keys, %v", keys, openErr)
	}
}

func certsOf(anchors []pkcs12.Anchor) (certs []*x509.Certificate) {
	for _, a := range anchors {
		certs = append(certs, a.Certificate)
	}
	return certs
}
