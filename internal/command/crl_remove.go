package command

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/output"
)

// releaseOptions are those of crl remove and of revoke --undo.
type releaseOptions struct {
	g          *global
	addresses  []string
	issuer     string
	force      bool
	passphrase secretSource
	dryRun     bool
	json       bool
}

func newCRLRemoveCommand(g *global, runF func(context.Context, *releaseOptions) error) *cobra.Command {
	o := &releaseOptions{g: g}
	cmd := &cobra.Command{
		Use:   "remove SERIAL | NAME | NAME#GENERATION...",
		Short: "Take revocations off the list",
		Long: `Take revocations off the list for good: out of FTS_CRL.json, out of every last good copy, out of the X.509
list that is signed next, and out of the memory of a running ftsca serve. The audit trail tells who did it.
What another hand took out of FTS_CRL.json stays in force until this confirms that it is to go, or ftsca crl restore
puts it back.

Only what is on hold can be released (RFC 5280, 5.3.1). Any other reason is final: --force takes it off all the
same, though a server that has seen the signed list may go on refusing.`,
		Example: `  ftsca crl remove bob
  ftsca crl remove 1A:2B:3C:4D:5E:6F --force`,
		Args: cobra.MinimumNArgs(1),
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.addresses = args
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.force, "force", false, "take it off whatever the reason")
	flags.StringVar(&o.issuer, "issuer", "", "only entries about this `authority`: its name, or its key identifier in hex")
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be taken off, and change nothing")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return cmd
}

func runCRLRemove(ctx context.Context, o *releaseOptions) error { return runRelease(ctx, o) }

func runRelease(ctx context.Context, o *releaseOptions) error {
	g := o.g
	if len(o.addresses) == 0 {
		return usagef("nothing is named that is to be released")
	}
	s, err := store.Open(g.folder(), g.options())
	if err != nil {
		return err
	}
	standing, err := s.Standing(ctx)
	if err != nil {
		return err
	}
	candidates := standing.InForce
	if o.issuer != "" {
		issuer, err := g.issuerNamed(ctx, s, o.issuer)
		if err != nil {
			return err
		}
		candidates = nil
		for _, e := range standing.InForce {
			if e.Issuer == issuer {
				candidates = append(candidates, e)
			}
		}
	}
	var chosen picked
	for _, address := range o.addresses {
		found, err := g.pick(ctx, s, candidates, address)
		if err != nil {
			return err
		}
		if found, err = o.choose(address, found); err != nil {
			return err
		}
		chosen.join(found)
	}
	if o.dryRun {
		for _, e := range chosen.entries {
			g.say("would release  %s, %s", chosen.target(e), e.Reason)
		}
		g.warn(standing)
		return nil
	}
	outcome, err := s.Remove(ctx, chosen.entries, chosen.names(), o.force)
	var final *store.FinalError
	if errors.As(err, &final) {
		return hinted(err, "--force takes it off the list all the same; a new certificate is the better way back: ftsca renew")
	}
	if err != nil {
		return err
	}
	if err := o.tell(chosen, outcome.Removed, standing.Vanished); err != nil {
		return err
	}
	o.warnLeft(chosen, outcome.Removed, standing.InForce)
	g.warnOutcome(outcome)
	return g.resign(ctx, s, o.passphrase, nowReleased.by(outcome))
}

// warnLeft tells of a serial that is revoked by another entry still, for another authority or for all.
func (o *releaseOptions) warnLeft(chosen picked, removed, inForce []crl.Entry) {
	type key struct {
		serial crl.Serial
		issuer string
	}
	gone, serials := map[key]bool{}, map[crl.Serial]bool{}
	for _, e := range removed {
		gone[key{e.Serial, e.Issuer}], serials[e.Serial] = true, true
	}
	for _, e := range inForce {
		if serials[e.Serial] && !gone[key{e.Serial, e.Issuer}] {
			under := "every authority"
			if e.Issuer != "" {
				under = "the authority " + e.Issuer
			}
			o.g.talk("warning: %s is revoked still, under %s", chosen.target(e), under)
		}
	}
}

// choose leaves what of a name's entries is meant: what is on hold, else the one that there is. To undo several that are
// final at once would let in what nobody thought of.
func (o *releaseOptions) choose(address string, found picked) (picked, error) {
	var held []crl.Entry
	serials := map[crl.Serial]bool{}
	for _, e := range found.entries {
		serials[e.Serial] = true
		if e.Reason == crl.CertificateHold {
			held = append(held, e)
		}
	}
	switch {
	case len(serials) == 1 || len(held) == len(found.entries):
		return found, nil
	case len(held) > 0 && !o.force:
		for _, e := range found.entries {
			if e.Reason != crl.CertificateHold {
				o.g.talk("note: %s stays revoked: %s is final", found.target(e), e.Reason)
			}
		}
		found.entries = held
		return found, nil
	}
	var all []string
	for _, e := range found.entries {
		all = append(all, fmt.Sprintf("%s (%s)", found.target(e), e.Reason))
	}
	return found, hinted(usagef("%q means several that are revoked: %s", address, strings.Join(all, ", ")), "name the one: NAME#GENERATION or its serial")
}

func (o *releaseOptions) tell(chosen picked, removed, vanished []crl.Entry) error {
	g := o.g
	gone := map[crl.Serial]bool{}
	for _, e := range vanished {
		gone[e.Serial] = true
	}
	results, final := []edited{}, false
	for _, e := range removed {
		results = append(results, chosen.edited(e))
		final = final || e.Reason != crl.CertificateHold
		switch {
		case o.json:
		case gone[e.Serial]:
			g.say("removed  %s, which another hand had taken out (%s)", chosen.target(e), e.Reason)
		case e.Reason == crl.CertificateHold:
			g.say("released  %s", chosen.target(e))
		default:
			g.say("removed  %s, which was revoked (%s)", chosen.target(e), e.Reason)
		}
	}
	if final {
		g.talk("warning: RFC 5280 knows no way back from any reason but a hold: whoever has seen it on a signed list may go on refusing it")
	}
	if len(removed) == 0 && !o.json {
		g.say("nothing to release")
	}
	if o.json {
		return output.JSON(g.env.Stdout, results)
	}
	return nil
}

type crlRestoreOptions struct {
	g          *global
	addresses  []string
	passphrase secretSource
	dryRun     bool
}

func newCRLRestoreCommand(g *global, runF func(context.Context, *crlRestoreOptions) error) *cobra.Command {
	o := &crlRestoreOptions{g: g}
	cmd := &cobra.Command{
		Use:   "restore [SERIAL | NAME | NAME#GENERATION]...",
		Short: "Put back what another hand took out of the list",
		Long: `Put entries back into FTS_CRL.json that another hand took out of it: all of them, or those that are named.
They have been in force all the while. ftsca crl remove confirms that one is to go.`,
		Example: "  ftsca crl restore\n  ftsca crl restore bob",
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.addresses = args
			return runF(ctx, o)
		}),
	}
	o.passphrase.bind(cmd.Flags(), "ca-passphrase", passphraseWhat)
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would be put back, and change nothing")
	return cmd
}

func runCRLRestore(ctx context.Context, o *crlRestoreOptions) error {
	g := o.g
	s, err := store.Open(g.folder(), g.options())
	if err != nil {
		return err
	}
	standing, err := s.Standing(ctx)
	switch {
	case err != nil:
		return err
	case standing.Broken != nil:
		return standing.Broken
	}
	chosen := picked{entries: standing.Vanished, known: g.namesOf(ctx, s)}
	if len(o.addresses) > 0 {
		chosen = picked{}
		for _, address := range o.addresses {
			found, err := g.pick(ctx, s, standing.Vanished, address)
			if err != nil {
				return fmt.Errorf("%w, or has not vanished from it", err)
			}
			chosen.join(found)
		}
	}
	if len(chosen.entries) == 0 {
		g.say("nothing has vanished from the revocation list")
		g.warn(standing)
		return nil
	}
	if o.dryRun {
		for _, e := range chosen.entries {
			g.say("would put back  %s, %s", chosen.target(e), e.Reason)
		}
		g.warn(standing)
		return nil
	}
	outcome, err := s.Restore(ctx, chosen.entries)
	if err != nil {
		return err
	}
	for _, e := range outcome.Added {
		g.say("put back  %s, %s", chosen.target(e), e.Reason)
	}
	g.warnOutcome(outcome)
	problems := outcome.Problems
	if len(crl.Missing(standing.Unsigned, outcome.Added)) < len(outcome.Added) {
		if err := g.resign(ctx, s, o.passphrase, nowRevoked.by(outcome)); err != nil {
			problems = append(problems, err)
		}
	} else {
		g.warnWaiting(outcome.Unsigned, outcome.Dropped)
	}
	return g.tellProblems(problems)
}
