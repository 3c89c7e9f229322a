package store

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/crl"
)

// Standing is the revocation list as the store knows it.
type Standing struct {
	List     *crl.List   // FTS_CRL.json as it lies there; nil where it cannot be read
	Broken   error       // why it cannot: a *[BrokenListError]; nil where it can
	InForce  []crl.Entry // all that is revoked
	Vanished []crl.Entry // in force although FTS_CRL.json no longer has them: another hand took them out
	Unsigned []crl.Entry // in force and not yet in FTS_CRL.pem
	Lapsed   []crl.Entry // in force and no longer in FTS_CRL.pem, since their certificates have expired
	Foreign  []crl.Entry // in force and never in FTS_CRL.pem: they are about an authority that is none of this store's
	Dropped  []crl.Entry // in FTS_CRL.pem still, although they were removed from the list since
	Signed   []*crl.X509 // the lists in FTS_CRL.pem

	// Trace tells of what has vanished who revoked it, and when, as far as the audit trail knows.
	Trace map[crl.Serial]AuditEntry

	released []crl.Entry
	data     []byte // what List was read from
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
	var listed []crl.Entry
	data, err := readRegular(s.endpoint(jsonFile))
	if err != nil {
		data, st.Broken = nil, &BrokenListError{Path: s.endpoint(jsonFile), Err: err}
	} else if wrote != nil && bytes.Equal(data, wrote.Bytes()) {
		st.List, wrote = wrote, nil
	} else if st.List, err = crl.Parse(data); err != nil {
		st.List, st.Broken = nil, &BrokenListError{Path: s.endpoint(jsonFile), Err: err}
		listed = crl.Salvage(data)
	}
	if st.List != nil {
		st.data, listed = data, st.List.Entries()
	}
	last, same, released, err := s.lastGood(st.data)
	st.released = released
	if wrote != nil {
		last, same = crl.Union(wrote.Entries(), last), false
	}
	if st.InForce = listed; !same {
		st.InForce = crl.Union(listed, last)
	}
	st.Signed = s.signedLists()
	signed := signedEntries(st.Signed)
	left := crl.Except(signed, released)
	// What is signed and was never removed is in force wherever it went.
	if lost := crl.Missing(st.InForce, left); len(lost) > 0 {
		lost = s.certified(lost, st.Signed)
		st.InForce, last = slices.Concat(st.InForce, lost), slices.Concat(last, lost)
	}
	if st.Broken == nil && len(last) > 0 {
		st.Vanished = crl.Missing(listed, last)
		st.Trace = s.trace(st.Vanished)
	}
	s.sortUnsigned(&st, signed)
	if len(left) < len(signed) {
		st.Dropped = crl.Missing(slices.Concat(left, st.InForce), signed)
	}
	return st, err
}

// text is a list of the entries: FTS_CRL.json itself where it has just those, so that copies of it can be told by their
// bytes alone.
func (st *Standing) text(entries []crl.Entry) []byte {
	if st.List != nil && st.data != nil && slices.EqualFunc(st.List.Entries(), entries, func(a, b crl.Entry) bool { return keyOf(a) == keyOf(b) }) {
		return st.data
	}
	return listOf(entries).Bytes()
}

// signedLists reads the published X.509 lists, whose entries then name their issuer; what cannot be read of them has
// signed nothing.
func (s *Store) signedLists() []*crl.X509 {
	data, err := os.ReadFile(s.endpoint(x509File))
	if err != nil {
		return nil
	}
	var lists []*crl.X509
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if list, err := crl.ParseX509(block.Bytes); err == nil {
			issuer := hex.EncodeToString(list.AuthorityKeyID)
			for i := range list.Entries {
				list.Entries[i].Issuer = issuer
			}
			lists = append(lists, list)
		}
	}
	return lists
}

// lastGood joins the last good lists that are kept out of other hands' way: the endpoint room's, and the ledger's. Those
// with the same text as listed are left out, and same tells that all are. It returns too what was removed from them for
// good. What it could read it returns also with an error, which is about the ledger.
func (s *Store) lastGood(listed []byte) (last []crl.Entry, same bool, released []crl.Entry, err error) {
	mine, err := readRegular(s.endpoint(lastFile))
	if same = err == nil && listed != nil && bytes.Equal(mine, listed); !same {
		last = entriesOf(mine, err)
	}
	if !s.authority {
		data, err := readRegular(s.endpoint(releasedFile))
		return last, same, releasesOf(data, err), nil
	}
	err = s.look(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		// Entries keep nothing of the text, which is the transaction's and ends with it.
		if kept := meta.Get(listKey); !bytes.Equal(kept, mine) && (listed == nil || !bytes.Equal(kept, listed)) {
			last, same = crl.Union(last, entriesOf(kept, nil)), false
		}
		released = releasesOf(meta.Get(releasedKey), nil)
		return nil
	})
	return last, same, released, err
}

// entriesOf reads a list that only we write; what a fault has left of it counts.
func entriesOf(data []byte, err error) []crl.Entry {
	if err != nil {
		return nil
	}
	if list, err := crl.Parse(data); err == nil {
		return list.Entries()
	}
	return crl.Salvage(data)
}

func listOf(entries []crl.Entry) *crl.List {
	l := crl.NewList()
	for _, e := range entries {
		l.Add(e)
	}
	return l
}
