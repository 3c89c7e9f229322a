package command

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
)

type crlFormatOptions struct {
	g      *global
	dryRun bool
}

func newCRLFormatCommand(g *global, runF func(context.Context, *crlFormatOptions) error) *cobra.Command {
	o := &crlFormatOptions{g: g}
	cmd := &cobra.Command{
		Use:   "fmt",
		Short: "Write the list in the documents' form",
		Long: `Write FTS_CRL.json in the form that FreeTAKServer's documents give: indented by two, serials in hex without
colons, dates in UTC, reasons as the documents spell them. Nothing is lost: fields that ftsca does not know, their order
and how their values are written stay, and so does every reason in somebody's own words.`,
		Example: "  ftsca crl fmt\n  ftsca crl fmt --dry-run",
		Args:    cobra.NoArgs,
		RunE:    g.act(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "print the list as it would be, and change nothing")
	return cmd
}

func runCRLFormat(ctx context.Context, o *crlFormatOptions) error {
	g := o.g
	s, err := store.Open(g.folder(), g.options())
	if err != nil {
		return err
	}
	if o.dryRun {
		list, err := s.List()
		if err != nil {
			return err
		}
		g.noteZones(list.Zoneless(), "FTS_CRL.json")
		if err := list.Format(); err != nil {
			return err
		}
		if _, err = g.env.Stdout.Write(list.Bytes()); err != nil {
			return err
		}
		g.warnStanding(ctx, s)
		return nil
	}
	g.noteListed(s)
	changed, err := s.Format(ctx)
	if err != nil {
		return err
	}
	if changed {
		g.say("formatted  FTS_CRL.json")
	} else {
		g.say("FTS_CRL.json has the documents' form already")
	}
	g.warnStanding(ctx, s)
	return nil
}
