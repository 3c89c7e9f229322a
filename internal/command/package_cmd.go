package command

import "github.com/spf13/cobra"

func newPackageCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "package",
		Short: "Make client packages anew, check them, and remove them",
		Args:  cobra.NoArgs,
		RunE:  help,
	}
	cmd.AddCommand(newPackageMakeCommand(g, runPackageMake), newPackageCheckCommand(g, runPackageCheck),
		newPackageDeliveredCommand(g, runPackageDelivered), newPackagePurgeCommand(g, runPackagePurge))
	return cmd
}
