package command

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
)

type packageDeliveredOptions struct {
	g      *global
	names  []string
	all    bool
	dryRun bool
}

func newPackageDeliveredCommand(g *global, runF func(context.Context, *packageDeliveredOptions) error) *cobra.Command {
	o := &packageDeliveredOptions{g: g}
	cmd := &cobra.Command{
		Use:     "delivered NAME...",
		Short:   "Note that packages have been handed over",
		Long:    `Note that the packages of clients have been handed over, so that ftsca package purge --delivered removes them.`,
		Example: "  ftsca package delivered alice bob\n  ftsca package delivered --all",
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.names = args
			return runF(ctx, o)
		}),
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "all packages that are there")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would be noted, and note nothing")
	return cmd
}

func runPackageDelivered(ctx context.Context, o *packageDeliveredOptions) error {
	if o.all == (len(o.names) > 0) {
		return hinted(usagef("name the clients whose packages were handed over, or give --all"), "ftsca package delivered alice")
	}
	s, _, err := o.g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	records, err := packed(ctx, s, o.names)
	if err != nil {
		return err
	}
	says := "delivered  %s#%d"
	if o.dryRun {
		says = "would note as delivered  %s#%d"
	} else if err := s.Deliver(ctx, records); err != nil {
		return err
	}
	for _, r := range records {
		o.g.say(says, r.Name, r.Generation)
	}
	return nil
}

type packagePurgeOptions struct {
	g         *global
	names     []string
	delivered bool
	all       bool
	dryRun    bool
}

func newPackagePurgeCommand(g *global, runF func(context.Context, *packagePurgeOptions) error) *cobra.Command {
	o := &packagePurgeOptions{g: g}
	cmd := &cobra.Command{
		Use:   "purge NAME... | purge --delivered",
		Short: "Remove packages that have been handed over",
		Long: `Remove packages, and the files with their passwords, from clientPackages/: each holds its client's key, and
whoever has it is the client. No other copy of the key is kept: renewing needs --rekey from then on.`,
		Example: "  ftsca package purge alice\n  ftsca package purge --delivered",
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.names = args
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.delivered, "delivered", false, "those that were noted as handed over (ftsca package delivered)")
	flags.BoolVar(&o.all, "all", false, "all of them")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be removed, and remove nothing")
	cmd.MarkFlagsMutuallyExclusive("delivered", "all")
	return cmd
}

func runPackagePurge(ctx context.Context, o *packagePurgeOptions) error {
	g := o.g
	if (o.all || o.delivered) == (len(o.names) > 0) {
		return hinted(usagef("name the clients whose packages are to be removed, or give --delivered or --all"), "ftsca package purge alice")
	}
	s, _, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	records, err := packed(ctx, s, o.names)
	if err != nil {
		return err
	}
	var chosen []store.Record
	for _, r := range records {
		if !o.delivered || !r.Delivered.IsZero() {
			chosen = append(chosen, r)
		}
	}
	if o.dryRun {
		for _, r := range chosen {
			for _, name := range r.Packages {
				g.say("would remove  %s", packagePath(s, name))
			}
		}
		return nil
	}
	removed, err := s.Purge(ctx, chosen)
	if err != nil {
		return err
	}
	for _, path := range removed {
		if store.IsPackage(path) {
			g.say("removed  %s", path)
		}
	}
	if len(removed) == 0 {
		g.talk("nothing to remove")
	}
	return nil
}

// packed returns the records that have packages: of the names, or all of them.
func packed(ctx context.Context, s *store.Store, names []string) ([]store.Record, error) {
	records, err := s.Records(ctx)
	if len(names) > 0 {
		records = nil
		for _, name := range names {
			var found []store.Record
			if found, err = s.Find(ctx, name); err != nil {
				return nil, err
			}
			records = append(records, found...)
		}
	}
	if err != nil {
		return nil, err
	}
	var with []store.Record
	for _, r := range records {
		if len(r.Packages) > 0 {
			with = append(with, r)
		}
	}
	return with, nil
}
