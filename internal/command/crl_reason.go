package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/output"
)

type crlSetReasonOptions struct {
	g          *global
	address    string
	reason     string
	force      bool
	passphrase secretSource
	dryRun     bool
	json       bool
}

func newCRLSetReasonCommand(g *global, runF func(context.Context, *crlSetReasonOptions) error) *cobra.Command {
	o := &crlSetReasonOptions{g: g}
	cmd := &cobra.Command{
		Use:   "set-reason SERIAL|NAME|NAME#GENERATION REASON",
		Short: "Say better why something is revoked",
		Long: `Change the reason of a revocation, and nothing else of it. What is on hold becomes final by any other reason;
to make a hold of what is final needs --force, since a hold can be released.`,
		Example: "  ftsca crl set-reason bob key_compromise\n  ftsca crl set-reason 1A2B3C4D5E6F superseded",
		Args:    cobra.ExactArgs(2),
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.address, o.reason = args[0], args[1]
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.force, "force", false, "make a hold of what is final")
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be changed, and change nothing")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return cmd
}

func runCRLSetReason(ctx context.Context, o *crlSetReasonOptions) error {
	g := o.g
	reason, err := crl.ParseReason(o.reason)
	if err != nil {
		return &usageError{err}
	}
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
	found, err := g.pick(ctx, s, standing.InForce, o.address)
	if err != nil {
		return err
	}
	if gone := crl.Missing(standing.Listed, found.entries); len(gone) > 0 {
		return hinted(fmt.Errorf("%s is in force, but another hand took it out of FTS_CRL.json", found.target(gone[0])), "ftsca crl restore puts it back first")
	}
	if o.dryRun {
		for _, e := range found.entries {
			g.say("would change  %s from %s to %s", found.target(e), e.Reason, reason)
		}
		g.warn(standing)
		return nil
	}
	outcome, err := s.SetReason(ctx, found.entries, found.names(), reason, o.force)
	var final *store.FinalError
	if errors.As(err, &final) {
		return hinted(err, "--force makes a hold of it all the same, which can be released")
	}
	if err != nil {
		return err
	}
	results := []edited{}
	for _, e := range outcome.Changed {
		one := found.edited(e)
		one.Reason = reason.String()
		results = append(results, one)
		if !o.json {
			g.say("changed  %s from %s to %s", found.target(e), e.Reason, reason)
		}
	}
	if o.json {
		if err := output.JSON(g.env.Stdout, results); err != nil {
			return err
		}
	}
	g.warnOutcome(outcome)
	if len(outcome.Changed) == 0 {
		if !o.json {
			g.say("the reason is %s already", reason)
		}
		g.warnWaiting(outcome.Unsigned, outcome.Dropped)
		return nil
	}
	return g.resign(ctx, s, o.passphrase, nowReasoned.by(outcome))
}
