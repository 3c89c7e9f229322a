package store

import (
	"context"
	"os"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/ftsca/ftsca/crl"
)

// Unlapsed leaves the entries whose certificates had not expired when their authority's last list was made, which made
// tells by key identifier: those that expired are signed no more. It goes by the endpoint's list of what was issued, and
// holds of it only what the entries are about; what cannot be read there has not expired. What it returns must not be
// changed.
func (s *Store) Unlapsed(ctx context.Context, entries []crl.Entry, made map[string]time.Time) []crl.Entry {
	if len(entries) == 0 || len(made) == 0 {
		return entries
	}
	f, err := os.Open(s.endpoint(issuedFile))
	if err != nil {
		return entries
	}
	defer f.Close()
	about := make(map[string]*validity, len(entries)) // by serial; nil until the list tells
	for _, e := range entries {
		about[e.Serial.String()] = nil
	}
	err = eachListed(ctx, f, func(line []byte, _ int64) {
		var of struct {
			Serial   string    `json:"serial"`
			Issuer   string    `json:"issuer"`
			NotAfter time.Time `json:"not_after"`
		}
		if jsonv2.Unmarshal(line, &of) != nil {
			return
		}
		// Of several lines for one serial the first counts, as for all who read the list.
		if v, asked := about[of.Serial]; asked && v == nil {
			about[of.Serial] = &validity{of.Issuer, of.NotAfter}
		}
	})
	if err != nil {
		return entries
	}
	left := subset{of: entries}
	for _, e := range entries {
		v := about[e.Serial.String()]
		left.take(v == nil || !v.lapsed(e, made[v.Issuer]))
	}
	return left.entries()
}
