package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/internal/transfer"
)

func newTransferCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "transfer",
		Short: "Carry requests, revocations and lists between machines in a folder",
		Long: `Carry in a folder, on a memory stick say, what a store asks of the one above it, and the answer back: from an
authority to its root, from an endpoint to its authority. Three steps, and each may be run again:

  ftsca transfer out FOLDER     where something is wanted
  ftsca transfer sign FOLDER    where the key is: shows every item in full, asks, signs
  ftsca transfer in FOLDER      back home: checks and installs

Each step shows ten words for what is in the folder. Read them aloud over another way, the phone say: if
both sides have the same words, nobody has changed anything on the way.`,
		Args: cobra.NoArgs,
		RunE: help,
	}
	cmd.AddCommand(newTransferOutCommand(g, runTransferOut), newTransferSignCommand(g, runTransferSign), newTransferInCommand(g, runTransferIn))
	return cmd
}

// writeTransfer writes a side of a transfer. An answer that lies there is never destroyed.
func writeTransfer(folder string, m transfer.Manifest, contents [][]byte) error {
	if _, err := transfer.Write(folder, m, contents); err != nil {
		return fmt.Errorf("the folder %s: %w", folder, err)
	}
	return nil
}

// sayWords tells a manifest's sum so that it can be read aloud.
func (g *global) sayWords(sum [32]byte) {
	g.say("%-12s %s", "words", strings.Join(transfer.Words(sum), " "))
}
