package store

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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

// Outcome tells what became of a change of the list.
type Outcome struct {
	Added    []crl.Entry // revoked now
	Already  []crl.Entry // were revoked before
	Hardened []crl.Entry // were on hold, and are revoked for good now
	Removed  []crl.Entry // were taken off the list
	Changed  []crl.Entry // have another reason now
	SetAside []string    // where a broken list was kept
	Vanished []crl.Entry // in force although FTS_CRL.json no longer has them
	Trace    map[crl.Serial]AuditEntry
	Problems []error // what went wrong beside: the revocations are in force all the same
}

// Revoke puts entries on the revocation list. The list in the endpoint room is durable before anything else is
// touched. Nothing but that list's own folder can stop it: a broken list is set aside and the last good one taken up,
// and a damaged ledger or a lock that another process does not give back becomes one of the outcome's problems. What is
// on hold is revoked for good unless the entry is for a hold itself.
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
	if err != nil {
		return o, err
	}
	o.Hardened, o.Already = harden.done(o.Already)
	standing, err := s.standing(written)
	o.Vanished, o.Trace = standing.Vanished, standing.Trace
	if err != nil {
		o.Problems = append(o.Problems, err)
	}
	inForce := standing.text(standing.InForce)
	if err := s.keepLast(inForce); err != nil {
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
		return putLists(tx, inForce, released)
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

// edit adds entries to FTS_CRL.json, has change do the rest, unless it is nil, and writes the list durably. People and
// scripts write that file without our lock, so what came out when ours went in is looked at, and what it had and ours
// has not is added in another round. So change may be called several times, and must count nothing twice. It returns the
// list as it was written. Whoever could not have the lock leaves alone what may be another process's.
func (s *Store) edit(locked bool, entries []crl.Entry, change func(*crl.List) error, o *Outcome) (written *crl.List, err error) {
	path := s.endpoint(jsonFile)
	orphans, sweep, err := s.displaced()
	if err != nil {
		return nil, err
	}
	before, list, err := s.readList(o)
	if err != nil {
		return nil, err
	}
	wanted := crl.Union(entries, orphans)
	added, already := map[crl.Serial]crl.Entry{}, map[crl.Serial]crl.Entry{}
	for round := 1; ; round++ {
		for _, e := range wanted {
			if list.Add(e) {
				added[e.Serial] = e
			} else if _, ours := added[e.Serial]; !ours {
				already[e.Serial] = e
			}
		}
		if change != nil {
			if err := change(list); err != nil {
				return nil, err
			}
		}
		after := list.Bytes()
		if bytes.Equal(before, after) {
			break
		}
		// Also where it was broken before: a script may have been about to write it, and goes on in what is displaced.
		displaced, err := durable.Replace(path, after, 0o644, readable)
		if errors.Is(err, fs.ErrNotExist) && round < edits {
			// Beside a process without the lock: one of the two took up what the other had displaced.
			if before, list, err = s.readList(o); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("writing the revocation list: %w", err)
		}
		if bytes.Equal(displaced, before) || len(displaced) == 0 {
			break
		}
		// Another hand wrote between our reading and our writing. Theirs keeps its wording, and gets what ours has.
		before = after
		theirs, err := crl.Parse(displaced)
		if err == nil && round < edits {
			wanted, list = crl.Union(wanted, list.Entries()), theirs
			continue
		}
		what := "broken"
		if err == nil {
			what = "changed"
		}
		aside, err := s.setAside(jsonFile, displaced, what)
		if err != nil {
			return nil, err
		}
		o.SetAside = append(o.SetAside, aside)
		if round >= edits {
			break
		}
		wanted = crl.Union(wanted, crl.Salvage(displaced))
	}
	for _, e := range entries {
		if _, ok := added[e.Serial]; ok {
			o.Added = append(o.Added, e)
		} else {
			o.Already = append(o.Already, e)
		}
	}
	if !locked {
		return list, nil
	}
	return list, sweep()
}

// displaced returns what lists say that an edit had displaced when it was killed: perhaps the one copy of what another
// hand had just written. sweep removes them, when their entries are on the list.
func (s *Store) displaced() (entries []crl.Entry, sweep func() error, err error) {
	names, err := s.displacedNames()
	if err != nil {
		return nil, nil, err
	}
	orphans := map[string][]byte{}
	for _, name := range names {
		data, err := readRegular(s.endpoint(name))
		orphans[s.endpoint(name)] = data
		entries = crl.Union(entries, entriesOf(data, err))
	}
	return entries, func() error {
		var errs []error
		for name, taken := range orphans {
			// A process without the lock may be using the name, and have put another list there.
			if data, err := readRegular(name); err == nil && !bytes.Equal(data, taken) {
				continue
			}
			errs = append(errs, durable.Remove(name))
		}
		return errors.Join(errs...)
	}, nil
}

func (s *Store) displacedNames() ([]string, error) {
	files, err := os.ReadDir(s.Endpoint())
	if err != nil {
		return nil, fmt.Errorf("looking into the endpoint room: %w", err)
	}
	var names []string
	for _, f := range files {
		if strings.HasPrefix(f.Name(), "."+jsonFile+".") && strings.HasSuffix(f.Name(), ".old") {
			names = append(names, f.Name())
		}
	}
	return names, nil
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
	last, _, _, err := s.lastGood(nil)
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
