package store

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/ftsca/ftsca/crl"
)

// Unlapsed leaves the entries whose certificates had not expired when their authority's last list was made, which made
// tells by key identifier: those that expired are signed no more. It goes by the endpoint's list of what was issued, and
// holds none of it; what cannot be read there has not expired. What it returns must not be changed.
func (s *Store) Unlapsed(ctx context.Context, entries []crl.Entry, made map[string]time.Time) []crl.Entry {
	expired := map[string]validity{}
	if len(entries) == 0 || len(made) == 0 {
		return entries
	}
	f, err := os.Open(s.endpoint(issuedFile))
	if err != nil {
		return entries
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, longestListed)
	for ctx.Err() == nil {
		line, err := lines.ReadSlice('\n')
		var of struct {
			Serial   string    `json:"serial"`
			Issuer   string    `json:"issuer"`
			NotAfter time.Time `json:"not_after"`
		}
		if err == nil && jsonv2.Unmarshal(line, &of) == nil && made[of.Issuer].After(of.NotAfter) {
			expired[of.Serial] = validity{of.Issuer, of.NotAfter}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if !errors.Is(err, io.EOF) {
				return entries
			}
			break
		}
	}
	if len(expired) == 0 {
		return entries
	}
	left := subset{of: entries}
	for _, e := range entries {
		v, ok := expired[e.Serial.String()]
		left.take(!ok || !v.lapsed(e, made[v.Issuer]))
	}
	return left.entries()
}
