package command

import "github.com/spf13/cobra"

func newCACommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "Renew the authority, or move to another one",
		Args:  cobra.NoArgs,
		RunE:  help,
	}
	cmd.AddCommand(newCARenewCommand(g, runCARenew), newCARolloverCommand(g, runCARollover), newCARetireCommand(g, runCARetire))
	return cmd
}
