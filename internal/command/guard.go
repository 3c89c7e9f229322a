package command

import (
	"context"
	"fmt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
)

// guardServer refuses a server's certificate of the new authority while, during a rollover, devices still trust no other
// than an earlier one: they would not connect to that server any more.
func (g *global) guardServer(ctx context.Context, s *store.Store, a store.Authorities, force bool) error {
	if len(a.Earlier) == 0 || force {
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
	revoked := revocationsOf(standing.InForce)
	for _, earlier := range a.Earlier {
		clients := 0
		for _, r := range stillOn(records, revoked, earlier, g.env.Now()) {
			if r.Purpose == ca.Client {
				clients++
			}
		}
		// Below one root, a device trusts what the root vouches for only where it holds every authority in between.
		if clients > 0 {
			return hinted(fmt.Errorf("%s no other authority than %q, and would not trust this server",
				plural(clients, "client still trusts", "clients still trust"), earlier.Subject.CommonName),
				"renew them first: ftsca list --still-on %q shows them; --force locks them out", earlier.Subject.CommonName)
		}
	}
	return nil
}
