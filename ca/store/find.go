package store

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/crl"
)

// UnknownError says that the store has no such certificate.
type UnknownError struct{ Address string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("no certificate of this store is called %q", e.Address)
}

// Records returns every certificate on record, by name and generation: from the ledger, or, where the store has no
// authority's room, from the endpoint's list of what was issued, which leaves the authority's own out.
func (s *Store) Records(ctx context.Context) ([]Record, error) {
	if !s.authority {
		return s.issued()
	}
	var records []Record
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		var values [][]byte
		err := tx.Bucket(indexBucket).ForEach(func(_, v []byte) error {
			values = append(values, v)
			return nil
		})
		if err != nil {
			return err
		}
		records, err = s.decodeRecords(values)
		return err
	})
	return records, err
}

// decodeRecords decodes values of the index within their transaction, on all cores: to decode them takes most of the
// time that a list of many certificates takes.
func (s *Store) decodeRecords(values [][]byte) ([]Record, error) {
	records := make([]Record, len(values))
	share := max(256, (len(values)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	errs := make([]error, (len(values)+share-1)/share)
	var lanes sync.WaitGroup
	for lane := range errs {
		lanes.Go(func() {
			errs[lane] = s.guard(func() error {
				for i := lane * share; i < min((lane+1)*share, len(values)); i++ {
					var err error
					if records[i], err = decodeRecord(values[i]); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	lanes.Wait()
	return records, errors.Join(errs...)
}

// Find returns the certificates that an address means: a name (all its generations), NAME#GENERATION, or a serial in
// any spelling that [crl.ParseSerial] takes. The error is an *[UnknownError] where there is none.
func (s *Store) Find(ctx context.Context, address string) ([]Record, error) {
	if !s.authority {
		records, err := s.issued()
		if err != nil {
			return nil, err
		}
		return match(records, address)
	}
	var found []Record
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		var err error
		found, err = lookUp(tx, address)
		return err
	})
	return found, err
}

// FindListed is [Store.Find] by the endpoint's list of what was issued: for when the ledger cannot be read.
func (s *Store) FindListed(address string) ([]Record, error) {
	records, err := s.issued()
	if err != nil {
		return nil, err
	}
	return match(records, address)
}

// Listed returns the endpoint's list of what was issued: for when the ledger cannot be read.
func (s *Store) Listed() ([]Record, error) { return s.issued() }

// lookUp resolves an address in the ledger without reading the whole index.
func lookUp(tx *bbolt.Tx, address string) ([]Record, error) {
	index := tx.Bucket(indexBucket)
	var found []Record
	prefix := append([]byte(address), 0)
	c := index.Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		r, err := decodeRecord(v)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	if len(found) > 0 {
		return found, nil
	}
	if name, generation, ok := splitGeneration(address); ok {
		if v := index.Get(indexKey(name, generation)); v != nil {
			r, err := decodeRecord(v)
			return []Record{r}, err
		}
	}
	if serial, err := crl.ParseSerial(address); err == nil {
		if key := tx.Bucket(serialBucket).Get([]byte(serial.String())); key != nil {
			r, err := decodeRecord(index.Get(key))
			return []Record{r}, err
		}
	}
	return nil, &UnknownError{Address: address}
}

// match resolves an address among records, by the same order of meanings as lookUp.
func match(records []Record, address string) ([]Record, error) {
	name, generation, numbered := splitGeneration(address)
	serial, err := crl.ParseSerial(address)
	meanings := []func(Record) bool{
		func(r Record) bool { return r.Name == address },
		func(r Record) bool { return numbered && r.Name == name && r.Generation == generation },
		func(r Record) bool { return err == nil && r.Serial == serial.String() },
	}
	for _, means := range meanings {
		var found []Record
		for _, r := range records {
			if means(r) {
				found = append(found, r)
			}
		}
		if len(found) > 0 {
			return found, nil
		}
	}
	return nil, &UnknownError{Address: address}
}

func splitGeneration(address string) (name string, generation int, ok bool) {
	i := strings.LastIndexByte(address, '#')
	if i < 1 {
		return "", 0, false
	}
	generation, err := strconv.Atoi(address[i+1:])
	return address[:i], generation, err == nil && generation > 0
}

// Certificate returns an issued certificate, or the authority's own, by its serial.
func (s *Store) Certificate(ctx context.Context, serial string) (*x509.Certificate, error) {
	var cert *x509.Certificate
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		var err error
		cert, err = certificate(tx, serial)
		return err
	})
	return cert, err
}

func certificate(tx *bbolt.Tx, serial string) (*x509.Certificate, error) {
	der := tx.Bucket(certificateBucket).Get([]byte(serial))
	if der == nil {
		return nil, &UnknownError{Address: serial}
	}
	// The bytes are the transaction's and end with it.
	cert, err := x509.ParseCertificate(bytes.Clone(der))
	if err != nil {
		return nil, fmt.Errorf("reading certificate %s from the ledger: %w", serial, err)
	}
	return cert, nil
}

// issued reads the endpoint's list of what was issued. A line that a kill cut short, or repeated, is passed over.
func (s *Store) issued() ([]Record, error) {
	data, err := os.ReadFile(s.endpoint(issuedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was issued: %w", err)
	}
	var records []Record
	seen := map[string]bool{}
	for line := range bytes.Lines(data) {
		var r Record
		if r, err = decodeRecord(line); err != nil || seen[r.Serial] {
			continue
		}
		seen[r.Serial] = true
		records = append(records, r)
	}
	return records, nil
}
