package store

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/durable"
)

// Founding is what a new store begins with.
type Founding struct {
	Certificate *x509.Certificate // the authority's
	Key         []byte            // its key in PEM, sealed or in clear
	CRL         []byte            // its first revocation list, in PEM
	Number      *big.Int          // that list's number
}

// ExistsError says that a folder cannot become a store, since there is something in it.
type ExistsError struct {
	Dir   string
	Store bool // it is a store already
}

func (e *ExistsError) Error() string {
	if e.Store {
		return fmt.Sprintf("%s is a store already", e.Dir)
	}
	return fmt.Sprintf("%s is not empty and is no store", e.Dir)
}

// CheckFree tells by an *[ExistsError] that a folder cannot become a store. An empty folder can, and one that does not
// exist.
func CheckFree(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking into the folder for the store: %w", err)
	case len(entries) == 0:
		return nil
	}
	_, err = os.Stat(filepath.Join(dir, EndpointRoom, markFile))
	return &ExistsError{Dir: dir, Store: err == nil}
}

// Create founds a store. It is built beside its place and renamed into it when it is whole and durable, so that a kill
// leaves no half of one; what an earlier kill left there is removed.
func Create(ctx context.Context, dir string, f Founding, o Options) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("founding the store: %w", err)
	}
	if err := CheckFree(dir); err != nil {
		return err
	}
	build := filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".founding")
	guard := flock.New(build + ".lock")
	switch ok, err := guard.TryLock(); {
	case err != nil:
		return fmt.Errorf("founding the store: %w", err)
	case !ok:
		return fmt.Errorf("founding the store: another ftsca is founding one in %s at this moment", dir)
	}
	defer guard.Unlock()
	defer os.Remove(guard.Path())
	if err := os.RemoveAll(build); err != nil {
		return fmt.Errorf("removing what an interrupted founding left: %w", err)
	}
	if err := furnish(build, f, o); err != nil {
		return errors.Join(fmt.Errorf("founding the store: %w", err), os.RemoveAll(build))
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(err, os.RemoveAll(build))
	}
	// An empty folder gives way; Windows does not rename onto one. One that is no longer empty stays, and stops us.
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("founding the store: %w", err), os.RemoveAll(build))
	}
	if err := durable.Rename(build, dir); err != nil {
		return errors.Join(fmt.Errorf("founding the store: %w", err), os.RemoveAll(build))
	}
	return nil
}

// furnish fills a new folder with all that a store begins with.
func furnish(dir string, f Founding, o Options) error {
	rooms := []struct {
		path string
		mode fs.FileMode
	}{
		{dir, 0o755},
		{filepath.Join(dir, AuthorityRoom), 0o700},
		{filepath.Join(dir, AuthorityRoom, issuedDir), 0o700},
		{filepath.Join(dir, AuthorityRoom, runsDir), 0o700},
		{filepath.Join(dir, EndpointRoom), 0o750},
		{filepath.Join(dir, PackagesRoom), 0o700},
	}
	for _, r := range rooms {
		if err := durable.Mkdir(r.path, r.mode); err != nil {
			return err
		}
	}
	s := &Store{dir: dir, authority: true, o: o}
	record := recordOf(ca.Entry{Certificate: f.Certificate, Name: f.Certificate.Subject.CommonName, Generation: 1, Purpose: ca.CA, IssuedAt: o.Now()})
	marked, err := json.MarshalIndent(mark{Format: Format, Name: record.Name}, "", "  ")
	if err != nil {
		return err
	}
	empty := crl.NewList().Bytes()
	certificate := encodeCertificate(f.Certificate.Raw)
	bundle := append(certificate, f.CRL...)
	files := []struct {
		path string
		data []byte
		mode fs.FileMode
	}{
		{s.path(AuthorityRoom, keyFile), f.Key, 0o600},
		{s.path(AuthorityRoom, issuedDir, record.Serial+".pem"), certificate, 0o644},
		{s.endpoint(caFile), bundle, 0o644},
		{s.endpoint(x509File), f.CRL, 0o644},
		{s.endpoint(jsonFile), empty, 0o644},
		{s.endpoint(lastFile), empty, 0o644},
		{s.endpoint(issuedFile), nil, 0o644},
		{s.endpoint(lockFile), nil, 0o644},
		{s.endpoint(markFile), append(marked, '\n'), 0o644},
	}
	for _, file := range files {
		if err := durable.Create(file.path, file.data, file.mode); err != nil {
			return err
		}
	}
	// bbolt makes its file itself; it has to be ours, with its mode, before it does.
	path := s.path(AuthorityRoom, ledgerFile)
	if err := durable.Create(path, nil, 0o600); err != nil {
		return err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: ledgerTimeout})
	if err != nil {
		return fmt.Errorf("founding the ledger: %w", err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{metaBucket, certificateBucket, indexBucket, serialBucket, reservationBucket, stagedBucket, auditBucket} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		meta := tx.Bucket(metaBucket)
		keys := map[string][]byte{
			string(formatKey):    fmt.Append(nil, Format),
			string(authorityKey): []byte(record.Serial),
			string(numberKey):    f.Number.Bytes(),
			string(listKey):      empty,
		}
		for k, v := range keys {
			if err := meta.Put([]byte(k), v); err != nil {
				return err
			}
		}
		if err := putPublished(meta, map[string][]byte{caFile: bundle, x509File: f.CRL}); err != nil {
			return err
		}
		if err := put(tx, record, f.Certificate.Raw); err != nil {
			return err
		}
		return s.record(tx, AuditEntry{Act: "found", Serial: record.Serial, Name: record.Name, Detail: "until " + record.NotAfter.Format("2006-01-02")})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("founding the ledger: %w", err)
	}
	return nil
}
