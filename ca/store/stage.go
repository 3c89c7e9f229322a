package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/internal/durable"
)

// promise is what a commit owes: files that lie staged, under hidden names beside their final ones, until the ledger
// has their certificate.
type promise struct {
	Run     string       `json:"run"`
	Serial  string       `json:"serial"`            // of the certificate, or what else tells the promise from others
	Publish bool         `json:"publish,omitempty"` // the authorities' files are to be published anew
	Remove  string       `json:"remove,omitempty"`  // file in authority/ that is to go
	Files   []stagedFile `json:"files"`

	// ours is a promise that this process has just made: what it staged needs no second look, and nothing is in place yet.
	ours bool
}

type stagedFile struct {
	Room    ca.Room `json:"room"`
	Name    string  `json:"name"`
	Sum     string  `json:"sha256"`
	Replace bool    `json:"replace,omitempty"`
	Keep    string  `json:"keep,omitempty"`
}

// stagedName hides a file and says whose it is, so that what a killed process staged can be told from what a live one
// is staging.
func stagedName(name, run string) string { return "." + name + "." + run + ".staged" }

func (s *Store) stagedPath(f stagedFile, run string) string {
	return s.path(filepath.FromSlash(string(f.Room)), stagedName(f.Name, run))
}

func (s *Store) finalPath(f stagedFile) string {
	return s.path(filepath.FromSlash(string(f.Room)), f.Name)
}

// parcel is what goes into the store in one act with a change of the ledger.
type parcel struct {
	serial, name string
	products     []ca.Product
	publish      bool
	remove       string // file in authority/ that is to go
}

// deliver stages the files of parcels, changes the ledger, and puts the files in place: all of it happens, or nothing,
// whatever kills the process. An *[UnfinishedError] says that the change is done although files wait.
func (s *Store) deliver(ctx context.Context, parcels []parcel, enter func(*bbolt.Tx) error) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	promised, err := s.stage(parcels)
	if err != nil {
		return err
	}
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return errors.Join(err, s.unstage(promised))
	}
	defer unlock()
	if err = s.checkFree(promised); err == nil {
		err = s.change(func(tx *bbolt.Tx) error {
			for _, p := range promised {
				data, err := json.Marshal(p)
				if err != nil {
					return err
				}
				if err := tx.Bucket(stagedBucket).Put([]byte(p.Serial), data); err != nil {
					return err
				}
			}
			return enter(tx)
		})
	}
	if err != nil {
		return errors.Join(err, s.unstage(promised))
	}
	if err := s.keepPromises(promised); err != nil {
		s.mu.Lock()
		s.owes = true
		s.mu.Unlock()
		return &UnfinishedError{Name: parcels[0].name, Err: err}
	}
	return nil
}

// prepare makes sure that what this process stages is known as a live one's.
func (s *Store) prepare(ctx context.Context) error {
	s.mu.Lock()
	ready := s.live != nil
	s.mu.Unlock()
	if ready {
		return nil
	}
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return err
	}
	defer unlock()
	return errors.Join(s.alive(), s.recover())
}

// stage writes the parcels' products under their hidden names; with an error, none is left.
func (s *Store) stage(parcels []parcel) ([]promise, error) {
	promised := make([]promise, len(parcels))
	var files []durable.File
	for i, parcel := range parcels {
		promised[i] = promise{Run: s.run, Serial: parcel.serial, Publish: parcel.publish, Remove: parcel.remove, ours: true}
		for _, p := range parcel.products {
			if p.Name == "" || p.Name != filepath.Base(p.Name) || strings.HasPrefix(p.Name, ".") {
				return nil, fmt.Errorf("the file name %q does not stand alone", p.Name)
			}
			sum := sha256.Sum256(p.Data)
			f := stagedFile{Room: p.Room, Name: p.Name, Sum: hex.EncodeToString(sum[:]), Replace: p.Replace, Keep: p.Keep}
			promised[i].Files = append(promised[i].Files, f)
			files = append(files, durable.File{Name: s.stagedPath(f, s.run), Data: p.Data, Mode: p.Mode})
		}
	}
	if err := durable.Stage(files); err != nil {
		return nil, fmt.Errorf("staging: %w", err)
	}
	return promised, nil
}

func (s *Store) unstage(promised []promise) error {
	var names []string
	for _, p := range promised {
		for _, f := range p.Files {
			names = append(names, s.stagedPath(f, p.Run))
		}
	}
	return durable.RemoveAll(names)
}

// checkFree refuses a commit that would overwrite what it may not; the caller holds the lock.
func (s *Store) checkFree(promised []promise) error {
	for _, p := range promised {
		for _, f := range p.Files {
			if _, err := os.Lstat(s.finalPath(f)); err == nil && !f.Replace {
				return fmt.Errorf("%s: %w", s.finalPath(f), fs.ErrExist)
			}
		}
	}
	return nil
}

// keepPromises puts the staged files of what is recorded in place and lists certificates for the endpoint. It may be run
// again after a kill at any point of it. The caller holds the lock.
func (s *Store) keepPromises(promised []promise) error {
	var moves []durable.Move
	publish := false
	for _, p := range promised {
		publish = publish || p.Publish
		for _, f := range p.Files {
			if !p.ours {
				staged, err := s.check(f, p.Run)
				if err != nil {
					return err
				}
				if !staged {
					continue
				}
			}
			if err := s.keepEarlier(f); err != nil {
				return err
			}
			moves = append(moves, durable.Move{From: s.stagedPath(f, p.Run), To: s.finalPath(f)})
		}
	}
	if err := durable.RenameAll(moves); err != nil {
		return err
	}
	for _, p := range promised {
		if p.Remove == "" {
			continue
		}
		if err := durable.Remove(s.path(AuthorityRoom, p.Remove)); err != nil {
			return err
		}
	}
	if err := s.publishIssued(promised); err != nil {
		return err
	}
	if publish {
		if err := s.publish(); err != nil {
			return err
		}
	}
	return s.change(func(tx *bbolt.Tx) error {
		for _, p := range promised {
			if err := tx.Bucket(stagedBucket).Delete([]byte(p.Serial)); err != nil {
				return err
			}
		}
		return nil
	})
}

// check looks at what another process has staged. It tells whether the file still has to be placed.
func (s *Store) check(f stagedFile, run string) (staged bool, err error) {
	name, final := s.stagedPath(f, run), s.finalPath(f)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		// It was placed before a kill; or somebody took it, and the operator has to know.
		if data, err = os.ReadFile(final); err == nil && sumIs(data, f.Sum) {
			return false, nil
		}
		return false, fmt.Errorf("%s is neither in place nor staged", final)
	}
	if err != nil {
		return false, fmt.Errorf("placing %s: %w", f.Name, err)
	}
	if !sumIs(data, f.Sum) {
		return false, fmt.Errorf("%s is not what was staged: it has been changed", name)
	}
	return true, nil
}

// keepEarlier keeps what a file will replace, where that is promised.
func (s *Store) keepEarlier(f stagedFile) error {
	if !f.Replace || f.Keep == "" {
		return nil
	}
	final := s.finalPath(f)
	return keep(final, filepath.Join(filepath.Dir(final), f.Keep))
}

// keep gives an earlier file a second name, so that what takes its place does not lose it.
func keep(path, second string) error {
	data, err := readRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("keeping the earlier %s: %w", filepath.Base(path), err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("keeping the earlier %s: %w", filepath.Base(path), err)
	}
	if err := durable.Create(second, data, info.Mode().Perm()); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keeping the earlier %s: %w", filepath.Base(path), err)
	}
	return nil
}

func sumIs(data []byte, want string) bool {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]) == want
}
