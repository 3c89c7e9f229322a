package store

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
)

// claim is a reservation as the ledger keeps it.
type claim struct {
	Run string `json:"run"` // the process that holds it
}

// UnfinishedError says that a certificate stands in the ledger, and that its files are not all in place yet. The next
// command that writes to the store completes them.
type UnfinishedError struct {
	Name string
	Err  error
}

func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("the certificate of %q is recorded, but its files are not all in place: %v", e.Name, e.Err)
}

// Unwrap returns what went wrong with the files.
func (e *UnfinishedError) Unwrap() error { return e.Err }

// Reserve implements [ca.Ledger].
func (s *Store) Reserve(ctx context.Context, claims []ca.Claim) ([]ca.Reservation, error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := errors.Join(s.alive(), s.recover()); err != nil {
		return nil, err
	}
	reservations := make([]ca.Reservation, len(claims))
	err = s.change(func(tx *bbolt.Tx) error {
		data, err := json.Marshal(claim{Run: s.run})
		if err != nil {
			return err
		}
		for i, c := range claims {
			last := lastGeneration(tx.Bucket(indexBucket), c.Name)
			held := lastGeneration(tx.Bucket(reservationBucket), c.Name)
			switch {
			case last > 0 && !c.NewGeneration:
				return &ca.NameInUseError{Name: c.Name, Generation: last}
			case held > 0:
				return &ca.NameInUseError{Name: c.Name, Generation: last, Reserved: true}
			}
			reservations[i] = ca.Reservation{Name: c.Name, Generation: last + 1, Latest: latest(tx)}
			if err := tx.Bucket(reservationBucket).Put(indexKey(c.Name, last+1), data); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reserving the name: %w", err)
	}
	return reservations, nil
}

// Release implements [ca.Ledger].
func (s *Store) Release(ctx context.Context, reservations []ca.Reservation) error {
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		for _, r := range reservations {
			key := indexKey(r.Name, r.Generation)
			if !s.holds(tx, key) {
				continue // it was committed after all
			}
			if err := tx.Bucket(reservationBucket).Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("giving reserved names back: %w", err)
	}
	return nil
}

// holds tells whether this process holds the reservation under a key.
func (s *Store) holds(tx *bbolt.Tx, key []byte) bool {
	var c claim
	data := tx.Bucket(reservationBucket).Get(key)
	return data != nil && json.Unmarshal(data, &c) == nil && c.Run == s.run
}

// lastGeneration finds the highest generation of a name in a bucket of index keys; zero means none.
func lastGeneration(b *bbolt.Bucket, name string) int {
	last := 0
	prefix := append([]byte(name), 0)
	c := b.Cursor()
	for k, _ := c.Seek(prefix); k != nil && len(k) == len(prefix)+4 && string(k[:len(prefix)]) == string(prefix); k, _ = c.Next() {
		last = int(uint32(k[len(k)-4])<<24 | uint32(k[len(k)-3])<<16 | uint32(k[len(k)-2])<<8 | uint32(k[len(k)-1]))
	}
	return last
}

// Commit implements [ca.Ledger]. An *[UnfinishedError] says that the certificates are issued although files wait.
func (s *Store) Commit(ctx context.Context, deliveries []ca.Delivery) error {
	parcels := make([]parcel, len(deliveries))
	for i, d := range deliveries {
		cert := d.Entry.Certificate
		parcels[i] = parcel{serial: crl.SerialOf(cert.SerialNumber).String(), name: d.Entry.Name,
			products: append(d.Products, certificateFile(cert))}
		parcels[i].publish = d.Entry.Purpose.IsAuthority()
	}
	err := s.deliver(ctx, parcels, func(tx *bbolt.Tx) error {
		for _, d := range deliveries {
			if err := s.enter(tx, d); err != nil {
				return err
			}
		}
		return nil
	})
	var unfinished *UnfinishedError
	if err != nil && !errors.As(err, &unfinished) {
		return fmt.Errorf("recording the certificate: %w", err)
	}
	return err
}

func certificateFile(cert *x509.Certificate) ca.Product {
	return ca.Product{Room: ca.Issued, Name: crl.SerialOf(cert.SerialNumber).String() + ".pem", Mode: 0o644, Data: encodeCertificate(cert.Raw)}
}

// enter writes one delivery to the ledger.
func (s *Store) enter(tx *bbolt.Tx, d ca.Delivery) error {
	key := indexKey(d.Reservation.Name, d.Reservation.Generation)
	if !s.holds(tx, key) {
		return fmt.Errorf("the reservation of %q is gone", d.Reservation.Name)
	}
	if err := tx.Bucket(reservationBucket).Delete(key); err != nil {
		return err
	}
	record := recordOf(d.Entry)
	for _, product := range d.Products {
		if product.Room == ca.Packages && IsPackage(product.Name) {
			record.Packages = append(record.Packages, product.Name)
		}
	}
	if err := put(tx, record, d.Entry.Certificate.Raw); err != nil {
		return err
	}
	if !d.Entry.RetireEarlier.IsZero() {
		if err := retireEarlier(tx, record, d.Entry.RetireEarlier); err != nil {
			return err
		}
	}
	if d.Entry.Purpose == ca.Issuing {
		if err := adoptOurs(tx, d); err != nil {
			return err
		}
	}
	return s.record(tx, AuditEntry{Act: "issue", Serial: record.Serial, Name: record.Name,
		Detail: fmt.Sprintf("%s, generation %d, until %s", record.Purpose, record.Generation, record.NotAfter.Format("2006-01-02")) + remark(d.Entry.Remark)})
}

// retireEarlier notes when the earlier generations of a name are to be revoked, unless an earlier renewal has said sooner.
func retireEarlier(tx *bbolt.Tx, of Record, at time.Time) error {
	index := tx.Bucket(indexBucket)
	for generation := 1; generation < of.Generation; generation++ {
		key := indexKey(of.Name, generation)
		data := index.Get(key)
		if data == nil {
			continue
		}
		r, err := decodeRecord(data)
		if err != nil {
			return err
		}
		if !r.RevokeAt.IsZero() && !at.Before(r.RevokeAt) {
			continue
		}
		r.RevokeAt = at.UTC()
		if data, err = json.Marshal(r); err != nil {
			return err
		}
		if err := index.Put(key, data); err != nil {
			return err
		}
	}
	return nil
}

// adoptOurs makes an authority that a root of this store has issued the current one, where its key is the store's: it
// was renewed, or its key came with it. Others' authorities are issued like any certificate.
func adoptOurs(tx *bbolt.Tx, d ca.Delivery) error {
	a, err := getAuthorities(tx)
	if err != nil {
		return err
	}
	id := crl.KeyID(d.Entry.Certificate)
	for _, product := range d.Products {
		if product.Room == ca.Keys {
			a.Keys[id] = product.Name
		}
	}
	if a.Keys[id] == "" {
		return nil
	}
	if err := a.adopt(tx, crl.SerialOf(d.Entry.Certificate.SerialNumber).String(), d.Entry.Certificate); err != nil {
		return err
	}
	return a.put(tx)
}

func remark(s string) string {
	if s == "" {
		return ""
	}
	return "; " + s
}

// put enters a certificate into the index and beside it.
func put(tx *bbolt.Tx, r Record, der []byte) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	serial, key := []byte(r.Serial), indexKey(r.Name, r.Generation)
	if tx.Bucket(serialBucket).Get(serial) != nil {
		return fmt.Errorf("the serial %s is already in the ledger", r.Serial)
	}
	if err := tx.Bucket(certificateBucket).Put(serial, der); err != nil {
		return err
	}
	if err := tx.Bucket(serialBucket).Put(serial, key); err != nil {
		return err
	}
	return tx.Bucket(indexBucket).Put(key, data)
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
