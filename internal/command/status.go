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

// revocations finds entries by serial.
type revocations map[crl.Serial]crl.Entry

func revocationsOf(entries []crl.Entry) revocations {
	m := make(revocations, len(entries))
	for _, e := range entries {
		m[e.Serial] = e
	}
	return m
}

// state judges a record: revocation weighs more than dates.
func (m revocations) state(r store.Record, now time.Time) (string, *crl.Entry) {
	if serial, err := crl.ParseSerial(r.Serial); err == nil {
		if e, ok := m[serial]; ok {
			if e.Reason == crl.CertificateHold {
				return stateHeld, &e
			}
			return stateRevoked, &e
		}
	}
	switch {
	case now.After(r.NotAfter):
		return stateExpired, nil
	case now.Before(r.NotBefore):
		return stateUnborn, nil
	}
	return stateValid, nil
}
