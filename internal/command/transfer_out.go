package command

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/transfer"
)

type transferOutOptions struct {
	g      *global
	folder string
	dryRun bool
}

func newTransferOutCommand(g *global, runF func(context.Context, *transferOutOptions) error) *cobra.Command {
	o := &transferOutOptions{g: g}
	cmd := &cobra.Command{
		Use:   "out FOLDER",
		Short: "Write what waits for another machine into a folder",
		Long: `Write into a folder what this store asks of the one above it: an authority's request and the revocations that
concern its root; an endpoint's requests (ftsca csr new --out pki/endpoint) and revocations; and always the
wish for newer lists and certificates.`,
		Example: "  ftsca transfer out /media/stick/ftsca",
		Args:    cobra.ExactArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.folder = args[0]
			return runF(ctx, o)
		}),
	}
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would be written, and write nothing")
	return cmd
}

func runTransferOut(ctx context.Context, o *transferOutOptions) error {
	g := o.g
	s, _, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	m, contents, err := transfer.Collect(ctx, s, g.env.Now())
	if err != nil {
		return err
	}
	tell := func(asks string) {
		for _, it := range m.Items {
			g.say("%-12s %s", asks, strings.TrimSpace(it.Kind+" "+it.Note))
		}
	}
	if o.dryRun {
		tell("would ask")
		return nil
	}
	sum, err := m.Sum()
	if err != nil {
		return err
	}
	if err := o.write(s, m, contents); err != nil {
		return err
	}
	// After the folder: an answer that is on its way must not become stale by a folder that could not be written.
	if err := transfer.Remember(s, m); err != nil {
		return err
	}
	tell("asks")
	g.sayWords(sum)
	return nil
}

// write writes a request. An answer that lies in the folder gives way when it was taken in, and stays else.
func (o *transferOutOptions) write(s *store.Store, m transfer.Manifest, contents [][]byte) error {
	err := writeTransfer(o.folder, m, contents)
	var waiting *transfer.AnswerWaitingError
	if !errors.As(err, &waiting) {
		return err
	}
	_, taken, takenErr := s.Taken([32]byte{}, waiting.Sum)
	if takenErr != nil || !taken {
		return errors.Join(err, takenErr)
	}
	if err := transfer.DiscardAnswer(o.folder, waiting.Sum); err != nil {
		return err
	}
	return writeTransfer(o.folder, m, contents)
}
