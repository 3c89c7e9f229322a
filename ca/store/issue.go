package store

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

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
func (s *Store) Reserve(ctx context.Context, c ca.Claim) (ca.Reservation, error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return ca.Reservation{}, err
	}
	defer unlock()
	if err := errors.Join(s.alive(), s.recover()); err != nil {
		return ca.Reservation{}, err
	}
	var r ca.Reservation
	err = s.change(func(tx *bbolt.Tx) error {
		last := lastGeneration(tx.Bucket(indexBucket), c.Name)
		held := lastGeneration(tx.Bucket(reservationBucket), c.Name)
		switch {
		case last > 0 && !c.NewGeneration:
			return &ca.NameInUseError{Name: c.Name, Generation: last}
		case held > 0:
			return &ca.NameInUseError{Name: c.Name, Generation: last, Reserved: true}
		}
		r = ca.Reservation{Name: c.Name, Generation: last + 1, Latest: latest(tx)}
		data, err := json.Marshal(claim{Run: s.run})
		if err != nil {
			return err
		}
		return tx.Bucket(reservationBucket).Put(indexKey(r.Name, r.Generation), data)
	})
	if err != nil {
		return ca.Reservation{}, fmt.Errorf("reserving the name: %w", err)
	}
	return r, nil
}

// Release implements [ca.Ledger].
func (s *Store) Release(ctx context.Context, r ca.Reservation) error {
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		key := indexKey(r.Name, r.Generation)
		if !s.holds(tx, key) {
			return nil // it was committed after all
		}
		return tx.Bucket(reservationBucket).Delete(key)
	})
	if err != nil {
		return fmt.Errorf("giving the name %q back: %w", r.Name, err)
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
	promised := make([]promise, len(deliveries))
	for i, d := range deliveries {
		serial := crl.SerialOf(d.Entry.Certificate.SerialNumber).String()
		certificate := ca.Product{Room: ca.Issued, Name: serial + ".pem", Mode: 0o644, Data: encodeCertificate(d.Entry.Certificate.Raw)}
		files, err := s.stage(append(d.Products, certificate))
		promised[i] = promise{Run: s.run, Serial: serial, Name: d.Entry.Name, Files: files}
		if err != nil {
			return errors.Join(err, s.unstage(promised[:i+1]))
		}
	}
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return errors.Join(err, s.unstage(promised))
	}
	defer unlock()
	err = s.checkFree(promised)
	if err == nil {
		err = s.change(func(tx *bbolt.Tx) error {
			for i, d := range deliveries {
				if err := s.enter(tx, d, promised[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return errors.Join(fmt.Errorf("recording the certificate: %w", err), s.unstage(promised))
	}
	for _, p := range promised {
		if err := s.keepPromise(p); err != nil {
			return &UnfinishedError{Name: p.Name, Err: err}
		}
	}
	return nil
}

// enter writes one delivery to the ledger.
func (s *Store) enter(tx *bbolt.Tx, d ca.Delivery, p promise) error {
	key := indexKey(d.Reservation.Name, d.Reservation.Generation)
	if !s.holds(tx, key) {
		return fmt.Errorf("the reservation of %q is gone", d.Reservation.Name)
	}
	if err := tx.Bucket(reservationBucket).Delete(key); err != nil {
		return err
	}
	record := recordOf(d.Entry)
	for _, product := range d.Products {
		if product.Room == ca.Packages {
			record.Package = product.Name
		}
	}
	if err := put(tx, record, d.Entry.Certificate.Raw); err != nil {
		return err
	}
	staged, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := tx.Bucket(stagedBucket).Put([]byte(p.Serial), staged); err != nil {
		return err
	}
	return s.record(tx, AuditEntry{Act: "issue", Serial: record.Serial, Name: record.Name,
		Detail: fmt.Sprintf("%s, generation %d, until %s", record.Purpose, record.Generation, record.NotAfter.Format("2006-01-02")) + remark(d.Entry.Remark)})
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
