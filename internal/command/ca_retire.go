package command

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
)

type caRetireOptions struct {
	g      *global
	name   string
	force  bool
	dryRun bool
}

func newCARetireCommand(g *global, runF func(context.Context, *caRetireOptions) error) *cobra.Command {
	o := &caRetireOptions{g: g}
	cmd := &cobra.Command{
		Use:   "retire NAME",
		Short: "Take an earlier authority out of use after a rollover",
		Long: `Take an earlier authority out of use: endpoints let none of its clients in any more, and new packages no
longer tell devices to trust it. It is refused while valid certificates of clients are still of that
authority, unless --force says that they are to be locked out.`,
		Example: `  ftsca ca retire "Valley Rescue CA"`,
		Args:    cobra.ExactArgs(1),
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.name = args[0]
			return runF(ctx, o)
		}),
	}
	cmd.Flags().BoolVar(&o.force, "force", false, "lock out whoever still has a certificate of it")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would be retired, and retire nothing")
	return cmd
}

func runCARetire(ctx context.Context, o *caRetireOptions) error {
	g := o.g
	s, standing, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	authorities, err := s.Authorities(ctx)
	if err != nil {
		return err
	}
	old := authorities.Named(o.name)
	if old == nil || !slices.Contains(authorities.Earlier, old) {
		return fmt.Errorf("%q is not one of the store's earlier authorities", o.name)
	}
	records, err := s.Records(ctx)
	if err != nil {
		return err
	}
	left := store.StillOn(records, standing.InForce, old, g.env.Now())
	if len(left) > 0 && !o.force {
		return hinted(fmt.Errorf("%s of %q in use, and would be locked out", plural(len(left), "certificate is still", "certificates are still"), o.name),
			"ftsca list --still-on shows them, ftsca renew moves them; --force locks them out")
	}
	if o.dryRun {
		g.say("would retire  %s", o.name)
		return nil
	}
	if err := s.Retire(ctx, old); err != nil {
		return err
	}
	g.say("retired  %s", o.name)
	return nil
}
