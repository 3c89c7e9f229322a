package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
)

func newCRLCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "crl",
		Short: "Look at, edit, sign and repair the revocation list",
		Args:  cobra.NoArgs,
		RunE:  help,
	}
	cmd.AddCommand(
		newCRLListCommand(g, runCRLList),
		newCRLShowCommand(g, runCRLShow),
		newCRLAddCommand(g, runCRLAdd),
		newCRLRemoveCommand(g, runCRLRemove),
		newCRLRestoreCommand(g, runCRLRestore),
		newCRLSetReasonCommand(g, runCRLSetReason),
		newCRLFormatCommand(g, runCRLFormat),
		newCRLSignCommand(g, runCRLSign),
		newCRLRepairCommand(g, runCRLRepair),
		newCRLImportCommand(g, runCRLImport),
		newCRLExportCommand(g, runCRLExport),
	)
	return cmd
}

type crlSignOptions struct {
	g          *global
	next       int
	accept     bool
	passphrase secretSource
	dryRun     bool
}

func newCRLSignCommand(g *global, runF func(context.Context, *crlSignOptions) error) *cobra.Command {
	o := &crlSignOptions{g: g}
	cmd := &cobra.Command{
		Use:   "sign",
		Short: "Sign the X.509 revocation list anew",
		Long: `Sign all that is in force as an X.509 revocation list, and publish it as endpoint/FTS_CRL.pem and within
endpoint/ca.pem, which a FreeTAKServer reads at every connection.

What another hand took out of FTS_CRL.json is in force and is signed all the same, unless --accept-removals
confirms that it is to go, as ftsca crl remove --force does. Certificates that have expired are on one more
list after their end, and then on none; FTS_CRL.json keeps them.`,
		Example: "  ftsca crl sign\n  ftsca crl sign --next 90 --ca-passphrase-file pass.txt",
		Args:    cobra.NoArgs,
		RunE:    g.act(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.IntVar(&o.next, "next", ca.DefaultCRLDays, "`days` until the list lapses and servers that read it refuse everyone")
	flags.BoolVar(&o.accept, "accept-removals", false, "let go of what another hand took out of FTS_CRL.json")
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	g.bindClock(flags)
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be signed, and sign nothing")
	return cmd
}

func runCRLSign(ctx context.Context, o *crlSignOptions) error {
	g := o.g
	if o.next < 1 {
		return usagef("--next %d: a list is valid for at least a day", o.next)
	}
	s, standing, err := g.open(ctx)
	if err != nil {
		return err
	}
	if o.dryRun {
		n := len(standing.InForce) - len(standing.Lapsed)
		if o.accept {
			n -= len(standing.Vanished)
			for _, e := range standing.Vanished {
				g.say("would let go  %s", e.Serial)
			}
		}
		g.say("would sign  %s, %d not signed before, for %s", plural(n, "revocation", "revocations"),
			len(standing.Unsigned), plural(o.next, "day", "days"))
		return nil
	}
	keys, err := g.keyring(ctx, s, o.passphrase, true)
	if err != nil {
		return err
	}
	signers, left, err := keys.signers(true)
	if err != nil {
		return err
	}
	p, err := s.SignCRL(ctx, store.Signing{Days: o.next, AcceptRemovals: o.accept}, signers...)
	if err != nil {
		return err
	}
	g.tellPublication(p)
	for _, root := range left {
		g.talk("note: the list of the root %q was not signed: its key has another passphrase", root.Subject.CommonName)
	}
	return nil
}

func (g *global) tellPublication(p store.Publication) {
	for _, e := range p.Removed {
		g.talk("note: %s is revoked no more: it had been taken out of FTS_CRL.json, and that was accepted", e.Serial)
	}
	for _, e := range p.Taken {
		g.talk("note: %s had been revoked by another program in ca.pem; it is on the list now", e.Serial)
	}
	if p.SetAside != "" {
		g.talk("warning: ca.pem had been changed by another hand; what was there is kept as %s", p.SetAside)
	}
	for _, l := range p.Lists {
		of := ""
		if len(p.Lists) > 1 {
			of = fmt.Sprintf(" of %q", l.Authority)
		}
		g.talk("signed the X.509 list%s: %s, number %s", of, plural(l.Entries, "revocation", "revocations"), l.Number)
	}
}

type crlRepairOptions struct {
	g      *global
	dryRun bool
}

func newCRLRepairCommand(g *global, runF func(context.Context, *crlRepairOptions) error) *cobra.Command {
	o := &crlRepairOptions{g: g}
	cmd := &cobra.Command{
		Use:   "repair",
		Short: "Make a broken revocation list whole",
		Long: `Set a FTS_CRL.json that cannot be read aside, under a name that is told, and make it anew from the last
good list and every entry of the broken one that can still be read. Entries that another hand took out
are put back.`,
		Example: "  ftsca crl repair\n  ftsca crl repair --dry-run",
		Args:    cobra.NoArgs,
		RunE:    g.act(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what is broken, and change nothing")
	return cmd
}

func runCRLRepair(ctx context.Context, o *crlRepairOptions) error {
	g := o.g
	s, err := store.Open(g.folder(), g.options())
	if err != nil {
		return err
	}
	if o.dryRun {
		standing, err := s.Standing(ctx)
		if err != nil {
			return err
		}
		if standing.Broken != nil {
			g.say("would set aside  %v", standing.Broken)
		}
		for _, e := range standing.Vanished {
			g.say("would put back   %s", e.Serial)
		}
		g.warnVanished(standing.Vanished, standing.Trace)
		g.warnWaiting(standing.Unsigned, standing.Dropped)
		return nil
	}
	outcome, err := s.Repair(ctx)
	if err != nil {
		return err
	}
	if outcome.Missing {
		g.say("made anew  FTS_CRL.json, which was missing")
	}
	for _, path := range outcome.SetAside {
		g.say("set aside  %s", path)
	}
	for _, e := range outcome.Added {
		g.say("put back   %s", e.Serial)
	}
	problems := outcome.Problems
	if !outcome.Missing && len(outcome.SetAside)+len(outcome.Added) == 0 {
		g.say("nothing to repair: the revocation list is whole")
		g.warnWaiting(outcome.Unsigned, outcome.Dropped)
	} else if err := g.resign(ctx, s, secretSource{descriptor: -1}, nowRevoked.by(outcome)); err != nil {
		problems = append(problems, err)
	}
	return g.tellProblems(problems)
}
