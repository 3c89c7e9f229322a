package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

// picked are the entries that an address means.
type picked struct {
	entries []crl.Entry
	known   map[crl.Serial]store.Record // what the store knows of their certificates
}

// pick finds the entries of the list that an address means: a name, NAME#GENERATION, or a serial in any spelling, whether
// the store knows it or not.
func (g *global) pick(ctx context.Context, s *store.Store, entries []crl.Entry, address string) (picked, error) {
	p := picked{known: map[crl.Serial]store.Record{}}
	serials := map[crl.Serial]bool{}
	records, err := s.Find(ctx, address)
	var unknown *store.UnknownError
	if err != nil && !errors.As(err, &unknown) && ctx.Err() == nil {
		records, err = s.FindListed(address)
	}
	switch {
	case err == nil:
		for _, r := range records {
			serial, err := crl.ParseSerial(r.Serial)
			if err != nil {
				return p, fmt.Errorf("the record of %q: %w", r.Name, err)
			}
			serials[serial], p.known[serial] = true, r
		}
	case errors.As(err, &unknown):
		serial, none := crl.ParseSerial(address)
		if none != nil {
			return p, err
		}
		serials[serial] = true
	default:
		return p, err
	}
	for _, e := range entries {
		if serials[e.Serial] {
			p.entries = append(p.entries, e)
		}
	}
	if len(p.entries) == 0 {
		return p, hinted(fmt.Errorf("%s is not on the revocation list", address), "ftsca crl list shows what is")
	}
	return p, nil
}

// target says what an entry is about.
func (p picked) target(e crl.Entry) target {
	r := p.known[e.Serial]
	return target{serial: e.Serial, name: r.Name, generation: r.Generation}
}

// names are for the audit trail.
func (p picked) names() map[crl.Serial]string {
	names := map[crl.Serial]string{}
	for serial, r := range p.known {
		names[serial] = r.Name
	}
	return names
}

// join adds what another address means.
func (p *picked) join(other picked) {
	p.entries = crl.Union(p.entries, other.entries)
	if p.known == nil {
		p.known = map[crl.Serial]store.Record{}
	}
	for serial, r := range other.known {
		p.known[serial] = r
	}
}

// edited is what became of an entry, for JSON.
type edited struct {
	Serial     string `json:"serial"`
	Name       string `json:"name,omitempty"`
	Generation int    `json:"generation,omitempty"`
	Was        string `json:"was,omitempty"` // the reason before
	Reason     string `json:"reason,omitempty"`
}

func (p picked) edited(e crl.Entry) edited {
	r := p.known[e.Serial]
	return edited{Serial: e.Serial.String(), Name: r.Name, Generation: r.Generation, Was: e.Reason.String()}
}

// oneLine writes JSON without the blanks between its parts, and without what a terminal would act on.
func oneLine(text json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return unicode.ReplacementChar
		}
		return r
	}, b.String())
}
