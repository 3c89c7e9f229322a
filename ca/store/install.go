package store

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
)

// Installation is a new certificate of one of the store's authorities: the answer to a request, a renewal, or a rollover.
type Installation struct {
	Certificate *x509.Certificate // becomes the current authority's; nil where only a root is new
	Purpose     ca.Purpose        // of Certificate: single, root or issuing
	Above       []*x509.Certificate
	Key         []byte       // in PEM, sealed or in clear; nil where the store has it
	Lists       []SignedList // that come with it: its own first one, its root's
}

// SignedList is a revocation list that one of the store's authorities has signed.
type SignedList struct {
	Authority *x509.Certificate
	PEM       []byte
}

// Install puts new certificates of the store's authorities into the ledger and publishes them, in one act. The error says
// what does not fit, and nothing has changed then.
func (s *Store) Install(ctx context.Context, i Installation) error {
	before, err := s.Authorities(ctx)
	if err != nil {
		return err
	}
	if err := i.check(before); err != nil {
		return err
	}
	var parcels []parcel
	for _, cert := range slices.Concat([]*x509.Certificate{i.Certificate}, i.Above) {
		if cert == nil {
			continue
		}
		known, err := s.knowsCertificate(ctx, cert)
		if err != nil {
			return err
		}
		if !known {
			parcels = append(parcels, parcel{serial: crl.SerialOf(cert.SerialNumber).String(), name: cert.Subject.CommonName,
				products: []ca.Product{certificateFile(cert)}, publish: true})
		}
	}
	if len(parcels) == 0 {
		return errors.New("this certificate is in the store already")
	}
	if i.Key != nil {
		parcels[0].products = append(parcels[0].products,
			ca.Product{Room: ca.Keys, Name: KeyFileName(crl.KeyID(i.Certificate)), Mode: 0o600, Data: i.Key})
	}
	if i.Certificate != nil && before.Pending != nil && before.Pending.IsAnsweredBy(i.Certificate) {
		parcels[0].remove = requestFile // whoever finds it would have it signed again
	}
	return s.deliver(ctx, parcels, func(tx *bbolt.Tx) error {
		a, err := getAuthorities(tx)
		if err != nil {
			return err
		}
		for _, root := range i.Above {
			if err := s.addRoot(tx, &a, root); err != nil {
				return err
			}
		}
		if i.Certificate != nil {
			if i.Key != nil {
				a.Keys[crl.KeyID(i.Certificate)] = KeyFileName(crl.KeyID(i.Certificate))
			}
			serial, err := s.enterAuthority(tx, i.Certificate, i.Purpose)
			if err != nil {
				return err
			}
			if err := a.adopt(tx, serial, i.Certificate); err != nil {
				return err
			}
		}
		for _, l := range i.Lists {
			if err := putList(tx, l); err != nil {
				return err
			}
		}
		return a.put(tx)
	})
}

// check refuses certificates that nobody here vouches for, and key identifiers that would have one authority stand in
// for another: by them the ledger knows keys, lists and issuers.
func (i Installation) check(before Authorities) error {
	roots := slices.Concat(before.Roots, i.Above)
	for _, root := range i.Above {
		if !isSigned(root, root) {
			return fmt.Errorf("the certificate of the root %q is not signed with its own key", root.Subject.CommonName)
		}
	}
	certs := i.Above
	if c := i.Certificate; c != nil {
		certs = append([]*x509.Certificate{c}, certs...)
		if !slices.ContainsFunc(append(roots, c), func(above *x509.Certificate) bool { return isSigned(c, above) }) {
			return fmt.Errorf("the certificate of %q is signed neither with its own key nor by a root that is known or comes with it", c.Subject.CommonName)
		}
	}
	for n, c := range certs {
		for _, other := range slices.Concat(before.All(), certs[:n]) {
			sameKey := bytes.Equal(c.RawSubjectPublicKeyInfo, other.RawSubjectPublicKeyInfo)
			switch sameID := crl.KeyID(c) == crl.KeyID(other); {
			case sameID && !sameKey:
				return fmt.Errorf("the certificate of %q has the key identifier of %q, and another key", c.Subject.CommonName, other.Subject.CommonName)
			case sameKey && !sameID:
				return fmt.Errorf("the certificate of %q is for the key of %q, and has another key identifier: its issuer has to keep that",
					c.Subject.CommonName, other.Subject.CommonName)
			case sameKey && !bytes.Equal(c.RawSubject, other.RawSubject):
				return fmt.Errorf("the certificate of %q is for the key of %q, and has another name", c.Subject.CommonName, other.Subject.CommonName)
			}
		}
	}
	return nil
}

func (s *Store) knowsCertificate(ctx context.Context, cert *x509.Certificate) (bool, error) {
	known := false
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		der := tx.Bucket(certificateBucket).Get([]byte(crl.SerialOf(cert.SerialNumber).String()))
		known = bytes.Equal(der, cert.Raw)
		return nil
	})
	return known, err
}

// enterAuthority enters the certificate of one of the store's authorities, unless it is there already.
func (s *Store) enterAuthority(tx *bbolt.Tx, cert *x509.Certificate, purpose ca.Purpose) (serial string, err error) {
	entry := ca.Entry{Certificate: cert, Name: cert.Subject.CommonName, Purpose: purpose, IssuedAt: s.o.Now()}
	entry.Generation = lastGeneration(tx.Bucket(indexBucket), entry.Name) + 1
	record := recordOf(entry)
	if tx.Bucket(serialBucket).Get([]byte(record.Serial)) != nil {
		return record.Serial, nil
	}
	if err := put(tx, record, cert.Raw); err != nil {
		return "", err
	}
	return record.Serial, s.record(tx, AuditEntry{Act: "install", Serial: record.Serial, Name: record.Name,
		Detail: fmt.Sprintf("%s, until %s", record.Purpose, record.NotAfter.Format("2006-01-02"))})
}

// addRoot enters a root that stands above the store's authority. One that was renewed takes the place of its earlier
// certificate.
func (s *Store) addRoot(tx *bbolt.Tx, a *authorities, root *x509.Certificate) error {
	serial, err := s.enterAuthority(tx, root, ca.Root)
	if err != nil || slices.Contains(a.Roots, serial) {
		return err
	}
	for i, have := range a.Roots {
		old, err := certificate(tx, have)
		if err != nil {
			return err
		}
		if crl.KeyID(old) == crl.KeyID(root) {
			a.Roots[i] = serial
			return nil
		}
	}
	a.Roots = append(a.Roots, serial)
	return nil
}

// Retire takes an earlier authority out of use, and the root above it where that has no other: devices are no longer given
// their certificates to trust, and endpoints no longer let its clients in.
func (s *Store) Retire(ctx context.Context, cert *x509.Certificate) error {
	serial := crl.SerialOf(cert.SerialNumber).String()
	return s.deliver(ctx, []parcel{{serial: "retired-" + serial, name: cert.Subject.CommonName, publish: true}}, func(tx *bbolt.Tx) error {
		a, err := getAuthorities(tx)
		if err != nil {
			return err
		}
		at := slices.Index(a.Earlier, serial)
		if at < 0 {
			return fmt.Errorf("%q is not one of the store's earlier authorities", cert.Subject.CommonName)
		}
		a.Earlier = slices.Delete(a.Earlier, at, at+1)
		if err := a.dropRoots(tx); err != nil {
			return err
		}
		if err := a.put(tx); err != nil {
			return err
		}
		return s.record(tx, AuditEntry{Act: "retire", Serial: serial, Name: cert.Subject.CommonName})
	})
}

// dropRoots lets go of roots below which no authority is left, and whose keys are elsewhere.
func (a *authorities) dropRoots(tx *bbolt.Tx) error {
	loaded, err := a.load(tx)
	if err != nil || loaded.Current == nil {
		return err
	}
	below := append([]*x509.Certificate{loaded.Current}, loaded.Earlier...)
	var kept []string
	for i, root := range loaded.Roots {
		stands := slices.ContainsFunc(below, func(c *x509.Certificate) bool { return slices.ContainsFunc(loaded.ChainOf(c), root.Equal) })
		if stands || loaded.HasKey(root) {
			kept = append(kept, a.Roots[i])
		}
	}
	a.Roots = kept
	return nil
}

// Await notes that a certificate is asked for: of a new key of the store's authority, which it keeps, or where key is
// nil, a new certificate for the key of the current one.
func (s *Store) Await(ctx context.Context, p Pending, key []byte) error {
	p.Since = s.o.Now().UTC()
	products := []ca.Product{{Room: ca.Keys, Name: requestFile, Mode: 0o644, Data: encodeRequest(p.Request), Replace: true}}
	if key != nil {
		p.KeyFile = KeyFileName(p.KeyID)
		products = append(products, ca.Product{Room: ca.Keys, Name: p.KeyFile, Mode: 0o600, Data: key})
	}
	return s.deliver(ctx, []parcel{{serial: "pending-" + p.KeyID, name: "the awaited authority", products: products}}, func(tx *bbolt.Tx) error {
		a, err := getAuthorities(tx)
		if err != nil {
			return err
		}
		if a.Pending != nil && a.Pending.KeyID != p.KeyID {
			return errors.New("another request of this authority awaits its answer: complete or cancel that one first")
		}
		if key == nil {
			current, err := certificate(tx, a.Current)
			if err != nil {
				return err
			}
			if p.KeyFile = a.Keys[crl.KeyID(current)]; p.KeyFile == "" || !p.IsAnsweredBy(current) {
				return errors.New("the request is not for the key of the store's authority")
			}
		}
		a.Pending = &p
		if err := a.put(tx); err != nil {
			return err
		}
		return s.record(tx, AuditEntry{Act: "request", Detail: "an authority's certificate for the key " + p.KeyID})
	})
}

func encodeRequest(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

// KeyFileName names the file of the key of an authority that came after the founding, by its key identifier.
func KeyFileName(keyID string) string { return "ca-" + keyID[:min(8, len(keyID))] + ".key" }
