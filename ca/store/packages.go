package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/internal/durable"
)

// passwordExt ends the name of the file with a client's password.
const passwordExt = ".password.txt"

// IsPackage tells by its name whether a file of clientPackages/ is a package.
func IsPackage(name string) bool { return strings.HasSuffix(name, packageExt) }

// PasswordFile names the file with the password of a package, which lies beside it where a roster was issued.
func PasswordFile(pkg string) string { return strings.TrimSuffix(pkg, packageExt) + passwordExt }

// Repack puts new packages of a certificate in the place of those it has, in one act with what the ledger knows of them.
func (s *Store) Repack(ctx context.Context, r Record, products []ca.Product) error {
	var names []string
	for _, p := range products {
		if IsPackage(p.Name) {
			names = append(names, p.Name)
		}
	}
	p := parcel{serial: "packages-" + r.Serial, name: r.Name, products: products}
	err := s.deliver(ctx, []parcel{p}, func(tx *bbolt.Tx) error {
		return s.changeRecord(tx, r, "package", func(kept *Record) {
			kept.Packages, kept.Hosts, kept.Families = names, r.Hosts, r.Families
		})
	})
	if err != nil {
		return err
	}
	// What the new packages do not replace would let devices connect to where the server no longer is.
	var stale []string
	for _, name := range r.Packages {
		if !contained(names, name) {
			stale = append(stale, s.path(PackagesRoom, name))
		}
	}
	return durable.RemoveAll(stale)
}

// Deliver notes that the packages of certificates have been handed over.
func (s *Store) Deliver(ctx context.Context, records []Record) error {
	return s.update(ctx, func(tx *bbolt.Tx) error {
		var errs []error
		for _, r := range records {
			errs = append(errs, s.changeRecord(tx, r, "delivered", func(kept *Record) { kept.Delivered = s.o.Now().UTC() }))
		}
		return errors.Join(errs...)
	})
}

// Purge removes the packages of certificates, and the files with their passwords: each package is its client's key.
func (s *Store) Purge(ctx context.Context, records []Record) (removed []string, err error) {
	err = s.update(ctx, func(tx *bbolt.Tx) error {
		removed = nil
		for _, r := range records {
			if len(r.Packages) == 0 {
				continue
			}
			if err := s.changeRecord(tx, r, "purge", func(kept *Record) { kept.Packages = nil }, r.Packages...); err != nil {
				return err
			}
			for _, name := range r.Packages {
				removed = append(removed, s.path(PackagesRoom, name), s.path(PackagesRoom, PasswordFile(name)))
			}
		}
		// Within the transaction: what could not be removed stays on record.
		return durable.RemoveAll(removed)
	})
	if err != nil {
		return nil, fmt.Errorf("removing packages: %w", err)
	}
	return removed, nil
}

// changeRecord changes what the ledger says of a certificate, and the audit trail has it, with the packages that it has
// then and those that are gone.
func (s *Store) changeRecord(tx *bbolt.Tx, of Record, act string, change func(*Record), gone ...string) error {
	key := indexKey(of.Name, of.Generation)
	data := tx.Bucket(indexBucket).Get(key)
	if data == nil {
		return &UnknownError{Address: of.Serial}
	}
	r, err := decodeRecord(data)
	if err != nil {
		return err
	}
	change(&r)
	if data, err = json.Marshal(r); err != nil {
		return err
	}
	if err := tx.Bucket(indexBucket).Put(key, data); err != nil {
		return err
	}
	return s.record(tx, AuditEntry{Act: act, Serial: r.Serial, Name: r.Name, Detail: strings.Join(append(gone, r.Packages...), " ")})
}

func contained(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}
