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
	entries map[string]crl.Entry // by serial, as a record has it
}

func revocationsOf(entries []crl.Entry) revocations {
	m := revocations{crl.NewChecker(entries), make(map[string]crl.Entry, len(entries))}
	for _, e := range entries {
		serial := e.Serial.String()
		// What is revoked for good under one authority and on hold under another is told as revoked.
		if before, twice := m.entries[serial]; !twice || before.Reason == crl.CertificateHold {
			m.entries[serial] = e
		}
	}
	return m
}

// of returns the entry that revokes a record's certificate, or has it on hold.
func (m revocations) of(r store.Record) (crl.Entry, bool) {
	e, ok := m.entries[r.Serial]
	if !ok {
		return crl.Entry{}, false
	}
	// Where a record does not know its authority, any will do.
	if r.Issuer != "" && !m.checker.Covers(crl.Entry{Serial: e.Serial, Issuer: r.Issuer}) {
		return crl.Entry{}, false
	}
	return e, true
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
