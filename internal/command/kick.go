package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/internal/control"
	"github.com/ftsca/ftsca/internal/output"
)

type kickOptions struct {
	g    *global
	name string
	json bool
}

func newKickCommand(g *global, runF func(context.Context, *kickOptions) error) *cobra.Command {
	o := &kickOptions{g: g}
	cmd := &cobra.Command{
		Use:   "kick NAME",
		Short: "End the sessions of a connected device",
		Long: `Have the ftsca serve that runs on this store cut every session of a name, at once: of one that hangs, or
that others have to be rid of for a moment.

It keeps nobody out: the device may connect again, and most do within seconds. ftsca revoke keeps it out.

The exit code is 1 where nobody of that name is connected, or no ftsca serve runs on this store.`,
		Example: `  ftsca kick alice
  ftsca kick "Truck 7" --json`,
		Args: cobra.ExactArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.name = args[0]
			return runF(ctx, o)
		}),
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print the result as JSON")
	return cmd
}

func runKick(ctx context.Context, o *kickOptions) error {
	g := o.g
	if o.name == "" {
		return usagef("kick needs a name")
	}
	var kicked control.Kicked
	if err := g.ask(ctx, control.VerbKick, control.Kick{Name: o.name}, &kicked); err != nil {
		return err
	}
	if o.json {
		if err := output.JSON(g.env.Stdout, kicked); err != nil {
			return err
		}
	}
	if kicked.Cut == 0 {
		return hinted(fmt.Errorf("nobody of the name %q is connected", o.name), "ftsca status shows who is, by the name in the certificate; upper and lower case count")
	}
	if !o.json {
		g.say("cut    %s of %s", plural(kicked.Cut, "session", "sessions"), o.name)
	}
	g.talk("note: the device may connect again; ftsca revoke keeps it out")
	return nil
}
