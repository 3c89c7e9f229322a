package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

// maxFrom bounds a file of names: a million lines of sixty characters.
const maxFrom = 64 << 20

// many is what a file of names and serials means.
type many struct {
	addresses, serials []string
	damaged            error // why the ledger could not be read; the endpoint's list of what was issued served instead
	find               func(address string) ([]store.Record, error)
}

// readFrom reads the file that --from names, and checks every line of it.
func (o *revokeOptions) readFrom(ctx context.Context, s *store.Store) (many, error) {
	info, err := os.Stat(o.from)
	if err == nil && info.Size() > maxFrom {
		return many{}, fmt.Errorf("reading what is to be revoked: %s has more than %d MiB", o.from, maxFrom>>20)
	}
	data, err := os.ReadFile(o.from)
	if err != nil {
		return many{}, fmt.Errorf("reading what is to be revoked: %w", err)
	}
	var m many
	records, err := s.Records(ctx)
	if err != nil && ctx.Err() == nil {
		m.damaged = err
		records, err = s.Listed()
	}
	if err != nil {
		return many{}, err
	}
	m.find = finder(records)
	var faults []error
	number := 0
	for line := range bytes.Lines(data) {
		number++
		word := crl.Uncomment(string(line))
		if word == "" {
			continue
		}
		_, unknown := m.find(word)
		_, none := crl.ParseSerial(word)
		switch {
		case unknown == nil:
			m.addresses = append(m.addresses, word)
		case none == nil && meansSerial(word):
			m.serials = append(m.serials, word)
		default:
			faults = append(faults, fmt.Errorf("%s, line %d: %w", o.from, number, unknown))
		}
	}
	if n := len(faults); n > 10 {
		faults = append(faults[:10], fmt.Errorf("and %d more", n-10))
	}
	if len(faults) > 0 {
		return many{}, hinted(fmt.Errorf("nothing was revoked: %w", errors.Join(faults...)), "mend the file, and run this again")
	}
	if len(m.addresses)+len(m.serials) == 0 {
		return many{}, fmt.Errorf("%s names nothing that is to be revoked", o.from)
	}
	return m, nil
}

// meansSerial tells a serial from a name with a slip in it that happens to be hex, as "ada" would be.
func meansSerial(word string) bool {
	return len(word) >= 8 || strings.HasPrefix(strings.ToLower(word), "0x") || strings.Contains(word, ":")
}

// finder resolves addresses among records as [store.Store.Find] does, many of them.
func finder(records []store.Record) func(string) ([]store.Record, error) {
	byName, bySerial := map[string][]store.Record{}, map[string]store.Record{}
	for _, r := range records {
		byName[r.Name] = append(byName[r.Name], r)
		bySerial[r.Serial] = r
	}
	return func(address string) ([]store.Record, error) {
		if found := byName[address]; len(found) > 0 {
			return found, nil
		}
		if i := strings.LastIndexByte(address, '#'); i > 0 {
			generation, err := strconv.Atoi(address[i+1:])
			at := slices.IndexFunc(byName[address[:i]], func(r store.Record) bool { return r.Generation == generation })
			if err == nil && at >= 0 {
				return byName[address[:i]][at : at+1], nil
			}
		}
		if serial, err := crl.ParseSerial(address); err == nil {
			if r, ok := bySerial[serial.String()]; ok {
				return []store.Record{r}, nil
			}
		}
		return nil, &store.UnknownError{Address: address}
	}
}
