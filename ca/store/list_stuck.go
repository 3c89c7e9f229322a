package store

import (
	"fmt"

	"github.com/ftsca/ftsca/crl"
)

// StuckListError says that what is in the place of FTS_CRL.json can be neither replaced nor moved: something is mounted
// there, perhaps.
type StuckListError struct {
	Path   string
	Err    error // why it cannot be read; nil where it can
	Moving error // why it cannot be replaced, or set aside
}

func (e *StuckListError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("the revocation list %s cannot be replaced (%v)", e.Path, e.Moving)
	}
	return fmt.Sprintf("the revocation list %s can be neither read (%v) nor set aside (%v)", e.Path, e.Err, e.Moving)
}

// Unwrap returns why the list cannot be replaced, or set aside.
func (e *StuckListError) Unwrap() error { return e.Moving }

// unlisted is edit where FTS_CRL.json is stuck: the last good list, with the entries, to be kept as such. A running
// endpoint takes them up from there.
func (s *Store) unlisted(entries []crl.Entry, harden *hardener, o *Outcome) (*crl.List, error) {
	o.Unlisted = true
	last, err := s.lastGood(&Standing{Broken: errIrregular})
	if err != nil {
		o.Problems = append(o.Problems, err)
	}
	if data, err := readRegular(s.endpoint(jsonFile)); err == nil {
		last = crl.Union(last, entriesOf(data))
	}
	list, added := listOf(last), map[crl.Serial]crl.Entry{}
	for _, e := range entries {
		if list.Add(e) {
			added[e.Serial] = e
		}
	}
	o.part(entries, added)
	return list, harden.apply(list)
}
