package command

import (
	"context"
	"crypto"
	"fmt"
	"path/filepath"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/internal/prompt"
	"github.com/ftsca/ftsca/internal/secret"
)

// shortPassphrase is the length in characters below which a passphrase that guards an authority's key is remarked on.
const shortPassphrase = 12

type initOptions struct {
	g            *global
	name         string
	key          string
	days         int
	sans         []string
	subject      subjectFlags
	passphrase   secretSource
	noPassphrase bool
	allowWeak    bool
	dryRun       bool
	json         bool
}

func newInitCommand(g *global, runF func(context.Context, *initOptions) error) *cobra.Command {
	o := &initOptions{g: g}
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Found a certificate authority and its store",
		Long: `Found a certificate authority: make its key, its certificate and an empty revocation list, and the
store that holds them. Nothing else creates a store. It needs no network.

The key is sealed with a passphrase, which is asked for on the terminal or comes from a file or a
descriptor. Keep a copy of the passphrase: nobody can open the key without it.`,
		Example: `  ftsca init --name "Valley Rescue CA"
  ftsca init --name "Valley Rescue CA" --ca-passphrase-file pass.txt --store /srv/tak/pki
  ftsca init --name "Exercise CA" --no-passphrase --key ecdsa-p256 --days 30`,
		Args: cobra.NoArgs,
		RunE: g.run(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.name, "name", "", "name of the authority, its common name")
	bindKey(flags, &o.key, keyfile.RSA4096)
	flags.IntVar(&o.days, "days", 0, "validity in days from now (default 3650)")
	bindSAN(flags, &o.sans)
	o.subject.bind(flags)
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	flags.BoolVar(&o.noPassphrase, "no-passphrase", false, "leave the authority's key unsealed: whoever reads the file is the authority")
	flags.BoolVar(&o.allowWeak, "allow-weak-password", false, "take a passphrase that everybody knows")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would be founded, and found nothing")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return cmd
}

// founded is the result of init, for JSON.
type founded struct {
	Name        string `json:"name"`
	Store       string `json:"store"`
	Serial      string `json:"serial"`
	Fingerprint string `json:"fingerprint_sha256"`
	Key         string `json:"key"`
	NotBefore   string `json:"not_before"`
	NotAfter    string `json:"not_after"`
	Sealed      bool   `json:"key_sealed"`
}

func runInit(ctx context.Context, o *initOptions) error {
	g := o.g
	algorithm, err := keyfile.ParseAlgorithm(o.key)
	if err != nil {
		return &usageError{err}
	}
	dir, err := filepath.Abs(g.folder())
	if err != nil {
		return fmt.Errorf("finding the folder for the store: %w", err)
	}
	if err := store.CheckFree(dir); err != nil {
		return err
	}
	if o.name == "" {
		if o.name, err = g.env.Prompt().Text(prompt.Question{Text: "Name of the certificate authority", Flag: "--name"}); err != nil {
			return err
		}
	}
	// A wrong name must not cost a passphrase and an RSA key first.
	subject, err := o.subject.subject(o.name, nil).Vet()
	if err != nil {
		return &usageError{err}
	}
	if _, _, err := csr.Names(o.sans); err != nil {
		return &usageError{err}
	}
	if o.dryRun {
		g.say("would found the authority %q in %s, with a key of %s", subject.CommonName, dir, algorithm)
		return nil
	}
	passphrase, err := o.newPassphrase()
	if err != nil {
		return err
	}
	if algorithm == keyfile.RSA4096 {
		g.talk("making a key of %s: this takes a few seconds", algorithm)
	}
	key, err := generate(ctx, algorithm)
	if err != nil {
		return err
	}
	cert, err := ca.Found(ca.Foundation{Subject: subject, Names: o.sans, Key: key, Days: o.days, Now: g.env.Now()})
	if err != nil {
		return &usageError{err}
	}
	sealed, err := keyfile.NewSealer(g.env.KeyRounds).Seal(key, passphrase)
	if err != nil {
		return err
	}
	authority, err := ca.New(ca.Config{Certificate: cert, Key: key, Now: g.env.Now})
	if err != nil {
		return err
	}
	list, number, err := authority.SignCRL(nil, nil, 0)
	if err != nil {
		return err
	}
	if err := store.Create(ctx, dir, store.Founding{Certificate: cert, Key: sealed, CRL: list, Number: number}, g.options()); err != nil {
		return err
	}
	f := founded{Name: subject.CommonName, Store: dir, Serial: serialOf(cert), Fingerprint: fingerprint(cert), Key: keyName(cert),
		NotBefore: stamp(cert.NotBefore), NotAfter: stamp(cert.NotAfter), Sealed: !passphrase.IsZero()}
	if o.json {
		return output.JSON(g.env.Stdout, f)
	}
	g.say("founded      %s", f.Name)
	g.say("store        %s", f.Store)
	g.say("key          %s, %s", f.Key, sealing(f.Sealed))
	g.say("until        %s", f.NotAfter)
	g.say("fingerprint  %s", f.Fingerprint)
	return nil
}

func sealing(sealed bool) string {
	if sealed {
		return "sealed with the passphrase"
	}
	return "not sealed"
}

// newPassphrase gets the passphrase that is to guard the key; the zero Secret only where --no-passphrase says so.
func (o *initOptions) newPassphrase() (secret.Secret, error) {
	given, err := o.g.caPassphrase(o.passphrase)
	switch {
	case err != nil:
		return secret.Secret{}, err
	case o.noPassphrase && (o.passphrase.file != "" || o.passphrase.descriptor >= 0):
		return secret.Secret{}, usagef("--no-passphrase and a passphrase contradict each other")
	case o.noPassphrase:
		return secret.Secret{}, nil
	case !given.IsZero():
		if err := o.checkPassphrase(given); err != nil {
			return secret.Secret{}, err
		}
		if utf8.RuneCountInString(given.Reveal()) < shortPassphrase {
			o.g.talk("warning: the passphrase has fewer than %d characters: whoever copies the key can guess it", shortPassphrase)
		}
		return given, nil
	}
	return o.g.env.Prompt().NewSecret(prompt.Question{
		Text: "New passphrase for the authority's key", Flag: "--ca-passphrase-file (or --no-passphrase)"}, o.checkPassphrase)
}

func (o *initOptions) checkPassphrase(s secret.Secret) error {
	if s.WellKnown() && !o.allowWeak {
		return hinted(usagef("the passphrase is one that everybody knows"), "give another, or --allow-weak-password if it has to be")
	}
	return nil
}

// generate makes a key, and leaves off waiting for it when the command is cancelled: a prime search cannot be stopped.
func generate(ctx context.Context, a keyfile.Algorithm) (crypto.Signer, error) {
	type result struct {
		key crypto.Signer
		err error
	}
	done := make(chan result, 1)
	go func() {
		key, err := keyfile.Generate(a)
		done <- result{key, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-done:
		return r.key, r.err
	}
}
