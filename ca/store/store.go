package store

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
)

// Format is the number of the store's format that this program writes, and the highest that it reads.
const Format = 1

// DefaultLockWait is how long a command waits for another one that holds the store's lock.
const DefaultLockWait = 10 * time.Second

// Names of the rooms and files of a store, as FreeTAKServer has them where it has one.
const (
	AuthorityRoom = "authority"
	EndpointRoom  = "endpoint"
	PackagesRoom  = "clientPackages"

	ledgerFile  = "ledger.db"
	keyFile     = "ca.key"
	rootKeyFile = "root.key"
	requestFile = "ca.csr"
	issuedDir   = "issued"
	runsDir     = "runs"

	markFile = "store.json"
	lockFile = "store.lock"
	caFile   = "ca.pem"
	jsonFile = "FTS_CRL.json"
	x509File = "FTS_CRL.pem"
	lastFile = ".FTS_CRL.last"

	// releasedFile tells a running endpoint what was removed from the list for good: without it, an entry that is gone
	// stays in force. It has the form of FTS_CRL.json, and its dates say until when a revocation counts no more.
	releasedFile = ".FTS_CRL.removed"

	issuedFile = "issued.jsonl"

	packageExt = ".zip"
)

// Store is an open store. Its methods may be called from several goroutines, and beside other processes.
type Store struct {
	dir       string
	name      string // the authority's common name, for people
	authority bool
	o         Options

	turn chan struct{} // has a place for one of this process's goroutines, while it waits for the lock and holds it
	book book

	mu   sync.Mutex
	run  string       // names this process's staged files
	live *flock.Flock // held while this process may have staged files
	owes bool         // files that this process has promised are not in place

	faulted atomic.Pointer[DamagedError] // what bbolt faulted on
}

// Options are what a store needs to know of its surroundings.
type Options struct {
	LockWait    time.Duration    // how long to wait for the lock; zero means DefaultLockWait
	Now         func() time.Time // required
	By          string           // who acts, for the audit trail
	Remark      string           // what the audit trail shall say of every act besides, such as that the time was set by hand
	Built       time.Time        // when the program was built; zero where that is not known
	IgnoreClock bool             // sign although the clock cannot be right
}

func (o Options) clock() ca.Clock { return ca.Clock{Now: o.Now, Built: o.Built, Ignore: o.IgnoreClock} }

// NoStoreError says that a folder is no store.
type NoStoreError struct {
	Dir    string
	Reason string
}

func (e *NoStoreError) Error() string {
	return fmt.Sprintf("%s is no ftsca store: %s", e.Dir, e.Reason)
}

// NewerFormatError says that a store was written by a newer ftsca.
type NewerFormatError struct {
	Dir    string
	Format int
}

func (e *NewerFormatError) Error() string {
	return fmt.Sprintf("the store %s has format %d, and this ftsca reads formats up to %d", e.Dir, e.Format, Format)
}

// ErrNoAuthority is returned for what needs the authority's room where there is only an endpoint's.
var ErrNoAuthority = errors.New("this store has no authority/ room: it serves, lists and revokes, and issues nothing")

// mark is what makes a folder an endpoint room of ours.
type mark struct {
	Format int    `json:"format"`
	Name   string `json:"authority"` // the authority's common name, for people
}

// Open opens the store in a folder, which it never creates. The errors are *[NoStoreError], *[NewerFormatError], or
// those of reading the folder.
func Open(dir string, o Options) (*Store, error) {
	if o.LockWait == 0 {
		o.LockWait = DefaultLockWait
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the store: %w", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, EndpointRoom, markFile))
	if errors.Is(err, fs.ErrNotExist) {
		reason := "it has no " + filepath.Join(EndpointRoom, markFile)
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			reason = "there is no such folder"
		} else if _, err := os.Stat(filepath.Join(dir, markFile)); err == nil {
			reason = "it is the endpoint room of one: name the folder that it lies in"
		}
		return nil, &NoStoreError{Dir: dir, Reason: reason}
	}
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	var m mark
	if err := json.Unmarshal(data, &m); err != nil || m.Format < 1 {
		return nil, &NoStoreError{Dir: dir, Reason: "its " + filepath.Join(EndpointRoom, markFile) + " is damaged"}
	}
	if m.Format > Format {
		return nil, &NewerFormatError{Dir: dir, Format: m.Format}
	}
	s := &Store{dir: dir, name: m.Name, o: o, turn: make(chan struct{}, 1), run: rand.Text()[:12]}
	_, err = os.Stat(filepath.Join(dir, AuthorityRoom))
	switch {
	case err == nil:
		s.authority = true
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return s, nil
}

// Close ends this process's claim on what it has staged. A process that is killed needs no Close.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live == nil {
		return nil
	}
	// The file goes before the lock: whoever finds the file may take it for a dead process's. So it is to be taken where
	// something has to be completed.
	var err error
	if !s.owes {
		err = os.Remove(s.live.Path())
	}
	err = errors.Join(err, s.live.Unlock())
	s.live = nil
	if err != nil {
		return fmt.Errorf("closing the store: %w", err)
	}
	return nil
}

// RequestFile returns the path of the request whose answer the authority of the store in dir awaits.
func RequestFile(dir string) string { return filepath.Join(dir, AuthorityRoom, requestFile) }

// CheckClock tells by a *[ca.ClockError] that the clock cannot be right.
func (s *Store) CheckClock(ctx context.Context) error {
	return s.view(ctx, func(tx *bbolt.Tx) error {
		_, err := s.o.clock().Check(latest(tx))
		return err
	})
}

// CertificateFile returns the path, within authority/, of an issued certificate.
func CertificateFile(cert *x509.Certificate) string {
	return filepath.Join(issuedDir, crl.SerialOf(cert.SerialNumber).String()+".pem")
}

// Dir returns the store's folder, absolute.
func (s *Store) Dir() string { return s.dir }

// Name returns the common name of the authority with which the store began, for people.
func (s *Store) Name() string { return s.name }

// Endpoint returns the endpoint room's folder.
func (s *Store) Endpoint() string { return filepath.Join(s.dir, EndpointRoom) }

// Packages returns the folder of the client packages.
func (s *Store) Packages() string { return s.path(PackagesRoom) }

// HasAuthority tells whether the store has the authority's room, and so can issue.
func (s *Store) HasAuthority() bool { return s.authority }

func (s *Store) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

func (s *Store) endpoint(name string) string { return s.path(EndpointRoom, name) }
