package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/internal/durable"
)

// alive marks this process as one that may have staged files, by a lock that dies with it. The caller holds the store's
// lock: else another process could take the new file for a dead one's before it is locked.
func (s *Store) alive() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live != nil {
		return nil
	}
	if !s.authority {
		return ErrNoAuthority
	}
	l := flock.New(s.path(AuthorityRoom, runsDir, s.run+".lock"))
	ok, err := l.TryLock()
	if err != nil {
		return fmt.Errorf("preparing to write to the store: %w", err)
	}
	if !ok {
		return fmt.Errorf("preparing to write to the store: %s is locked", l.Path())
	}
	s.live = l
	return nil
}

// recover completes what dead processes committed, and removes what they staged and did not commit. The caller holds
// the lock.
func (s *Store) recover() error {
	runs, err := os.ReadDir(s.path(AuthorityRoom, runsDir))
	if err != nil {
		if !s.authority {
			return ErrNoAuthority
		}
		return fmt.Errorf("looking for what a killed process left: %w", err)
	}
	if err := durable.Sweep(s.Endpoint()); err != nil {
		return fmt.Errorf("removing what a killed process left: %w", err)
	}
	for _, entry := range runs {
		run := strings.TrimSuffix(entry.Name(), ".lock")
		if run == s.run || run == entry.Name() {
			continue
		}
		l := flock.New(s.path(AuthorityRoom, runsDir, entry.Name()))
		if ok, err := l.TryLock(); err != nil || !ok {
			continue // it lives
		}
		err := s.recoverRun(run)
		if err == nil {
			err = os.Remove(l.Path())
		}
		l.Unlock()
		if err != nil {
			return fmt.Errorf("completing what a killed process left: %w", err)
		}
	}
	return nil
}

func (s *Store) recoverRun(run string) error {
	var committed []promise
	err := s.change(func(tx *bbolt.Tx) error {
		committed = nil
		err := tx.Bucket(stagedBucket).ForEach(func(_, v []byte) error {
			var p promise
			if err := json.Unmarshal(v, &p); err != nil {
				return err
			}
			if p.Run == run {
				committed = append(committed, p)
			}
			return nil
		})
		if err != nil {
			return err
		}
		reserved := tx.Bucket(reservationBucket)
		var stale [][]byte
		err = reserved.ForEach(func(k, v []byte) error {
			var c claim
			if err := json.Unmarshal(v, &c); err != nil {
				return err
			}
			if c.Run == run {
				stale = append(stale, k)
			}
			return nil
		})
		for _, k := range stale {
			err = errors.Join(err, reserved.Delete(k))
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := s.keepPromises(committed); err != nil {
		return err
	}
	return s.sweep(run)
}

// sweep removes what is left of a dead run's staged files: those that no entry of the ledger promises.
func (s *Store) sweep(run string) error {
	for _, room := range []ca.Room{ca.Keys, ca.Issued, ca.Endpoint, ca.Packages} {
		if err := s.removeHidden(room, "."+run+".staged"); err != nil {
			return err
		}
		if err := durable.Sweep(s.path(filepath.FromSlash(string(room)))); err != nil {
			return err
		}
	}
	return nil
}

// removeHidden removes the hidden files of a room that end in a suffix.
func (s *Store) removeHidden(room ca.Room, suffix string) error {
	dir := s.path(filepath.FromSlash(string(room)))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(e.Name(), suffix) {
			if err := durable.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// Recover completes or removes what killed processes left, and writes nothing where they left nothing. All that writes
// to the ledger does it by itself; it is for who opens an authority's key before, which may be among what was left.
func (s *Store) Recover(ctx context.Context) error {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return err
	}
	defer unlock()
	return s.recover()
}
