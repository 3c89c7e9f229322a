package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/durable"
)

// revokeWait is the longest that a revocation waits for another command; then it goes on without the lock.
const revokeWait = time.Second

// Outcome tells what became of a change of the list.
type Outcome struct {
	Added    []crl.Entry // revoked now
	Already  []crl.Entry // were revoked before
	Hardened []crl.Entry // were on hold, and are revoked for good now
	Removed  []crl.Entry // were taken off the list
	Changed  []crl.Entry // have another reason now
	SetAside []string    // where a broken list was kept
	Missing  bool        // there was no FTS_CRL.json, and it was made anew
	Unlisted bool        // FTS_CRL.json has none of it: what is in its place cannot be moved, which one of Problems says
	Vanished []crl.Entry // as [Standing] has them after the change, with what the trail tells of them
	Trace    map[crl.Serial]AuditEntry
	Unsigned []crl.Entry // as [Standing] has them after the change
	Dropped  []crl.Entry
	Problems []error // what went wrong beside: the revocations are in force all the same
}

// note notes how the list stands after the change.
func (o *Outcome) note(st Standing) {
	o.Vanished, o.Trace, o.Unsigned, o.Dropped = st.Vanished, st.Trace, st.Unsigned, st.Dropped
}

// part notes which of the entries were added, and which were there before.
func (o *Outcome) part(entries []crl.Entry, added map[crl.Serial]crl.Entry) {
	for _, e := range entries {
		if _, ok := added[e.Serial]; ok {
			o.Added = append(o.Added, e)
		} else {
			o.Already = append(o.Already, e)
		}
	}
}

// Revoke puts entries on the revocation list. The list in the endpoint room is durable before anything else is
// touched. Nothing but that list's own folder can stop it: a broken list is set aside and the last good one taken up,
// one that cannot be set aside leaves the revocation to the last good copy, which an endpoint goes by too, and a damaged
// ledger or a lock that another process does not give back becomes one of the outcome's problems. What is on hold is
// revoked for good unless the entry is for a hold itself.
func (s *Store) Revoke(ctx context.Context, entries []crl.Entry, names map[crl.Serial]string) (Outcome, error) {
	return s.put(ctx, "revoke", "", entries, names)
}

// Import is Revoke for what another list says; from tells which, for the audit trail.
func (s *Store) Import(ctx context.Context, entries []crl.Entry, names map[crl.Serial]string, from string) (Outcome, error) {
	return s.put(ctx, "import", ", from "+from, entries, names)
}

// put puts entries on the list, by the name that the act has in the audit trail.
func (s *Store) put(ctx context.Context, act, remark string, entries []crl.Entry, names map[crl.Serial]string) (Outcome, error) {
	var o Outcome
	unlock, err := s.lock(ctx, min(revokeWait, s.o.LockWait))
	if err != nil {
		o.Problems = append(o.Problems, fmt.Errorf("the list was changed without the store's lock: %w", err))
	} else {
		defer unlock()
	}
	locked := err == nil
	harden := hardening(entries)
	written, err := s.edit(locked, entries, harden.apply, &o)
	var stuck *StuckListError
	if errors.As(err, &stuck) && act != "restore" {
		written, err = s.unlisted(entries, harden, &o)
		o.Problems = append(o.Problems, stuck)
	}
	if err != nil {
		return o, err
	}
	o.Hardened, o.Already = harden.done(o.Already)
	standing, err := s.standing(written)
	o.note(standing)
	if err != nil {
		o.Problems = append(o.Problems, err)
	}
	inForce := s.text(&standing, standing.InForce)
	text := sha256.Sum256(inForce)
	if err := s.keepLast(inForce); err != nil {
		if o.Unlisted {
			return o, errors.Join(stuck, err)
		}
		o.Problems = append(o.Problems, err)
	}
	// Whoever is revoked again is released no more.
	released := releases(crl.Missing(standing.InForce, standing.released))
	if err == nil {
		if err := s.keepReleased(released); err != nil {
			o.Problems = append(o.Problems, err)
		}
	}
	if !s.authority {
		return o, nil
	}
	if !locked {
		o.Problems = append(o.Problems, errors.New("the ledger and its audit trail do not have it yet"))
		return o, nil
	}
	err = s.change(func(tx *bbolt.Tx) error {
		for _, e := range slices.Concat(o.Added, o.Hardened) {
			if err := s.record(tx, AuditEntry{Act: act, Serial: e.Serial.String(), Name: names[e.Serial], Detail: e.Reason.String() + remark}); err != nil {
				return err
			}
		}
		for _, path := range o.SetAside {
			if err := s.record(tx, AuditEntry{Act: "repair", Detail: "a broken revocation list was set aside as " + path}); err != nil {
				return err
			}
		}
		if o.Missing {
			if err := s.record(tx, AuditEntry{Act: "repair", Detail: "the revocation list was missing, and was made anew"}); err != nil {
				return err
			}
		}
		return putLists(tx, text, standing.InForce, released)
	})
	if err != nil {
		o.Problems = append(o.Problems, fmt.Errorf("the ledger does not have it: %w", err))
	}
	return o, nil
}

// Repair makes FTS_CRL.json whole: a broken one is set aside and made anew from the last good one and every entry that
// still parses, one that is missing is made anew from the last good one, and entries that vanished are put back.
func (s *Store) Repair(ctx context.Context) (Outcome, error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return Outcome{}, err
	}
	standing, err := s.standing(nil)
	unlock()
	if err != nil {
		return Outcome{}, err
	}
	return s.Restore(ctx, standing.Vanished)
}

// Restore puts entries that vanished from FTS_CRL.json back into it, as they were.
func (s *Store) Restore(ctx context.Context, entries []crl.Entry) (Outcome, error) {
	return s.put(ctx, "restore", "", entries, nil)
}

// keepLast keeps the list in force where other hands do not write.
func (s *Store) keepLast(data []byte) error {
	if holds(s.endpoint(lastFile), data) {
		return nil
	}
	if err := durable.WriteFile(s.endpoint(lastFile), data, 0o644); err != nil {
		return fmt.Errorf("keeping a second copy of the revocation list: %w", err)
	}
	return nil
}
