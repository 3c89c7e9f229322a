package command

import (
	"time"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

// The states of a certificate.
const (
	stateValid   = "valid"
	stateRevoked = "revoked"
	stateExpired = "expired"
	stateUnborn  = "not yet valid"
	stateHeld    = "on hold"
)

// revocations judge a record as an endpoint judges its certificate, and know why.
type revocations struct {
	checker *crl.Checker
	entries map[string]crl.Entry   // by serial, as a record has it
	more    map[string][]crl.Entry // of the serials that have several, those beside
}

func revocationsOf(entries []crl.Entry) revocations {
	m := revocations{crl.NewChecker(entries), make(map[string]crl.Entry, len(entries)), map[string][]crl.Entry{}}
	for _, e := range entries {
		serial := e.Serial.String()
		if _, twice := m.entries[serial]; twice {
			m.more[serial] = append(m.more[serial], e)
		} else {
			m.entries[serial] = e
		}
	}
	return m
}

// of returns the entry that revokes a record's certificate, or has it on hold.
func (m revocations) of(r store.Record) (crl.Entry, bool) {
	found, ok := m.entries[r.Serial]
	if !ok {
		return crl.Entry{}, false
	}
	// Where a record does not know its authority, any will do.
	if r.Issuer != "" && !m.checker.Covers(crl.Entry{Serial: found.Serial, Issuer: r.Issuer}) {
		return crl.Entry{}, false
	}
	about := func(e crl.Entry) bool { return r.Issuer == "" || e.Issuer == "" || e.Issuer == r.Issuer }
	for _, e := range m.more[r.Serial] {
		// What is revoked for good by one entry and on hold by another is told as revoked.
		if about(e) && (!about(found) || found.Reason == crl.CertificateHold) {
			found = e
		}
	}
	return found, true
}

// has tells whether a record's certificate is revoked or on hold.
func (m revocations) has(r store.Record) bool {
	_, ok := m.of(r)
	return ok
}

// state judges a record: revocation weighs more than dates.
func (m revocations) state(r store.Record, now time.Time) (string, *crl.Entry) {
	if e, ok := m.of(r); ok {
		if e.Reason == crl.CertificateHold {
			return stateHeld, &e
		}
		return stateRevoked, &e
	}
	switch {
	case now.After(r.NotAfter):
		return stateExpired, nil
	case now.Before(r.NotBefore):
		return stateUnborn, nil
	}
	return stateValid, nil
}
