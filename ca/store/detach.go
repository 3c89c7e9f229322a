package store

import (
	"context"
	"crypto/x509"
	"errors"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
)

// Split returns what a store of the root's own begins with: its certificate, its last revocation list, the certificates
// that it issued and what of them is revoked. The key is left to the caller.
func (s *Store) Split(ctx context.Context, root *x509.Certificate) (Founding, error) {
	f := Founding{Authorities: []Founder{{Certificate: root, Purpose: ca.Root}}}
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		list, err := getList(tx, root)
		if err != nil {
			return err
		}
		if f.Authorities[0].List, err = list.appendPEM(nil); err != nil {
			return err
		}
		return tx.Bucket(indexBucket).ForEach(func(_, v []byte) error {
			r, err := decodeRecord(v)
			if err != nil || r.Issuer != crl.KeyID(root) || r.Purpose == ca.Root {
				return err
			}
			cert, err := certificate(tx, r.Serial)
			if err != nil {
				return err
			}
			f.Issued = append(f.Issued, ca.Entry{Certificate: cert, Name: r.Name, Generation: r.Generation, Purpose: r.Purpose, IssuedAt: r.IssuedAt})
			return nil
		})
	})
	if err != nil {
		return f, err
	}
	// What nobody knows stands on the root's list, too, and must not go from it.
	of, unknown, err := s.RevokedOf(ctx, root)
	f.Revoked = append(of, unknown...)
	return f, err
}

// Detach removes the key of a root from the store. What it has signed stays. After a kill it may be run again.
func (s *Store) Detach(ctx context.Context, root *x509.Certificate) error {
	serial, name := crl.SerialOf(root.SerialNumber).String(), ""
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		kept, err := getAuthorities(tx)
		name = kept.Keys[crl.KeyID(root)] // be its file there or not
		return err
	})
	if err != nil {
		return err
	}
	if name == "" {
		return errors.New("the root's key is not in this store")
	}
	// A promise: neither may the ledger know a key that is gone, nor a key be left that the ledger has forgotten.
	return s.deliver(ctx, []parcel{{serial: "detached-" + serial, name: root.Subject.CommonName, remove: name}}, func(tx *bbolt.Tx) error {
		a, err := getAuthorities(tx)
		if err != nil {
			return err
		}
		if a.Keys[crl.KeyID(root)] != name {
			return errors.New("the root's key is not in this store any more")
		}
		delete(a.Keys, crl.KeyID(root))
		if err := a.put(tx); err != nil {
			return err
		}
		return s.record(tx, AuditEntry{Act: "detach", Serial: serial, Name: root.Subject.CommonName})
	})
}
