package store

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/durable"
)

// edits is how often an edit is begun anew when other hands write the same file at the same time.
const edits = 200

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
	// readable tells whether a displaced list is whole: a script that writes in place may not be done with it.
	readable := func(data []byte) bool {
		if sha256.Sum256(data) == before {
			return true
		}
		_, err := crl.Parse(data)
		return err == nil
	}
	wanted := crl.Union(entries, orphans)
	added := map[crl.Serial]crl.Entry{}
	for round := 1; ; round++ {
		for _, e := range wanted {
			if list.Add(e) {
				added[e.Serial] = e
			}
		}
		if change != nil {
			if err := change(list); err != nil {
				return nil, err
			}
		}
		after := list.Bytes()
		written := sum(sha256.Sum256(after))
		if written == before {
			break
		}
		// Also where it was broken before: a script may have been about to write it, and goes on in what is displaced.
		displaced, err := durable.Replace(path, after, 0o644, readable)
		if errors.Is(err, fs.ErrNotExist) && round < edits {
			// Beside a process without the lock: one of the two took up what the other had displaced.
			missing := o.Missing
			if before, list, err = s.readList(o); err != nil {
				return nil, err
			}
			o.Missing = missing
			continue
		}
		if errors.Is(err, syscall.EBUSY) {
			return nil, &StuckListError{Path: path, Moving: err}
		}
		if err != nil {
			return nil, fmt.Errorf("writing the revocation list: %w", err)
		}
		if sha256.Sum256(displaced) == before || len(displaced) == 0 {
			break
		}
		// Another hand wrote between our reading and our writing. Theirs keeps its wording, and gets what ours has.
		before = written
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
	o.part(entries, added)
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
		if err == nil {
			entries = crl.Union(entries, entriesOf(data))
		}
	}
	return entries, func() error {
		var errs []error
		for name, taken := range orphans {
			// A process without the lock may be using the name, and have put another list there; a script may not be done.
			if durable.BeingWritten(name) {
				continue
			}
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
// good one and every entry that still parses. before is the sum of what the file had, zero where there was none.
func (s *Store) readList(o *Outcome) (before sum, list *crl.List, err error) {
	path := s.endpoint(jsonFile)
	data, err := readRegular(path)
	switch {
	case err == nil:
		before = sha256.Sum256(data)
		if list, err = crl.Parse(data); err == nil {
			return before, list, nil
		}
		aside, err := s.setAside(jsonFile, data, "broken")
		if err != nil {
			return before, nil, err
		}
		o.SetAside = append(o.SetAside, aside)
	case errors.Is(err, fs.ErrNotExist):
		o.Missing = true
	default:
		aside, moving := s.moveAside(jsonFile, "broken")
		if errors.Is(moving, fs.ErrNotExist) {
			break
		}
		if moving != nil {
			return before, nil, &StuckListError{Path: path, Err: err, Moving: moving}
		}
		o.SetAside = append(o.SetAside, aside)
		// Another hand may have put a list there since.
		if data, err = readRegular(aside); err == nil {
			if list, err = crl.Parse(data); err == nil {
				return before, list, nil
			}
		}
	}
	last, err := s.lastGood(&Standing{Broken: err})
	if err != nil {
		o.Problems = append(o.Problems, err)
	}
	return before, listOf(crl.Union(crl.Salvage(data), last)), nil
}

// moveAside gives what cannot be read, a folder or a pipe say, a name that tells what and when, and returns its path.
func (s *Store) moveAside(name, what string) (string, error) {
	return s.aside(name, what, func(path string) error { return durable.RenameNew(s.endpoint(name), path) })
}

// setAside keeps a file's content under a name that tells what and when, and returns its path.
func (s *Store) setAside(name string, data []byte, what string) (string, error) {
	return s.aside(name, what, func(path string) error { return durable.Create(path, data, 0o644) })
}

// aside has keep fill the first such name that is free.
func (s *Store) aside(name, what string, keep func(path string) error) (string, error) {
	base := s.endpoint(name + "." + what + "-" + s.o.Now().UTC().Format("20060102T150405Z"))
	for n := 1; ; n++ {
		path := base
		if n > 1 {
			path = fmt.Sprintf("%s-%d", base, n)
		}
		err := keep(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrExist) || n > 1000 {
			return "", fmt.Errorf("setting the %s %s aside: %w", what, name, err)
		}
	}
}
