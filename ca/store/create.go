package store

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/durable"
)

// Founding is what a new store begins with: authorities, or the request of one.
type Founding struct {
	Authorities []Founder // the one that issues first, its root behind it
	Pending     *Pending  // where no authority is given: the request, whose key is PendingKey; its KeyFile and Since are set here
	PendingKey  []byte    // in PEM, sealed or in clear
	Name        string    // of the pending authority

	// What the first of the authorities issued elsewhere, and what is revoked of it: a root that was split off.
	Issued  []ca.Entry
	Revoked []crl.Entry
}

// Founder is an authority with which a store begins.
type Founder struct {
	Certificate *x509.Certificate
	Purpose     ca.Purpose // single, root or issuing
	Key         []byte     // in PEM, sealed or in clear
	List        []byte     // its first revocation list, in PEM
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
	name := f.Name
	if len(f.Authorities) > 0 {
		name = f.Authorities[0].Certificate.Subject.CommonName
	}
	marked, err := json.MarshalIndent(mark{Format: Format, Name: name}, "", "  ")
	if err != nil {
		return err
	}
	revoked := listOf(f.Revoked)
	files := []durable.File{
		{Name: s.endpoint(jsonFile), Data: revoked.Bytes(), Mode: 0o644},
		{Name: s.endpoint(lastFile), Data: revoked.Bytes(), Mode: 0o644},
		{Name: s.endpoint(issuedFile), Mode: 0o644},
		{Name: s.endpoint(lockFile), Mode: 0o644},
		{Name: s.endpoint(markFile), Data: append(marked, '\n'), Mode: 0o644},
		// bbolt makes its file itself; it has to be ours, with its mode, before it does.
		{Name: s.path(AuthorityRoom, ledgerFile), Mode: 0o600},
	}
	for _, founder := range f.Authorities {
		serial := crl.SerialOf(founder.Certificate.SerialNumber).String()
		files = append(files,
			durable.File{Name: s.path(AuthorityRoom, founder.keyFile()), Data: founder.Key, Mode: 0o600},
			durable.File{Name: s.path(AuthorityRoom, issuedDir, serial+".pem"), Data: encodeCertificate(founder.Certificate.Raw), Mode: 0o644})
	}
	for _, e := range f.Issued {
		files = append(files, durable.File{Name: s.path(AuthorityRoom, issuedDir, crl.SerialOf(e.Certificate.SerialNumber).String()+".pem"),
			Data: encodeCertificate(e.Certificate.Raw), Mode: 0o644})
	}
	if f.Pending != nil {
		f.Pending.KeyFile, f.Pending.Since = keyFile, o.Now().UTC()
		files = append(files,
			durable.File{Name: s.path(AuthorityRoom, keyFile), Data: f.PendingKey, Mode: 0o600},
			durable.File{Name: RequestFile(dir), Data: encodeRequest(f.Pending.Request), Mode: 0o644})
	}
	if err := durable.Stage(files); err != nil {
		return err
	}
	return s.foundLedger(f, revoked)
}

// keyFile names the file of the authority's key.
func (f Founder) keyFile() string {
	if f.Purpose == ca.Root {
		return rootKeyFile
	}
	return keyFile
}

// foundLedger fills the ledger with what the store begins with, and publishes what is derived from it.
func (s *Store) foundLedger(f Founding, revoked *crl.List) error {
	db, err := bbolt.Open(s.path(AuthorityRoom, ledgerFile), 0o600, &bbolt.Options{Timeout: ledgerTimeout})
	if err != nil {
		return fmt.Errorf("founding the ledger: %w", err)
	}
	var derived map[string][]byte
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{metaBucket, certificateBucket, indexBucket, serialBucket, reservationBucket, stagedBucket, auditBucket, listBucket, lastBucket, answerBucket} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		meta := tx.Bucket(metaBucket)
		if err := meta.Put(formatKey, fmt.Append(nil, Format)); err != nil {
			return err
		}
		if err := putLast(tx, sha256.Sum256(revoked.Bytes()), revoked.Entries()); err != nil {
			return err
		}
		kept := authorities{Keys: map[string]string{}, Pending: f.Pending}
		for i, founder := range f.Authorities {
			if err := s.enterFounder(tx, founder, &kept, i == 0); err != nil {
				return err
			}
		}
		for _, e := range f.Issued {
			if err := put(tx, recordOf(e), e.Certificate.Raw); err != nil {
				return err
			}
		}
		if f.Pending != nil {
			if err := s.record(tx, AuditEntry{Act: "request", Name: f.Name, Detail: "an authority's certificate for the key " + f.Pending.KeyID}); err != nil {
				return err
			}
		}
		if err := kept.put(tx); err != nil {
			return err
		}
		if derived, err = s.compose(tx); err != nil {
			return err
		}
		return putPublished(meta, derived)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("founding the ledger: %w", err)
	}
	return s.writePublished(derived)
}

func (s *Store) enterFounder(tx *bbolt.Tx, f Founder, kept *authorities, current bool) error {
	record := recordOf(ca.Entry{Certificate: f.Certificate, Name: f.Certificate.Subject.CommonName, Generation: 1, Purpose: f.Purpose, IssuedAt: s.o.Now()})
	if err := put(tx, record, f.Certificate.Raw); err != nil {
		return err
	}
	kept.Keys[crl.KeyID(f.Certificate)] = f.keyFile()
	if current {
		kept.Current = record.Serial
	} else {
		kept.Roots = append(kept.Roots, record.Serial)
	}
	if err := putList(tx, SignedList{Authority: f.Certificate, PEM: f.List}); err != nil {
		return err
	}
	return s.record(tx, AuditEntry{Act: "found", Serial: record.Serial, Name: record.Name,
		Detail: fmt.Sprintf("%s, until %s", record.Purpose, record.NotAfter.Format("2006-01-02"))})
}
