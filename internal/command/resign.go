package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
)

// changed is how people are told of a change of the list that other servers do not know yet.
type changed struct{ waits, mend string }

var (
	nowRevoked = changed{
		"note: what is revoked is in force in FTS_CRL.json and wherever ftsca serve runs on this store; the X.509 list for other servers waits for: ftsca crl sign",
		"the revocation is in force in FTS_CRL.json; mend this, then ftsca crl sign",
	}
	nowReleased = changed{
		"note: it is let in again wherever ftsca serve runs on this store; the X.509 list for other servers waits for: ftsca crl sign",
		"it is revoked no more in FTS_CRL.json; mend this, then ftsca crl sign",
	}
	nowReasoned = changed{
		"note: FTS_CRL.json gives the reason; the X.509 list for other servers waits for: ftsca crl sign",
		"FTS_CRL.json gives the reason; mend this, then ftsca crl sign",
	}
)

// resign signs the X.509 list anew where the key can be opened without a question, and else says that it waits.
func (g *global) resign(ctx context.Context, s *store.Store, source secretSource, what changed) error {
	if !s.HasAuthority() {
		g.talk("%s, on the authority's machine", what.waits)
		return nil
	}
	keys, err := g.keyring(ctx, s, source, false)
	if err == nil {
		var signers []*ca.Authority
		if signers, _, err = keys.signers(false); err == nil {
			var p store.Publication
			if p, err = s.SignCRL(ctx, store.Signing{Urgent: true}, signers...); err == nil {
				g.tellPublication(p)
				return nil
			}
		}
	}
	if errors.Is(err, errSealed) || errors.Is(err, store.ErrPending) {
		g.talk("%s", what.waits)
		return nil
	}
	return hinted(fmt.Errorf("the X.509 list was not signed: %w", err), "%s", what.mend)
}

// tellProblems ends a revocation that took effect and left something undone.
func (g *global) tellProblems(problems []error) error {
	seen := map[string]bool{}
	var distinct []error
	for _, p := range problems {
		if !seen[p.Error()] {
			seen[p.Error()] = true
			distinct = append(distinct, p)
		}
	}
	if len(distinct) == 0 {
		return nil
	}
	return fmt.Errorf("the revocation is in force, but: %w", errors.Join(distinct...))
}
