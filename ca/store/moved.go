package store

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
)

// StillOn returns, of records, the certificates of an authority that are in use, and whose name has none of another
// authority: who has not moved in a rollover.
func StillOn(records []Record, inForce []crl.Entry, old *x509.Certificate, now time.Time) []Record {
	revoked := make(map[string]bool, len(inForce))
	for _, e := range inForce {
		revoked[e.Serial.String()] = true
	}
	id := crl.KeyID(old)
	inUse := func(r Record) bool {
		return !r.Purpose.IsAuthority() && !revoked[r.Serial] && !now.Before(r.NotBefore) && !now.After(r.NotAfter)
	}
	moved := map[string]bool{}
	for _, r := range records {
		if r.Issuer != id && inUse(r) {
			moved[r.Name] = true
		}
	}
	var left []Record
	for _, r := range records {
		if r.Issuer == id && inUse(r) && !moved[r.Name] {
			left = append(left, r)
		}
	}
	return left
}

// UnmovedError says that clients still trust no other authority than an earlier one, so that a server with a certificate
// of the present one would be no server for them.
type UnmovedError struct {
	Authority string // the earlier one's common name
	Clients   int
}

func (e *UnmovedError) Error() string {
	clients := "1 client still trusts"
	if e.Clients != 1 {
		clients = fmt.Sprintf("%d clients still trust", e.Clients)
	}
	return fmt.Sprintf("%s no other authority than %q, and would not connect to this server", clients, e.Authority)
}

// CheckMoved tells by an *[UnmovedError] that a rollover has clients who have not moved. What a device trusts came with
// its package, and a server is verified by that alone.
func (s *Store) CheckMoved(ctx context.Context, a Authorities) error {
	if len(a.Earlier) == 0 {
		return nil
	}
	records, err := s.Records(ctx)
	if err != nil {
		return err
	}
	standing, err := s.Standing(ctx)
	if err != nil {
		return err
	}
	for _, earlier := range a.Earlier {
		clients := 0
		for _, r := range StillOn(records, standing.InForce, earlier, s.o.Now()) {
			if r.Purpose == ca.Client {
				clients++
			}
		}
		if clients > 0 {
			return &UnmovedError{Authority: earlier.Subject.CommonName, Clients: clients}
		}
	}
	return nil
}
