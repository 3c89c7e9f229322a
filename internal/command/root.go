package command

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/prompt"
)

func newRootCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "root",
		Short: "Move the root's key to a machine of its own",
		Args:  cobra.NoArgs,
		RunE:  help,
	}
	cmd.AddCommand(newRootDetachCommand(g, runRootDetach))
	return cmd
}

type rootDetachOptions struct {
	g          *global
	to         string
	passphrase secretSource
	yes        bool
	dryRun     bool
}

func newRootDetachCommand(g *global, runF func(context.Context, *rootDetachOptions) error) *cobra.Command {
	o := &rootDetachOptions{g: g}
	cmd := &cobra.Command{
		Use:   "detach --to FOLDER",
		Short: "Move the root's key and all that its machine needs into a folder",
		Long: `Make a store of the root's own in a folder, on a card say: its key, its certificate, its revocation list and
what it has issued. The copy is opened and tried, and only then is the root's key removed here. Carry
the folder to the root's machine; ftsca transfer goes on between the two.

Removing a file does not wipe it: flash memory keeps what it held, and so may a journal or a backup. A root
that was never on a machine with a network is better: ftsca init --offline-root.`,
		Example: "  ftsca root detach --to /media/card/root",
		Args:    cobra.NoArgs,
		RunE:    g.act(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.to, "to", "", "`folder` for the root's store; it must be empty or not exist")
	o.passphrase.bind(flags, "root-passphrase", "the passphrase of the root's key")
	flags.BoolVar(&o.yes, "yes", false, "remove the key here without a question")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would be moved, and move nothing")
	return cmd
}

func runRootDetach(ctx context.Context, o *rootDetachOptions) error {
	g := o.g
	if o.to == "" {
		return hinted(usagef("the root's store needs a folder"), "give --to")
	}
	to, err := filepath.Abs(o.to)
	if err != nil {
		return fmt.Errorf("finding the folder for the root's store: %w", err)
	}
	keys, err := g.openAuthority(ctx, o.passphrase)
	if err != nil {
		return err
	}
	s := keys.store
	defer s.Close()
	a := keys.authorities
	switch {
	case len(a.ChainOf(a.Current)) == 1:
		return hinted(fmt.Errorf("%q is its own root: its key is needed here", a.Current.Subject.CommonName), "ftsca init --two-tier founds a root above an authority")
	}
	root := a.ChainOf(a.Current)[1]
	if !a.HasKey(root) {
		return &keyElsewhereError{root.Subject.CommonName}
	}
	if err := store.CheckFree(to); err != nil {
		return hinted(err, "give another folder with --to; where it is what ftsca root detach left when it was cut short, remove it, for the root's key is still here")
	}
	if o.dryRun {
		g.say("would move  the key of %s from %s to %s", root.Subject.CommonName, s.KeyFile(a, root), to)
		return nil
	}
	// Whoever cannot open the key cannot know that the copy is good either.
	if _, err := keys.open(root); err != nil {
		return err
	}
	if err := keys.copyRoot(ctx, root, to); err != nil {
		return err
	}
	g.talk("the copy in %s was opened and tried", to)
	if !o.yes {
		ok, err := g.env.Prompt().Confirm(prompt.Question{Text: "Remove the root's key from this machine now", Flag: "--yes"})
		if err == nil && !ok {
			err = errors.New("the root's key is still here too: remove the copy, or run ftsca root detach again when it is gone")
		}
		if err != nil {
			return err
		}
	}
	if err := s.Detach(ctx, root); err != nil {
		return err
	}
	g.say("moved        %s", root.Subject.CommonName)
	g.say("store        %s", to)
	g.say("fingerprint  %s", fingerprint(root))
	g.talk("note: the file is removed, not wiped: flash memory may still hold the key; a root founded offline (ftsca init --offline-root) never had this trace")
	return nil
}

// copyRoot makes the root's own store, and tries the key in it.
func (k *keyring) copyRoot(ctx context.Context, root *x509.Certificate, to string) error {
	file, err := os.ReadFile(k.store.KeyFile(k.authorities, root))
	if err != nil {
		return fmt.Errorf("copying the root's key: %w", err)
	}
	f, err := k.store.Split(ctx, root)
	if err != nil {
		return err
	}
	f.Authorities[0].Key = file
	if err := store.Create(ctx, to, f, k.g.options()); err != nil {
		return err
	}
	copied, err := store.Open(to, k.g.options())
	if err != nil {
		return err
	}
	defer copied.Close()
	authorities, err := copied.Authorities(ctx)
	if err != nil {
		return fmt.Errorf("trying the copy: %w", err)
	}
	key, err := keyfile.Load(copied.KeyFile(authorities, root), k.passphrase)
	if err != nil {
		return fmt.Errorf("trying the copy: %w", err)
	}
	if _, err := ca.New(ca.Config{Certificate: root, Key: key}); err != nil {
		return fmt.Errorf("trying the copy: %w", err)
	}
	return nil
}
