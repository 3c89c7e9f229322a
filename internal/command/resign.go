package command

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
)

// changed is how people are told of a change of the list that other servers do not know yet: waits where there is nobody
// to sign it, with since when, and mend where that failed. unlisted says that
// FTS_CRL.json has none of it.
type changed struct {
	waits, mend, since string
	unlisted           bool
}

// by says since when the X.509 list waits, after a change; where there is nothing that it could lack, nothing.
func (c changed) by(o store.Outcome) changed {
	c.unlisted = o.Unlisted
	if len(o.Added)+len(o.Hardened)+len(o.Removed)+len(o.Changed)+len(o.Unsigned)+len(o.Dropped) == 0 {
		c.waits = ""
		return c
	}
	var waits []string
	if n := len(o.Unsigned); n > 0 {
		waits = append(waits, plural(n, "revocation", "revocations")+since(o.Unsigned))
	}
	if n := len(o.Dropped); n > 0 {
		waits = append(waits, plural(n, "removal", "removals")+since(o.Dropped))
	}
	if len(waits) > 0 {
		c.since = " (" + strings.Join(waits, "; ") + ")"
	}
	return c
}

var (
	nowRevoked = changed{
		waits: "note: what is revoked is in force in FTS_CRL.json and wherever ftsca serve runs on this store; the X.509 list for other servers waits for: ftsca crl sign",
		mend:  "the revocation is in force in FTS_CRL.json; mend this, then ftsca crl sign",
	}
	nowReleased = changed{
		waits: "note: it is let in again wherever ftsca serve runs on this store; the X.509 list for other servers waits for: ftsca crl sign",
		mend:  "it is revoked no more in FTS_CRL.json; mend this, then ftsca crl sign",
	}
	nowReasoned = changed{
		waits: "note: FTS_CRL.json gives the reason; the X.509 list for other servers waits for: ftsca crl sign",
		mend:  "FTS_CRL.json gives the reason; mend this, then ftsca crl sign",
	}
)

// resign signs the X.509 list anew where the key can be opened without a question, and else says that it waits. What is not
// listed is signed by ftsca crl repair, which puts it on the list: the hint of the outcome's problem says to run that.
func (g *global) resign(ctx context.Context, s *store.Store, source secretSource, what changed) error {
	if what.unlisted {
		return nil
	}
	if !s.HasAuthority() {
		if what.waits != "" {
			g.talk("%s, on the authority's machine%s", what.waits, what.since)
		}
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
		if what.waits != "" {
			g.talk("%s%s", what.waits, what.since)
		}
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
