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

// revocations finds entries by the serial of a record.
type revocations map[string]crl.Entry

func revocationsOf(entries []crl.Entry) revocations {
	m := make(revocations, len(entries))
	for _, e := range entries {
		m[e.Serial.String()] = e
	}
	return m
}

// has tells whether a record's certificate is revoked or on hold.
func (m revocations) has(r store.Record) bool {
	_, ok := m[r.Serial]
	return ok
}

// state judges a record: revocation weighs more than dates.
func (m revocations) state(r store.Record, now time.Time) (string, *crl.Entry) {
	if e, ok := m[r.Serial]; ok {
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
