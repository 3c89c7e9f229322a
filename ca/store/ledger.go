package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	jsonv2 "github.com/go-json-experiment/json" // reads a hundred thousand records in a third of the time
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
)

// The ledger's buckets.
var (
	metaBucket        = []byte("meta")         // the keys below
	certificateBucket = []byte("certificates") // serial: DER
	indexBucket       = []byte("index")        // name, 0, generation: Record
	serialBucket      = []byte("serials")      // serial: key of the index
	reservationBucket = []byte("reservations") // name, 0, generation: claim
	stagedBucket      = []byte("staged")       // serial: files that a commit promised and that may not be in place yet
	auditBucket       = []byte("audit")        // number: entry of the audit trail
	answerBucket      = []byte("answers")      // SHA-256 of a request's manifest: that of the answer this store gave
	listBucket        = []byte("lists")        // key identifier of an authority: its last revocation list
	lastBucket        = []byte("last")         // the last good revocation list; not in meta, since bbolt writes anew what lies beside a value
)

// Keys of the meta bucket.
var (
	formatKey      = []byte("format")
	authoritiesKey = []byte("authorities") // those of this store
	latestKey      = []byte("latest")      // time of the last entry
	listKey        = []byte("revoked")     // the last good revocation list, in the JSON form, of ledgers without lastBucket
	releasedKey    = []byte("released")    // what was removed from that list for good, in the same form
	publishedKey   = []byte("published")   // file name: SHA-256 of what was last published
	headKey        = []byte("audit-head")
)

// Keys of the last bucket.
var (
	entriesKey = []byte("entries") // as crl.AppendEntries writes them
	sumKey     = []byte("sum")     // SHA-256 of the list in the JSON form
)

// DamagedError says that the ledger's file cannot be read as one.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the ledger %s is damaged: %v", e.Path, e.Err)
}

// Unwrap returns what the reader of the file said.
func (e *DamagedError) Unwrap() error { return e.Err }

// Record is what the index says of a certificate. It holds no secret.
type Record struct {
	Name       string     `json:"name"`
	Generation int        `json:"generation"`
	Purpose    ca.Purpose `json:"purpose"`
	Serial     string     `json:"serial"` // as crl.Serial writes it
	Issuer     string     `json:"issuer"` // key identifier of the authority that issued it, in hex
	NotBefore  time.Time  `json:"not_before"`
	NotAfter   time.Time  `json:"not_after"`
	IssuedAt   time.Time  `json:"issued_at"`
	Groups     []string   `json:"groups,omitempty"`
	Hosts      []string   `json:"hosts,omitempty"`
	Families   []string   `json:"families,omitempty"` // the clients that its packages are for
	Packages   []string   `json:"packages,omitempty"` // files in clientPackages/
	Delivered  time.Time  `json:"delivered,omitzero"` // when they were handed over
	Contact    string     `json:"contact,omitempty"`
	Mark       string     `json:"mark,omitempty"`     // by what a roster knows its row again
	RevokeAt   time.Time  `json:"revoke_at,omitzero"` // when it is to be revoked, a later generation having taken its place
}

func recordOf(e ca.Entry) Record {
	return Record{
		Name: e.Name, Generation: e.Generation, Purpose: e.Purpose, Groups: e.Groups, Hosts: e.Hosts, Families: e.Families, Contact: e.Contact, Mark: e.Mark,
		Serial: crl.SerialOf(e.Certificate.SerialNumber).String(), Issuer: issuerID(e.Certificate),
		NotBefore: e.Certificate.NotBefore.UTC(), NotAfter: e.Certificate.NotAfter.UTC(),
		IssuedAt: e.IssuedAt.UTC(),
	}
}

func decodeRecord(data []byte) (r Record, err error) {
	if err := jsonv2.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("reading the ledger's index: %w", err)
	}
	return r, nil
}

// indexKey sorts a name's generations one after the other. A vetted name has no zero byte.
func indexKey(name string, generation int) []byte {
	return binary.BigEndian.AppendUint32(append([]byte(name), 0), uint32(generation))
}

// update runs a change of the ledger under the store's lock, after completing or removing what a kill has left.
func (s *Store) update(ctx context.Context, change func(*bbolt.Tx) error) error {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.recover(); err != nil {
		return err
	}
	return s.change(change)
}

// change runs a change of the ledger; the caller holds the lock.
func (s *Store) change(change func(*bbolt.Tx) error) error {
	return s.ledger(true, func(db *bbolt.DB) error { return db.Update(change) })
}

// changeLong is change for one that writes about size octets.
func (s *Store) changeLong(size int, change func(*bbolt.Tx) error) error {
	s.book.expect(size)
	return s.change(change)
}

// view reads the ledger under the store's lock.
func (s *Store) view(ctx context.Context, read func(*bbolt.Tx) error) error {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return err
	}
	defer unlock()
	return s.look(read)
}

// look reads the ledger; the caller holds the lock.
func (s *Store) look(read func(*bbolt.Tx) error) error {
	return s.ledger(false, func(db *bbolt.DB) error { return db.View(read) })
}

// book is the ledger's file, open or not: to open it costs as much as to look something up. Whoever holds the store's
// lock leaves it open for the next look. Only a revocation, which nothing stops, comes here without the lock.
type book struct {
	sync.Mutex
	db       *bbolt.DB // nil while it is not open
	writable bool
	held     bool // by the holder of the store's lock
	room     int  // octets that are about to be written
}

func (b *book) hold() {
	b.Lock()
	defer b.Unlock()
	b.held = true
}

func (b *book) release() {
	b.Lock()
	defer b.Unlock()
	b.held = false
	b.close()
}

// expect has the ledger opened with room for a long change: where its file outgrows what is mapped of it, bbolt copies
// all that the change has put so far. Windows makes the file as long as what is mapped, and what is short fits anyway.
func (b *book) expect(size int) {
	const short = 8 << 20
	if size < short || runtime.GOOS == "windows" {
		return
	}
	b.Lock()
	defer b.Unlock()
	b.room = size
	b.close()
}

func (b *book) close() {
	if b.db == nil {
		return
	}
	// What was committed is on disk: closing has nothing left to say.
	_ = b.db.Close()
	b.db = nil
}

// ledger opens the ledger for a moment.
func (s *Store) ledger(write bool, use func(*bbolt.DB) error) (err error) {
	if !s.authority {
		return ErrNoAuthority
	}
	if known := s.faulted.Load(); known != nil {
		return known
	}
	b := &s.book
	b.Lock()
	defer b.Unlock()
	defer func() {
		if err != nil || !b.held {
			b.close()
		}
	}()
	return s.guard(func() error {
		if b.db != nil && write && !b.writable {
			b.close()
		}
		if b.db == nil {
			path := s.path(AuthorityRoom, ledgerFile)
			if b.db, err = openLedger(path, !write, b.room); err != nil {
				return err
			}
			b.writable = write
			if err := b.db.View(checkFormat(s.dir, path)); err != nil {
				return err
			}
		}
		return use(b.db)
	})
}

// guard runs what reads the ledger's pages. bbolt trusts its file: on a damaged one it may panic or fault on a page that
// is not there, so both become a DamagedError. A fault is a panic only in the goroutine that asked for it.
func (s *Store) guard(read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			// bbolt holds its file's lock from now on, for which each further opening would wait in vain.
			damaged := &DamagedError{Path: s.path(AuthorityRoom, ledgerFile), Err: fmt.Errorf("%v", p)}
			s.faulted.Store(damaged)
			err = damaged
		}
	}()
	return read()
}

// ledgerTimeout is bbolt's own wait for its file lock. Only we open the ledger, and only under the store's lock.
const ledgerTimeout = 500 * time.Millisecond

func openLedger(path string, readOnly bool, room int) (*bbolt.DB, error) {
	// bbolt would create a ledger that is not there, and an empty one would forget every certificate.
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &DamagedError{Path: path, Err: errors.New("the file is not there")}
	case err != nil:
		return nil, fmt.Errorf("opening the ledger: %w", err)
	case info.Size() == 0:
		return nil, &DamagedError{Path: path, Err: errors.New("the file is empty")}
	}
	o := &bbolt.Options{Timeout: ledgerTimeout, ReadOnly: readOnly, FreelistType: bbolt.FreelistMapType}
	if room > 0 {
		o.InitialMmapSize = int(info.Size()) + room
	}
	db, err := bbolt.Open(path, 0o600, o)
	var file *fs.PathError
	switch {
	case err == nil:
		return db, nil
	case errors.As(err, &file) || errors.Is(err, bbolterrors.ErrTimeout):
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	return nil, &DamagedError{Path: path, Err: err}
}

func checkFormat(dir, path string) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		if meta == nil {
			return &DamagedError{Path: path, Err: errors.New("it is no ledger of ftsca's")}
		}
		var format int
		if err := json.Unmarshal(meta.Get(formatKey), &format); err != nil {
			return &DamagedError{Path: path, Err: fmt.Errorf("its format: %w", err)}
		}
		if format > Format {
			return &NewerFormatError{Dir: dir, Format: format}
		}
		return nil
	}
}
