package store

import (
	"context"
	"encoding/pem"
	"errors"

	"github.com/gofrs/flock"

	"github.com/ftsca/ftsca/crl"
)

const (
	exportsFile = "exports.json"
	exportsLock = "exports.lock"
)

// ExportsFile returns the path of the list of folders into which the store's material was put. It is of this machine,
// and so lies in no room that travels.
func (s *Store) ExportsFile() string { return s.path(exportsFile) }

// LockExports keeps other processes from exporting until unlock. It is another lock than the store's: a folder that
// hangs, on a network say, holds up nobody who revokes.
func (s *Store) LockExports(ctx context.Context) (unlock func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, s.o.LockWait)
	defer cancel()
	l := flock.New(s.path(exportsLock))
	ok, err := l.TryLockContext(waiting, lockPoll)
	switch {
	case ok:
		return func() { l.Unlock() }, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &BusyError{Path: l.Path(), Waited: s.o.LockWait}
	}
	return nil, err
}

// RevokedText returns what is in force in the form of FTS_CRL.json: that file itself, byte for byte, where it has just
// those entries. The error is about the ledger; the text holds all the same.
func (s *Store) RevokedText(ctx context.Context) ([]byte, error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return nil, err
	}
	defer unlock()
	standing, err := s.standing(nil)
	return s.text(&standing, standing.InForce), err
}

// SignedElsewhere returns the entries of the revocation lists in data, PEM, that an authority of the store has signed,
// that are not in force here, and that were not removed here either: another program has the authority's key and revoked.
// [Store.Import] takes them up.
func (s *Store) SignedElsewhere(ctx context.Context, data []byte) ([]crl.Entry, error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return nil, err
	}
	defer unlock()
	cas := Authorities{Earlier: s.Published()}
	var taken []crl.Entry
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "X509 CRL" {
			continue
		}
		if list, err := crl.ParseX509(block.Bytes); err == nil && cas.signed(list) {
			taken = append(taken, list.Entries...)
		}
	}
	if len(taken) == 0 {
		return nil, nil
	}
	standing, err := s.standing(nil)
	return crl.Except(crl.Missing(standing.InForce, taken), standing.released), err
}
