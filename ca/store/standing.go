package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/crl"
)

// Standing is the revocation list as the store knows it.
type Standing struct {
	Listed   []crl.Entry // what FTS_CRL.json has; where it cannot be read, what can be salvaged of it
	Broken   error       // why it cannot be read: a *[BrokenListError]; nil where it can
	InForce  []crl.Entry // all that is revoked
	Vanished []crl.Entry // in force although FTS_CRL.json no longer has them: another hand took them out
	Unsigned []crl.Entry // in force and not yet in FTS_CRL.pem
	Lapsed   []crl.Entry // in force and no longer in FTS_CRL.pem, since their certificates have expired
	Foreign  []crl.Entry // in force and never in FTS_CRL.pem: they are about an authority that is none of this store's
	Dropped  []crl.Entry // in FTS_CRL.pem still, although they were removed from the list, at their date
	Signed   []*crl.X509 // the lists in FTS_CRL.pem, as [crl.ParseX509Head] reads them

	// Trace tells of what has vanished who revoked it, and when, as far as the audit trail knows.
	Trace map[crl.Serial]AuditEntry

	released []crl.Entry
	sum      sum    // of what Listed was read from
	text     []byte // that is what Listed was read from, where we have just written it
}

// BrokenListError says why FTS_CRL.json cannot be read.
type BrokenListError struct {
	Path string
	Err  error // a *[crl.SyntaxError] with line and column, or that of reading the file
}

func (e *BrokenListError) Error() string {
	return fmt.Sprintf("the revocation list %s cannot be read: %v", e.Path, e.Err)
}

// Unwrap returns what is wrong with the list.
func (e *BrokenListError) Unwrap() error { return e.Err }

// Standing reads the revocation list and joins it with the last good one, since an entry does not go by vanishing. The
// error is about the ledger; the rest of the standing holds all the same.
func (s *Store) Standing(ctx context.Context) (Standing, error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return Standing{}, err
	}
	defer unlock()
	return s.standing(nil)
}

// standing is Standing for a caller that holds the lock. What it wrote, where it did, is in force, though another hand
// may have taken it out again since.
func (s *Store) standing(wrote *crl.List) (Standing, error) {
	var st Standing
	var err error
	path := s.endpoint(jsonFile)
	if wrote != nil && holds(path, wrote.Bytes()) {
		st.Listed, st.text, wrote = wrote.Entries(), wrote.Bytes(), nil
		st.sum = sha256.Sum256(st.text)
	} else if st.Listed, st.sum, err = readEntries(path); err != nil {
		st.Broken = &BrokenListError{Path: path, Err: err}
	}
	last, err := s.lastGood(&st)
	if wrote != nil {
		last = crl.Union(wrote.Entries(), last)
	}
	// Mostly, the list is what it was, with more at its end.
	if st.Broken == nil && startsWith(st.Listed, last) {
		last = nil
	}
	if st.InForce = st.Listed; len(last) > 0 {
		st.InForce = crl.Union(st.Listed, last)
	}
	cas := s.Published()
	st.Signed = s.signedLists()
	isSigned, odd := st.onLists()
	signed := st.signedOf(odd)
	left := crl.Except(signed, st.released)
	// What is signed and was never removed is in force wherever it went.
	if lost := crl.Missing(only(st.InForce, odd), left); len(lost) > 0 {
		lost = certified(lost, st.Signed, cas)
		st.InForce, last = slices.Concat(st.InForce, lost), slices.Concat(last, lost)
		for range lost {
			isSigned = append(isSigned, true)
		}
	}
	if st.Broken == nil && len(last) > 0 {
		st.Vanished = crl.Missing(st.Listed, last)
		st.Trace = s.trace(st.Vanished)
	}
	s.sortUnsigned(&st, isSigned, cas)
	if len(left) < len(signed) {
		st.Dropped = removedAt(crl.Missing(slices.Concat(left, only(st.InForce, odd)), signed), st.released)
	}
	return st, err
}

// removedAt gives entries the date of their removal, which is that of what was released.
func removedAt(entries, released []crl.Entry) []crl.Entry {
	if len(entries) == 0 {
		return nil
	}
	at := make(map[crl.Entry]crl.Entry, len(released))
	for _, e := range released {
		at[keyOf(e)] = e
	}
	for i := range entries {
		e := &entries[i]
		by, ok := at[keyOf(*e)]
		if !ok {
			by = at[crl.Entry{Serial: e.Serial}]
		}
		e.Date = by.Date
	}
	return entries
}

// text is a list of the entries: FTS_CRL.json itself where it has just those, so that copies of it can be told by their
// bytes alone.
func (s *Store) text(st *Standing, entries []crl.Entry) []byte {
	if st.lists(entries) {
		if st.text != nil {
			return st.text
		}
		if data, err := readRegular(s.endpoint(jsonFile)); err == nil && sha256.Sum256(data) == st.sum {
			return data
		}
	}
	return listOf(entries).Bytes()
}

// lists tells whether FTS_CRL.json has just these entries.
func (st *Standing) lists(entries []crl.Entry) bool {
	return st.Broken == nil && len(st.Listed) == len(entries) && startsWith(st.Listed, entries)
}

// startsWith tells whether entries begins with those of first.
func startsWith(entries, first []crl.Entry) bool {
	same := func(a, b crl.Entry) bool { return keyOf(a) == keyOf(b) }
	return len(entries) >= len(first) && slices.EqualFunc(entries[:len(first)], first, same)
}

// lastGood joins the last good lists that are kept out of other hands' way: the endpoint room's, and the ledger's. Those
// with the text that the standing was read from are left out. It notes what was removed from them for good. What it could
// read it returns also with an error, which is about the ledger.
func (s *Store) lastGood(st *Standing) (last []crl.Entry, err error) {
	mine, err := sumOf(s.endpoint(lastFile))
	whole := err == nil
	if !whole || st.Broken != nil || mine != st.sum {
		if last, mine, err = readEntries(s.endpoint(lastFile)); err != nil {
			whole = false
		}
	}
	if !s.authority {
		data, err := readRegular(s.endpoint(releasedFile))
		st.released = releasesOf(data, err)
		return last, nil
	}
	err = s.look(func(tx *bbolt.Tx) error {
		st.released = releasesOf(tx.Bucket(metaBucket).Get(releasedKey), nil)
		if st.Broken == nil && sameLast(tx, st.sum) || whole && sameLast(tx, mine) {
			return nil
		}
		kept, err := lastEntries(tx)
		last = crl.Union(last, kept)
		return err
	})
	return last, err
}

func listOf(entries []crl.Entry) *crl.List {
	l := crl.NewList()
	for _, e := range entries {
		l.Add(e)
	}
	return l
}
