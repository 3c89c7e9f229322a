package command

import (
	"context"
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/output"
)

type auditOptions struct {
	g    *global
	json bool
}

func newAuditCommand(g *global, runF func(context.Context, *auditOptions) error) *cobra.Command {
	o := &auditOptions{g: g}
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Check the audit trail and show it",
		Long: `Check the chain of the audit trail and show it: each signing and each revocation, when, and by whom. The
exit code is 3 where the chain does not hold.`,
		Example: "  ftsca audit\n  ftsca audit --json",
		Args:    cobra.NoArgs,
		RunE:    g.run(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print the trail as JSON")
	return cmd
}

func runAudit(ctx context.Context, o *auditOptions) error {
	g := o.g
	s, _, err := g.open(ctx)
	if err != nil {
		return err
	}
	trail, err := s.Audit(ctx)
	var chain *store.ChainError
	if err != nil && !errors.As(err, &chain) {
		return err
	}
	if o.json {
		err = output.JSON(g.env.Stdout, trail)
	} else {
		tty, width := g.env.tty()
		rows := make([][]string, 0, len(trail))
		for _, e := range trail {
			rows = append(rows, []string{strconv.FormatUint(e.Number, 10), output.Time(e.Time, g.env.Now(), tty), e.Act, e.Name, e.Serial, e.Detail, e.By})
		}
		err = output.Table(g.env.Stdout, width, []string{"number", "time", "act", "name", "serial", "detail", "by"}, rows)
	}
	if err == nil && chain != nil {
		err = &noError{chain.Error()}
	}
	return err
}
