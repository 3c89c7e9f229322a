package ca_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/csr"
)

func TestARootHasRoomForOneTierBelowIt(t *testing.T) {
	clock := ca.Clock{Now: func() time.Time { return founded }}
	root := found(t, ca.Root, newMemory(), clock)
	if c := root.Certificate(); c.MaxPathLen != 1 || !c.NotAfter.Equal(founded.AddDate(0, 0, 7300)) {
		t.Errorf("path length %d, until %s", c.MaxPathLen, c.NotAfter)
	}
	key := newKey(t)
	entry, err := root.Issue(t.Context(), ca.Order{Purpose: ca.Issuing, Request: request(t, key.Public(), csr.Subject{CommonName: "Issuing"})})
	if err != nil {
		t.Fatal(err)
	}
	below := entry.Certificate
	if !below.IsCA || !below.MaxPathLenZero || below.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign || len(below.ExtKeyUsage) != 0 {
		t.Errorf("IsCA %v, path length %d, key usage %b", below.IsCA, below.MaxPathLen, below.KeyUsage)
	}
	if want := founded.AddDate(0, 0, 3650); !below.NotAfter.Equal(want) || entry.Cut {
		t.Errorf("until %s, want %s", below.NotAfter, want)
	}
	issuing, err := ca.New(ca.Config{Certificate: below, Above: root.Chain(), Key: key, Ledger: newMemory(), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := issuing.Issue(t.Context(), ca.Order{Purpose: ca.Client, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "alice"})})
	if err != nil {
		t.Fatal(err)
	}
	roots, middle := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root.Certificate())
	middle.AddCert(below)
	if _, err := leaf.Certificate.Verify(x509.VerifyOptions{Roots: roots, Intermediates: middle, CurrentTime: founded,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	_, err = issuing.Issue(t.Context(), ca.Order{Purpose: ca.Issuing, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "Third"})})
	if want := `"Issuing" may have no authority below it: its path length does not allow one`; err == nil || err.Error() != want {
		t.Errorf("a third tier: %v", err)
	}
	_, err = root.Issue(t.Context(), ca.Order{Purpose: ca.Issuing, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "Valley Rescue CA"})})
	if want := `an authority below "Valley Rescue CA" needs a name of its own`; err == nil || err.Error() != want {
		t.Errorf("a namesake: %v", err)
	}
}

func TestNoChildOutlivesItsParent(t *testing.T) {
	now := founded.AddDate(15, 0, 0)
	root := found(t, ca.Root, newMemory(), ca.Clock{Now: func() time.Time { return now }})
	entry, err := root.Issue(t.Context(), ca.Order{Purpose: ca.Issuing, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "Issuing"})})
	if err != nil {
		t.Fatal(err)
	}
	if !entry.Cut || !entry.Certificate.NotAfter.Equal(root.Certificate().NotAfter) {
		t.Errorf("cut %v, until %s", entry.Cut, entry.Certificate.NotAfter)
	}
}

func TestARenewedAuthorityVouchesForWhatItIssuedBefore(t *testing.T) {
	for _, purpose := range []ca.Purpose{ca.Single, ca.Root} {
		t.Run(string(purpose), func(t *testing.T) {
			key := newKey(t)
			old, err := ca.Found(ca.Foundation{Purpose: purpose, Subject: csr.Subject{CommonName: "CA", Organization: "Rescue"},
				Names: []string{"ca.example.org"}, Key: key, Days: 30, Now: founded})
			if err != nil {
				t.Fatal(err)
			}
			a, err := ca.New(ca.Config{Certificate: old, Key: key, Ledger: newMemory(), Clock: ca.Clock{Now: func() time.Time { return founded }}})
			if err != nil {
				t.Fatal(err)
			}
			alice, err := a.Issue(t.Context(), ca.Order{Purpose: ca.Client, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: "alice"})})
			if err != nil {
				t.Fatal(err)
			}
			renewed, err := ca.Renew(old, key, 0, founded.AddDate(0, 0, 20))
			if err != nil {
				t.Fatal(err)
			}
			if err := alice.Certificate.CheckSignatureFrom(renewed); err != nil {
				t.Error(err)
			}
			if renewed.SerialNumber.Cmp(old.SerialNumber) == 0 || string(renewed.SubjectKeyId) != string(old.SubjectKeyId) ||
				string(renewed.RawSubject) != string(old.RawSubject) || renewed.MaxPathLen != old.MaxPathLen || len(renewed.DNSNames) != 1 {
				t.Errorf("renewed is another authority: %v", renewed.Subject)
			}
			if !renewed.NotAfter.After(old.NotAfter) {
				t.Errorf("until %s", renewed.NotAfter)
			}
			if _, err := ca.Renew(old, newKey(t), 0, founded); err == nil || err.Error() != `the authority "CA": the key is not the certificate's` {
				t.Errorf("with another key: %v", err)
			}
		})
	}
}

func TestAGroupOfOrdersIsIssuedTogetherOrNotAtAll(t *testing.T) {
	now := founded
	ledger := newMemory()
	a := authority(t, ledger, &now)
	order := func(name string) ca.Order {
		return ca.Order{Purpose: ca.Client, Request: request(t, newKey(t).Public(), csr.Subject{CommonName: name})}
	}
	entries, err := a.IssueAll(t.Context(), []ca.Order{order("alice"), order("bob")})
	if err != nil || len(entries) != 2 || entries[1].Name != "bob" {
		t.Fatalf("%v, %v", entries, err)
	}
	if _, err := a.IssueAll(t.Context(), []ca.Order{order("carol"), order("alice")}); err == nil {
		t.Error("a name in use was given again")
	}
	broken := order("erin")
	broken.Pack = func(ca.Entry) ([]ca.Product, error) { return nil, x509.ErrUnsupportedAlgorithm }
	if _, err := a.IssueAll(t.Context(), []ca.Order{order("dave"), broken}); err == nil {
		t.Error("a package that could not be made stopped nothing")
	}
	if len(ledger.delivered) != 2 || len(ledger.reserved) != 0 {
		t.Errorf("%d delivered, %d reserved", len(ledger.delivered), len(ledger.reserved))
	}
}

func TestARootAndItsIssuingAuthorityAreFoundedInOneAct(t *testing.T) {
	key := newKey(t)
	root, err := ca.Found(ca.Foundation{Purpose: ca.Root, Subject: csr.Subject{CommonName: "Root"}, Key: key, Now: founded})
	if err != nil {
		t.Fatal(err)
	}
	below, err := ca.FoundBelow(ca.Foundation{Subject: csr.Subject{CommonName: "Issuing"}, Key: newKey(t), Now: founded}, root, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := below.CheckSignatureFrom(root); err != nil || !below.MaxPathLenZero {
		t.Errorf("path length %d, %v", below.MaxPathLen, err)
	}
	if _, err := ca.FoundBelow(ca.Foundation{Subject: csr.Subject{CommonName: "Root"}, Key: newKey(t), Now: founded}, root, key); err == nil {
		t.Error("root and issuing authority have one name")
	}
}
