package store

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/durable"
)

// revokeWait is the longest that a revocation waits for another command; then it goes on without the lock.
const revokeWait = time.Second

// Standing is the revocation list as the store knows it.
type Standing struct {
	List     *crl.List   // FTS_CRL.json as it lies there; nil where it cannot be read
	Broken   error       // why it cannot: a *[BrokenListError]; nil where it can
	InForce  []crl.Entry // all that is revoked
	Vanished []crl.Entry // in force although FTS_CRL.json no longer has them: another hand took them out
	Unsigned []crl.Entry // in force and not yet in FTS_CRL.pem
	Signed   []*crl.X509 // the lists in FTS_CRL.pem
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
	return s.standing()
}

// standing is Standing for a caller that holds the lock.
func (s *Store) standing() (Standing, error) {
	var st Standing
	var listed []crl.Entry
	if data, err := readRegular(s.endpoint(jsonFile)); err != nil {
		st.Broken = &BrokenListError{Path: s.endpoint(jsonFile), Err: err}
	} else if st.List, err = crl.Parse(data); err != nil {
		st.List, st.Broken = nil, &BrokenListError{Path: s.endpoint(jsonFile), Err: err}
		listed = crl.Salvage(data)
	} else {
		listed = st.List.Entries()
	}
	last, err := s.lastGood()
	st.InForce = crl.Union(listed, last)
	if st.Broken == nil {
		st.Vanished = crl.Missing(listed, last)
	}
	var signed []crl.Entry
	st.Signed = s.signedLists()
	for _, list := range st.Signed {
		signed = append(signed, list.Entries...)
	}
	st.Unsigned = crl.Missing(signed, st.InForce)
	return st, err
}

// signedLists reads the published X.509 lists; what cannot be read of them has signed nothing.
func (s *Store) signedLists() []*crl.X509 {
	data, err := os.ReadFile(s.endpoint(x509File))
	if err != nil {
		return nil
	}
	var lists []*crl.X509
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if list, err := crl.ParseX509(block.Bytes); err == nil {
			lists = append(lists, list)
		}
	}
	return lists
}

// lastGood joins the last good lists that are kept out of other hands' way: the endpoint room's, and the ledger's.
// It returns what it could read also with an error, which is about the ledger.
func (s *Store) lastGood() ([]crl.Entry, error) {
	last := entriesOf(readRegular(s.endpoint(lastFile)))
	if !s.authority {
		return last, nil
	}
	var kept []byte
	err := s.look(func(tx *bbolt.Tx) error {
		kept = bytes.Clone(tx.Bucket(metaBucket).Get(listKey))
		return nil
	})
	return crl.Union(last, entriesOf(kept, nil)), err
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

// Outcome tells what became of a revocation.
type Outcome struct {
	Added    []crl.Entry // revoked now
	Already  []crl.Entry // were revoked before
	SetAside []string    // where a broken list was kept
	Vanished []crl.Entry // in force although FTS_CRL.json no longer has them
	Problems []error     // what went wrong beside: the revocations are in force all the same

	seen []crl.Entry // all that was on the list at any moment of the edit
}

// Revoke puts entries on the revocation list. The list in the endpoint room is durable before anything else is
// touched. Nothing but that list's own folder can stop it: a broken list is set aside and the last good one taken up,
// and a damaged ledger or a lock that another process does not give back becomes one of the outcome's problems.
func (s *Store) Revoke(ctx context.Context, entries []crl.Entry, names map[crl.Serial]string) (Outcome, error) {
	var o Outcome
	unlock, err := s.lock(ctx, min(revokeWait, s.o.LockWait))
	if err != nil {
		o.Problems = append(o.Problems, fmt.Errorf("the list was changed without the store's lock: %w", err))
	} else {
		defer unlock()
	}
	locked := err == nil
	if err := s.edit(entries, &o); err != nil {
		return o, err
	}
	standing, err := s.standing()
	o.Vanished = standing.Vanished
	if err != nil {
		o.Problems = append(o.Problems, err)
	}
	// Another hand may have written over the list since, and nothing else has them yet.
	standing.InForce = crl.Union(standing.InForce, o.seen)
	if err := s.keepLast(standing.InForce); err != nil {
		o.Problems = append(o.Problems, err)
	}
	if !s.authority {
		return o, nil
	}
	if !locked {
		o.Problems = append(o.Problems, errors.New("the ledger and its audit trail do not have it yet"))
		return o, nil
	}
	err = s.change(func(tx *bbolt.Tx) error {
		for _, e := range o.Added {
			if err := s.record(tx, AuditEntry{Act: "revoke", Serial: e.Serial.String(), Name: names[e.Serial], Detail: e.Reason.String()}); err != nil {
				return err
			}
		}
		for _, path := range o.SetAside {
			if err := s.record(tx, AuditEntry{Act: "repair", Detail: "a broken revocation list was set aside as " + path}); err != nil {
				return err
			}
		}
		return tx.Bucket(metaBucket).Put(listKey, listOf(standing.InForce).Bytes())
	})
	if err != nil {
		o.Problems = append(o.Problems, fmt.Errorf("the ledger does not have it: %w", err))
	}
	return o, nil
}

// Repair makes FTS_CRL.json whole: a broken one is set aside and made anew from the last good one and every entry that
// still parses, and entries that vanished are put back.
func (s *Store) Repair(ctx context.Context) (Outcome, error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return Outcome{}, err
	}
	standing, err := s.standing()
	unlock()
	if err != nil {
		return Outcome{}, err
	}
	return s.Revoke(ctx, standing.Vanished, nil)
}

// keepLast keeps the entries in force where other hands do not write.
func (s *Store) keepLast(entries []crl.Entry) error {
	data := listOf(entries).Bytes()
	if have, err := os.ReadFile(s.endpoint(lastFile)); err == nil && bytes.Equal(have, data) {
		return nil
	}
	if err := durable.WriteFile(s.endpoint(lastFile), data, 0o644); err != nil {
		return fmt.Errorf("keeping a second copy of the revocation list: %w", err)
	}
	return nil
}

// edits is how often an edit is begun anew when other hands write the same file at the same time.
const edits = 20

// edit adds entries to FTS_CRL.json and writes it durably. People and scripts write that file without our lock, so
// what came out when ours went in is looked at, and what it had and ours has not is added in another round.
func (s *Store) edit(entries []crl.Entry, o *Outcome) error {
	path := s.endpoint(jsonFile)
	orphans, sweep, err := s.displaced()
	if err != nil {
		return err
	}
	wanted := crl.Union(entries, orphans)
	added, already := map[crl.Serial]crl.Entry{}, map[crl.Serial]crl.Entry{}
	for range edits {
		before, list, err := s.readList(o)
		if err != nil {
			return err
		}
		for _, e := range wanted {
			if list.Add(e) {
				added[e.Serial] = e
			} else if _, ours := added[e.Serial]; !ours {
				already[e.Serial] = e
			}
		}
		o.seen = crl.Union(o.seen, list.Entries())
		after := list.Bytes()
		if bytes.Equal(before, after) {
			break
		}
		displaced, err := durable.Replace(path, after, 0o644, readable)
		if err != nil {
			return fmt.Errorf("writing the revocation list: %w", err)
		}
		if bytes.Equal(displaced, before) {
			break
		}
		// Another hand wrote between our reading and our writing.
		theirs, err := crl.Parse(displaced)
		if err != nil {
			aside, err := s.setAside(jsonFile, displaced, "broken")
			if err != nil {
				return err
			}
			o.SetAside = append(o.SetAside, aside)
			wanted = crl.Union(o.seen, crl.Salvage(displaced))
			continue
		}
		// Theirs is put back with its own wording, and ours is added to it in the next round, and whatever they wrote since.
		since, err := durable.Replace(path, theirs.Bytes(), 0o644, readable)
		if err != nil {
			return fmt.Errorf("writing the revocation list: %w", err)
		}
		wanted = crl.Union(o.seen, theirs.Entries(), entriesOf(since, nil))
	}
	for _, e := range entries {
		if _, ok := added[e.Serial]; ok {
			o.Added = append(o.Added, e)
		} else {
			o.Already = append(o.Already, e)
		}
	}
	return sweep()
}

// displaced returns what lists say that an edit had displaced when it was killed: perhaps the one copy of what another
// hand had just written. sweep removes them, when their entries are on the list.
func (s *Store) displaced() (entries []crl.Entry, sweep func() error, err error) {
	files, err := os.ReadDir(s.Endpoint())
	if err != nil {
		return nil, nil, fmt.Errorf("looking into the endpoint room: %w", err)
	}
	var orphans []string
	for _, f := range files {
		if strings.HasPrefix(f.Name(), "."+jsonFile+".") && strings.HasSuffix(f.Name(), ".old") {
			orphans = append(orphans, s.endpoint(f.Name()))
			entries = crl.Union(entries, entriesOf(readRegular(s.endpoint(f.Name()))))
		}
	}
	return entries, func() error {
		var errs []error
		for _, name := range orphans {
			errs = append(errs, durable.Remove(name))
		}
		return errors.Join(errs...)
	}, nil
}

// readList reads FTS_CRL.json for a change. Where it cannot be read, it is set aside and a list made from the last
// good one and every entry that still parses; before is nil then, as no content of the file is to be kept.
func (s *Store) readList(o *Outcome) (before []byte, list *crl.List, err error) {
	path := s.endpoint(jsonFile)
	before, err = readRegular(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errIrregular) {
		return nil, nil, &BrokenListError{Path: path, Err: err}
	}
	if err == nil {
		if list, err = crl.Parse(before); err == nil {
			return before, list, nil
		}
		aside, err := s.setAside(jsonFile, before, "broken")
		if err != nil {
			return nil, nil, err
		}
		o.SetAside = append(o.SetAside, aside)
	}
	last, err := s.lastGood()
	if err != nil {
		o.Problems = append(o.Problems, err)
	}
	return before, listOf(crl.Union(crl.Salvage(before), last)), nil
}

var errIrregular = errors.New("it is no regular file")

// readRegular reads a file of the endpoint room, whose owner may be a service's account, and follows no link there: else
// that account could have root read, and keep for all to see, what only root may.
func readRegular(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", path, errIrregular)
	}
	// Were a link put there since, it could still not lead out of the room.
	f, err := os.OpenInRoot(filepath.Dir(path), filepath.Base(path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// readable tells whether a displaced list is whole: a script that writes in place may not be done with it.
func readable(data []byte) bool {
	_, err := crl.Parse(data)
	return err == nil
}

// setAside keeps a file's content under a name that tells what and when, and returns its path.
func (s *Store) setAside(name string, data []byte, what string) (string, error) {
	base := s.endpoint(name + "." + what + "-" + s.o.Now().UTC().Format("20060102T150405Z"))
	for n := 1; ; n++ {
		path := base
		if n > 1 {
			path = fmt.Sprintf("%s-%d", base, n)
		}
		err := durable.Create(path, data, 0o644)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrExist) || n > 1000 {
			return "", fmt.Errorf("setting the %s %s aside: %w", what, name, err)
		}
	}
}
