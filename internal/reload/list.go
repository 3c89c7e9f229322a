package reload

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"iter"
	"runtime/debug"
	"slices"
	"time"

	"github.com/ftsca/ftsca/crl"
)

// ListError says why FTS_CRL.json cannot be used.
type ListError struct {
	Path string
	Err  error // a *[crl.SyntaxError] with line and column, or that of reading the file
}

func (e *ListError) Error() string {
	return fmt.Sprintf("the revocation list %s cannot be used: %v (ftsca crl repair mends it)", e.Path, e.Err)
}

// Unwrap returns what is wrong with the list.
func (e *ListError) Unwrap() error { return e.Err }

// giveBack gives back at once the memory that a large list took while it was read: the text alone has twice as much as
// what stays of it.
func giveBack(entries int) {
	if entries >= 10_000 {
		debug.FreeOSMemory()
	}
}

// listBlock is the label of an X.509 list in PEM (RFC 7468, 8).
const listBlock = "X509 CRL"

// list is all that is revoked.
type list struct {
	part
	inForce  []crl.Entry
	vanished []crl.Entry // of inForce, what the JSON list has not
	removed  []crl.Entry // what .FTS_CRL.removed says
	checker  *crl.Checker
	covered  *crl.Checker // of what is in force while it is loaded; nil where that has changed since

	json            [sha256.Size]byte // of the last JSON list that was good
	lastWarnings    []string          // about .FTS_CRL.last
	removedWarnings []string          // about .FTS_CRL.removed
	signed          [2]bundle         // what came of FTS_CRL.pem and of ca.pem

	seed maphash.Seed // of the hashes of serials

	given        []*givenList
	givenEntries []crl.Entry // of inForce, what further lists have or had
}

// bundle is what came of a file with X.509 lists.
type bundle struct {
	taken    []taken
	warnings []string
}

// taken is an X.509 list whose entries are in force.
type taken struct {
	sum  [sha256.Size]byte // of its DER
	by   string            // common name of the CA that signed it
	made time.Time         // its thisUpdate
	due  time.Time         // its nextUpdate; zero when it has none

	issuer  string // key identifier of that CA
	serials *serials
}

// load takes in what the files say more than before; what they say less changes nothing, unless .FTS_CRL.removed
// confirms it. It returns whether the list in force, the signed ones, or what there is to warn of, is another one now.
func (r *list) load(read func(string) *source, ca *source, a *authority, newCAs bool) (changed bool) {
	grown, before, lists := r.checker == nil, r.faults(), r.sums()
	json := read(jsonList)
	r.touched = json.touched
	if json.changed {
		grown = r.loadJSON(json) || grown
	}
	json.forget()
	if json.changed {
		giveBack(len(r.inForce)) // of the text, before the next is read
	}
	last := read(lastGoodList)
	if last.changed {
		grown = r.loadLast(last, json) || grown
	}
	removed := read(removedList)
	if removed.changed {
		r.loadRemoved(removed)
	}
	removed.forget()
	released := (json.changed || last.changed || removed.changed) && r.release(last)
	last.forget()
	grown = grown || released
	if newCAs = newCAs || released; newCAs {
		// What was foreign may be ours now, and what an entry covered that was released stands for itself.
		r.signed = [2]bundle{}
	}
	signed := read(signedList)
	if signed.changed || newCAs {
		grown = r.loadSigned(0, signed, a.cas) || grown
	}
	signed.forget()
	if (ca.changed || newCAs) && a.err == nil {
		grown = r.loadBundled(ca, a) || grown
	}
	for _, given := range r.given {
		if s := read(given.path); s.changed || newCAs {
			grown = r.give(given.load(s, a.cas)) || grown
			s.forget()
		}
	}
	if grown {
		giveBack(len(r.inForce))
		r.checker = r.covers()
		giveBack(len(r.inForce))
	}
	r.covered = nil
	return grown || !slices.Equal(before, r.faults()) || !slices.Equal(lists, r.sums())
}

// loadJSON takes in FTS_CRL.json. What was in force and is not in it stays in force as vanished.
func (r *list) loadJSON(s *source) (changed bool) {
	entries, err := s.entries()
	if err != nil {
		r.fault(&ListError{Path: s.path, Err: err}, s)
		return false
	}
	r.fault(nil)
	r.covered = nil
	if r.checker != nil && r.json == s.sum {
		return false // it was broken for a moment
	}
	r.json = s.sum
	if r.vanished = crl.Missing(entries, r.inForce); len(r.vanished) == 0 {
		r.inForce = entries
		return true
	}
	r.inForce = slices.Concat(entries, r.vanished)
	return true
}

// covers is a checker of what is in force.
func (r *list) covers() *crl.Checker {
	if r.covered == nil {
		r.covered = crl.NewChecker(r.inForce)
	}
	return r.covered
}

// loadLast takes in the last good copy. Only we write it; what a fault has left of it counts.
func (r *list) loadLast(s, json *source) (changed bool) {
	r.lastWarnings = nil
	if s.missing() || r.err == nil && s.err == nil && s.sum == json.sum {
		return false
	}
	data, err := s.content()
	var entries []crl.Entry
	if err == nil {
		var parsed *crl.List
		if parsed, err = crl.Parse(data); err == nil {
			entries = parsed.Entries()
		} else {
			entries = crl.Salvage(data)
		}
	}
	if err != nil {
		r.lastWarnings = []string{fmt.Sprintf(
			"the last good copy of the revocation list, %s, is damaged: %v; %d entries of it could be read",
			s.path, err, len(entries))}
	}
	return r.add(entries)
}

// loadRemoved takes in what was removed for good. What cannot be read releases nobody.
func (r *list) loadRemoved(s *source) {
	r.removed, r.removedWarnings = nil, nil
	if s.missing() {
		return
	}
	data, err := s.content()
	var parsed *crl.List
	if err == nil {
		parsed, err = crl.Parse(data)
	}
	if err != nil {
		r.removedWarnings = []string{fmt.Sprintf("%s is damaged, and what was removed from the revocation list may stay in force: %v", s.path, err)}
		return
	}
	r.removed = parsed.Entries()
}

// release lets go of what was removed for good, unless the JSON list or the last good copy has it: then it was revoked
// again, or its removal is not complete.
func (r *list) release(last *source) (changed bool) {
	left := crl.Except(r.vanished, r.removed)
	if len(left) == len(r.vanished) || r.err != nil {
		return false
	}
	var kept []crl.Entry
	if data, err := last.content(); err == nil {
		kept = crl.Salvage(data) // of a whole list that is all
	} else if !last.missing() {
		return false
	}
	gone := crl.Missing(kept, crl.Missing(left, r.vanished))
	gone = crl.Missing(r.givenEntries, gone)
	if len(gone) == 0 {
		return false
	}
	r.vanished, r.inForce, r.covered = without(r.vanished, gone), without(r.inForce, gone), nil
	r.add(kept)
	r.give(r.givenEntries) // an entry for every issuer stood for them
	return true
}

// without returns the entries whose serial and issuer are none of the gone ones.
func without(entries, gone []crl.Entry) []crl.Entry {
	type key struct {
		serial crl.Serial
		issuer string
	}
	known := make(map[key]bool, len(gone))
	for _, e := range gone {
		known[key{e.Serial, e.Issuer}] = true
	}
	var left []crl.Entry
	for _, e := range entries {
		if !known[key{e.Serial, e.Issuer}] {
			left = append(left, e)
		}
	}
	return left
}

// loadBundled takes in the X.509 lists of ca.pem. It has the same one as FTS_CRL.pem, unless another program signed
// its own into it, as FreeTAKServer does when it revokes.
func (r *list) loadBundled(ca *source, a *authority) (changed bool) {
	known := bundle{}
	for _, sum := range a.lists {
		t, ok := r.known(sum)
		if !ok {
			defer ca.forget()
			return r.loadSigned(1, ca, a.cas)
		}
		known.taken = append(known.taken, t)
	}
	r.signed[1] = known
	return false
}

// loadSigned takes in the X.509 lists of a file, as far as one of the cas signed them.
func (r *list) loadSigned(n int, s *source, cas []*x509.Certificate) (changed bool) {
	of := bundle{}
	pass := func(err error) {
		of.warnings = append(of.warnings, fmt.Sprintf("the signed revocation list in %s was passed over: %v", s.path, err))
	}
	giveBack(len(r.inForce)) // of what was read before
	lists, err := s.lists()
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		pass(err)
	case len(lists) == 0:
		pass(errors.New("it is empty"))
	}
	for _, der := range lists {
		sum := sha256.Sum256(der)
		t, ok := r.known(sum)
		if !ok {
			x, by, err := verify(der, cas)
			if err != nil {
				pass(err)
				continue
			}
			t = taken{sum, by.Subject.CommonName, x.ThisUpdate, x.NextUpdate, crl.KeyID(by), &serials{}}
			changed = r.addSigned(x, t) || changed
		}
		of.taken = append(of.taken, t)
	}
	r.signed[n] = of
	return changed
}

// known finds a list among those that have been taken in.
func (r *list) known(sum [sha256.Size]byte) (taken, bool) {
	for _, of := range r.signed {
		for _, t := range of.taken {
			if t.sum == sum {
				return t, true
			}
		}
	}
	return taken{}, false
}

// add puts entries in force that are not yet.
func (r *list) add(entries []crl.Entry) (changed bool) {
	more := crl.Missing(r.inForce, entries)
	if len(more) == 0 {
		return false
	}
	r.inForce, r.covered = slices.Concat(r.inForce, more), nil
	r.vanished = slices.Concat(r.vanished, more)
	return true
}

// addSigned puts the entries of a list that this authority signed in force, but for those that were removed since.
func (r *list) addSigned(x *crl.X509, t taken) (changed bool) {
	if x.Len() == 0 {
		return false
	}
	covered := r.covers()
	t.serials.hashes = make([]uint64, 0, x.Len())
	var more []crl.Entry
	for e := range x.All() {
		t.serials.hashes = append(t.serials.hashes, maphash.Comparable(r.seed, e.Serial))
		if e.Issuer = t.issuer; !covered.Covers(e) {
			more = append(more, e)
		}
	}
	return r.add(crl.Except(more, r.removed))
}

// faults are the warnings about files that could not be read.
func (r *list) faults() []string {
	all := slices.Concat(r.lastWarnings, r.removedWarnings, r.signed[0].warnings, r.signed[1].warnings)
	for _, given := range r.given {
		if given.err != nil {
			all = append(all, given.err.Error())
		}
	}
	return all
}

func (r *list) warnings(now time.Time) []string {
	all := r.faults()
	var told []taken
	for _, t := range slices.Concat(r.signed[0].taken, r.signed[1].taken) {
		if !t.due.IsZero() && now.After(t.due) && !slices.Contains(told, t) {
			told = append(told, t)
			all = append(all, fmt.Sprintf("the signed revocation list was due for renewal at %s: what it revokes counts, "+
				"but servers that load it refuse every client (ftsca crl sign renews it)", t.due.UTC().Format(time.RFC3339)))
		}
	}
	for _, given := range r.given {
		if err := given.stale(now); err != nil {
			all = append(all, err.Error())
		}
	}
	return all
}

// signedLists are the lists of FTS_CRL.pem and ca.pem, each once.
func (r *list) signedLists() (all []SignedList) {
	for _, t := range slices.Concat(r.signed[0].taken, r.signed[1].taken) {
		if l := (SignedList{t.by, t.issuer, t.made, t.due}); !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	return all
}

// sums tell the signed lists that are in force.
func (r *list) sums() (all [][sha256.Size]byte) {
	for _, of := range r.signed {
		for _, t := range of.taken {
			all = append(all, t.sum)
		}
	}
	return all
}

// listsIn are the X.509 lists of a file: its PEM blocks, or the whole file where it has none.
func listsIn(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		found := false
		for block := range blocks(data) {
			if block.Type == listBlock {
				found = true
				if !yield(block.Bytes) {
					return
				}
			}
		}
		if !found && len(data) > 0 {
			yield(data)
		}
	}
}

// verify reads an X.509 list and finds the CA that signed it.
func verify(der []byte, cas []*x509.Certificate) (x *crl.X509, by *x509.Certificate, err error) {
	if x, err = crl.ParseX509Head(der); err != nil {
		return nil, nil, err
	}
	foreign := errors.New("none of the CAs in ca.pem signed it")
	for _, ca := range cas {
		err := x.CheckSignature(ca)
		if err == nil {
			return x, ca, nil
		}
		if bytes.Equal(x.RawIssuer, ca.RawSubject) {
			foreign = err
		}
	}
	return nil, nil, foreign
}
