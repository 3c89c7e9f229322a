package reload

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ftsca/ftsca/crl"
)

// GivenError says why a further list cannot be used.
type GivenError struct {
	Path string
	Err  error
}

func (e *GivenError) Error() string {
	return fmt.Sprintf("the further revocation list %s cannot be used: %v", e.Path, e.Err)
}

// Unwrap returns what is wrong with the list.
func (e *GivenError) Unwrap() error { return e.Err }

// StaleError says that a further list is past its nextUpdate.
type StaleError struct {
	Path string
	Due  time.Time // its nextUpdate
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("the further revocation list %s was due for renewal at %s: nobody knows who was revoked since",
		e.Path, e.Due.UTC().Format(time.RFC3339))
}

// givenList is a file with further X.509 lists.
type givenList struct {
	path string
	err  error     // why the file cannot be used: a *GivenError
	due  time.Time // the earliest nextUpdate of its lists; zero when none has one
}

// load reads the lists of a file, and returns what they revoke. Where one of them cannot be used, the file is at fault,
// and what the others revoke counts all the same.
func (g *givenList) load(s *source, cas []*x509.Certificate) (entries []crl.Entry) {
	g.err, g.due = nil, time.Time{}
	data, err := s.content()
	if err == nil && len(data) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		g.err = &GivenError{Path: g.path, Err: err}
		return nil
	}
	for der := range listsIn(data) {
		x, by, err := verify(der, cas)
		if err != nil {
			g.err = &GivenError{Path: g.path, Err: err}
			continue
		}
		issuer := crl.KeyID(by)
		for e := range x.All() {
			e.Issuer = issuer
			entries = append(entries, e)
		}
		if due := x.NextUpdate; !due.IsZero() && (g.due.IsZero() || due.Before(g.due)) {
			g.due = due
		}
	}
	return entries
}

// Further reads further lists as [Files.Load] reads Files.Lists, by the CAs of the ca.pem that bundle names, and returns
// what they revoke, and each of what is wrong with them: a *[GivenError], a *[StaleError], or why bundle cannot be read.
// What can be read counts whatever is wrong with the rest.
func Further(paths []string, bundle string, now time.Time) (entries []crl.Entry, faults []error) {
	ca := &source{path: bundle}
	ca.read(true)
	a, err := readBundle(ca)
	if err != nil {
		return nil, []error{err}
	}
	for _, path := range paths {
		g, s := givenList{path: path}, &source{path: path}
		s.read(true)
		entries = append(entries, g.load(s, a.cas)...)
		for _, fault := range []error{g.err, g.stale(now)} {
			if fault != nil {
				faults = append(faults, fault)
			}
		}
	}
	return entries, faults
}

// check tells why the endpoint must not start with the list.
func (g *givenList) check(now time.Time, staleToo bool) error {
	if g.err != nil || staleToo {
		return g.err
	}
	return g.stale(now)
}

// stale returns a *StaleError where the list is past its nextUpdate.
func (g *givenList) stale(now time.Time) error {
	if g.due.IsZero() || !now.After(g.due) {
		return nil
	}
	return &StaleError{Path: g.path, Due: g.due}
}

// give puts what a further list revokes in force. No hand took that out of FTS_CRL.json, and no removal is about it.
func (r *list) give(entries []crl.Entry) (changed bool) {
	r.givenEntries = slices.Concat(r.givenEntries, crl.Missing(r.givenEntries, entries))
	more := crl.Missing(r.inForce, entries)
	r.inForce, r.covered = slices.Concat(r.inForce, more), nil
	return len(more) > 0
}
