package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/internal/control"
	"github.com/ftsca/ftsca/internal/output"
)

type unbindOptions struct {
	g    *global
	uid  string
	json bool
}

func newUnbindCommand(g *global, runF func(context.Context, *unbindOptions) error) *cobra.Command {
	o := &unbindOptions{g: g}
	cmd := &cobra.Command{
		Use:   "unbind UID",
		Short: "Free a device's uid for another name",
		Long: `Have the ftsca serve that runs on this store forget whose a uid is: of a phone that goes to another person, and
keeps its uid while its certificate's name is another. The next name that sends its own position under it has it.

The log of serve says which name holds a uid, where another one speaks under it. A uid is free by itself after a
day without a position.`,
		Example: "  ftsca unbind ANDROID-352099001761481",
		Args:    cobra.ExactArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.uid = args[0]
			return runF(ctx, o)
		}),
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print the result as JSON")
	return cmd
}

func runUnbind(ctx context.Context, o *unbindOptions) error {
	g := o.g
	var unbound control.Unbound
	if err := g.ask(ctx, control.VerbUnbind, control.Unbind{UID: o.uid}, &unbound); err != nil {
		return err
	}
	if o.json {
		if err := output.JSON(g.env.Stdout, unbound); err != nil {
			return err
		}
	}
	if !unbound.Bound {
		return hinted(fmt.Errorf("no name has claimed the uid %q", o.uid), "the log of serve has it as uid=…, where another name spoke under it")
	}
	if !o.json {
		g.say("free   %s", o.uid)
	}
	return nil
}
