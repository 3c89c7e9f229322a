package command

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

// An entry that names its authority is about that one's certificate alone, as in serve; where a record does not know its
// authority, it is better to say revoked.
func TestARecordIsRevokedWhereItsCertificateIs(t *testing.T) {
	serial := crl.SerialOf(big.NewInt(0xa1))
	ours, others := strings.Repeat("ab", 20), strings.Repeat("cd", 20)
	entry := func(issuer string, reason crl.Reason) crl.Entry {
		return crl.Entry{Serial: serial, Issuer: issuer, Reason: reason}
	}
	holds := func(e crl.Entry) []crl.Entry { return []crl.Entry{entry(ours, crl.CertificateHold), e} }
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		issuer  string
		entries []crl.Entry
		want    string
	}{
		"under nobody":                           {ours, nil, stateValid},
		"under every authority":                  {ours, []crl.Entry{entry("", crl.Superseded)}, stateRevoked},
		"under its own":                          {ours, []crl.Entry{entry(ours, crl.Superseded)}, stateRevoked},
		"under another":                          {ours, []crl.Entry{entry(others, crl.Superseded)}, stateValid},
		"on hold under its own":                  {ours, []crl.Entry{entry(ours, crl.CertificateHold)}, stateHeld},
		"on hold, and revoked in a further list": {ours, []crl.Entry{entry("", crl.CertificateHold), entry(ours, crl.KeyCompromise)}, stateRevoked},
		"on hold, and another's revoked":         {ours, holds(entry(others, crl.KeyCompromise)), stateHeld},
		"on hold, and before it another's":       {ours, []crl.Entry{entry(others, crl.KeyCompromise), entry("", crl.CertificateHold)}, stateHeld},
		"of nobody, on hold and revoked":         {"", holds(entry(others, crl.KeyCompromise)), stateRevoked},
		"of an unknown authority":                {"", []crl.Entry{entry(others, crl.Superseded)}, stateRevoked},
	} {
		r := store.Record{Serial: serial.String(), Issuer: c.issuer, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
		if got, _ := revocationsOf(c.entries).state(r, now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
