package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/durable"
)

// FinalError says that revocations were to be undone, or made a hold, that can be no more: only a hold can be released
// (RFC 5280, 5.3.1).
type FinalError struct{ Entries []crl.Entry }

func (e *FinalError) Error() string {
	var all []string
	for _, e := range e.Entries {
		all = append(all, fmt.Sprintf("%s (%s)", e.Serial, e.Reason))
	}
	if len(all) > 3 {
		all = append(all[:3], fmt.Sprintf("and %d more", len(all)-3))
	}
	return fmt.Sprintf("only a certificate_hold can be released (RFC 5280, 5.3.1), and this is final: %s", strings.Join(all, ", "))
}

// Remove takes entries off the list for good, whether FTS_CRL.json still has them or another hand took them out: off
// every last good list, off what is signed next, and out of a running endpoint's memory. Entries count by serial and issuer;
// those that are not in force are passed over. Without force, those of a hold alone can go: else it removes none, and
// returns a *[FinalError]. A list that cannot be read is a *[BrokenListError], and stays as it is.
func (s *Store) Remove(ctx context.Context, entries []crl.Entry, names map[crl.Serial]string, force bool) (Outcome, error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return Outcome{}, err
	}
	defer unlock()
	return s.remove(entries, names, force, "")
}

// remove is Remove for a caller that holds the lock. It goes from the list that is edited to those that keep an entry
// in force: stopped at any point between, the entry has vanished but is in force, and can be removed again.
func (s *Store) remove(entries []crl.Entry, names map[crl.Serial]string, force bool, remark string) (o Outcome, err error) {
	standing, err := s.standing(nil)
	switch {
	case err != nil:
		return o, err
	case standing.Broken != nil:
		return o, standing.Broken
	}
	meant := setOf(entries)
	var final []crl.Entry
	for _, e := range standing.InForce {
		if meant.has(e) {
			o.Removed = append(o.Removed, e)
			if e.Reason != crl.CertificateHold {
				final = append(final, e)
			}
		}
	}
	if len(final) > 0 && !force {
		return Outcome{}, &FinalError{Entries: final}
	}
	if len(o.Removed) == 0 {
		o.note(standing)
		return o, nil
	}
	written, err := s.edit(true, nil, func(l *crl.List) error {
		l.Remove(meant.has)
		return nil
	}, &o)
	if err != nil {
		return o, err
	}
	if standing, err = s.standing(written); err != nil {
		return o, err
	}
	// What the list has all the same, another hand has put there since.
	listed := set{}
	if standing.Broken == nil {
		listed = setOf(standing.Listed)
	}
	var left, released []crl.Entry
	for _, e := range standing.InForce {
		if !meant.has(e) || listed.has(e) {
			left = append(left, e)
		}
	}
	for _, e := range o.Removed {
		// In whole seconds, as lists have it, and never before the entry: one may be dated in the future by mistake.
		if now := s.o.Now().UTC().Add(time.Second - 1).Truncate(time.Second); e.Date.Before(now) {
			e.Date = now
		}
		released = append(released, crl.Entry{Serial: e.Serial, Issuer: e.Issuer, Date: e.Date})
	}
	last, lifted := s.text(&standing, left), releases(crl.Missing(left, crl.Union(released, standing.released)))
	if s.authority {
		err := s.change(func(tx *bbolt.Tx) error {
			for _, e := range o.Removed {
				detail := "was revoked for " + e.Reason.String() + remark
				if err := s.record(tx, AuditEntry{Act: "remove", Serial: e.Serial.String(), Name: names[e.Serial], Detail: detail}); err != nil {
					return err
				}
			}
			return putLists(tx, sha256.Sum256(last), left, lifted)
		})
		if err != nil {
			return o, fmt.Errorf("recording the removal, so that it stays in force: %w", err)
		}
	}
	if err := errors.Join(s.keepReleased(lifted), s.keepLast(last)); err != nil {
		return o, fmt.Errorf("the removal is not complete: %w", err)
	}
	standing, err = s.standing(nil)
	o.note(standing)
	return o, err
}

// SetReason gives entries of FTS_CRL.json another reason. Entries count by serial and issuer; those that are not listed
// are passed over. Without force, nothing final becomes a hold, which could then be released: that is a *[FinalError]. A list
// that cannot be read is a *[BrokenListError], and stays as it is.
func (s *Store) SetReason(ctx context.Context, entries []crl.Entry, names map[crl.Serial]string, reason crl.Reason, force bool) (o Outcome, err error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return o, err
	}
	defer unlock()
	standing, err := s.standing(nil)
	switch {
	case err != nil:
		return o, err
	case standing.Broken != nil:
		return o, standing.Broken
	}
	meant := setOf(entries)
	for _, e := range standing.Listed {
		if meant.has(e) && e.Reason != reason {
			o.Changed = append(o.Changed, e)
		}
	}
	if len(o.Changed) == 0 {
		o.note(standing)
		return o, nil
	}
	if reason == crl.CertificateHold && !force {
		return Outcome{}, &FinalError{Entries: o.Changed}
	}
	written, err := s.edit(true, nil, func(l *crl.List) error {
		l.SetReason(meant.has, reason)
		return nil
	}, &o)
	if err != nil {
		return o, err
	}
	if standing, err = s.standing(written); err != nil {
		return o, err
	}
	o.note(standing)
	last := s.text(&standing, standing.InForce)
	if err := s.keepLast(last); err != nil {
		return o, err
	}
	if !s.authority {
		return o, nil
	}
	return o, s.change(func(tx *bbolt.Tx) error {
		for _, e := range o.Changed {
			detail := fmt.Sprintf("%s, was %s", reason, e.Reason)
			if err := s.record(tx, AuditEntry{Act: "reason", Serial: e.Serial.String(), Name: names[e.Serial], Detail: detail}); err != nil {
				return err
			}
		}
		return putLast(tx, sha256.Sum256(last), standing.InForce)
	})
}

// Format writes FTS_CRL.json in the documents' form, and tells whether that changed it. A list that cannot be read is
// a *[BrokenListError], and stays as it is.
func (s *Store) Format(ctx context.Context) (changed bool, err error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return false, err
	}
	defer unlock()
	standing, err := s.standing(nil)
	switch {
	case standing.Broken != nil:
		return false, standing.Broken
	case err != nil:
		return false, err
	}
	_, err = s.edit(true, nil, func(l *crl.List) error {
		before := bytes.Clone(l.Bytes())
		if err := l.Format(); err != nil {
			return err
		}
		changed = changed || !bytes.Equal(before, l.Bytes())
		return nil
	}, &Outcome{})
	return changed, err
}

// putLists keeps the last good list in the ledger, and what was removed from it.
func putLists(tx *bbolt.Tx, text sum, last []crl.Entry, released []byte) error {
	if err := putLast(tx, text, last); err != nil {
		return err
	}
	return putReleased(tx, released)
}

// putReleased keeps in the ledger what was removed for good; nil is nothing.
func putReleased(tx *bbolt.Tx, released []byte) error {
	meta := tx.Bucket(metaBucket)
	if released == nil {
		return meta.Delete(releasedKey)
	}
	return meta.Put(releasedKey, released)
}

// keepReleased tells the endpoint what was removed for good; nil is nothing.
func (s *Store) keepReleased(data []byte) error {
	path := s.endpoint(releasedFile)
	have, err := os.ReadFile(path)
	switch {
	case err == nil && data != nil && bytes.Equal(have, data), data == nil && errors.Is(err, fs.ErrNotExist):
		return nil
	case data == nil:
		err = durable.Remove(path)
	default:
		err = durable.WriteFile(path, data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("telling the endpoint what was removed from the revocation list: %w", err)
	}
	return nil
}

// releases writes what was removed for good; nil where nothing was.
func releases(entries []crl.Entry) []byte {
	if len(entries) == 0 {
		return nil
	}
	return listOf(entries).Bytes()
}

// releasesOf reads what releases wrote. What cannot be read releases nobody: here, what is salvaged from a broken list
// would let people in.
func releasesOf(data []byte, err error) []crl.Entry {
	if err != nil || data == nil {
		return nil
	}
	list, err := crl.Parse(data)
	if err != nil {
		return nil
	}
	return list.Entries()
}

// set is of entries, by serial and issuer.
type set map[crl.Entry]bool

func keyOf(e crl.Entry) crl.Entry { return crl.Entry{Serial: e.Serial, Issuer: e.Issuer} }

func setOf(entries []crl.Entry) set {
	s := make(set, len(entries))
	for _, e := range entries {
		s[keyOf(e)] = true
	}
	return s
}

func (s set) has(e crl.Entry) bool { return s[keyOf(e)] }

// hardener revokes for good what is on hold.
type hardener struct {
	reasons map[crl.Serial]crl.Entry // what is to be revoked for good
	held    map[crl.Serial]bool      // what of it was on hold
}

func hardening(entries []crl.Entry) *hardener {
	h := &hardener{reasons: map[crl.Serial]crl.Entry{}, held: map[crl.Serial]bool{}}
	for _, e := range entries {
		if e.Reason != crl.CertificateHold {
			h.reasons[e.Serial] = e
		}
	}
	return h
}

func (h *hardener) apply(l *crl.List) error {
	meant := func(e crl.Entry) (crl.Entry, bool) {
		by, ok := h.reasons[e.Serial]
		return by, ok && e.Reason == crl.CertificateHold && (by.Issuer == "" || e.Issuer == "" || by.Issuer == e.Issuer)
	}
	reasons := map[crl.Reason]bool{}
	for _, e := range l.Entries() {
		if by, ok := meant(e); ok {
			reasons[by.Reason], h.held[e.Serial] = true, true
		}
	}
	for reason := range reasons {
		l.SetReason(func(e crl.Entry) bool {
			by, ok := meant(e)
			return ok && by.Reason == reason
		}, reason)
	}
	return nil
}

// done parts what was on hold from what was revoked already.
func (h *hardener) done(already []crl.Entry) (hardened, rest []crl.Entry) {
	for _, e := range already {
		if h.held[e.Serial] {
			hardened = append(hardened, e)
		} else {
			rest = append(rest, e)
		}
	}
	return hardened, rest
}
