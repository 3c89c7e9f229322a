package command

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/prompt"
	"github.com/ftsca/ftsca/internal/secret"
)

// shortPassphrase is the length in characters below which a passphrase that guards an authority's key is remarked on.
const shortPassphrase = 12

type initOptions struct {
	g            *global
	name         string
	rootName     string
	key          string
	days         int
	sans         []string
	subject      subjectFlags
	passphrase   secretSource
	rootPhrase   secretSource
	noPassphrase bool
	allowWeak    bool
	twoTier      bool
	offlineRoot  bool
	issuing      bool
	complete     string
	yes          bool
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

One authority that is its own root is founded unless a flag says otherwise. A root on a machine of its
own, without a network, is the safest: --offline-root founds it there; --issuing on the online machine
makes a key and a request, which the root signs (ftsca csr sign --profile issuing); --complete installs
its answer. --two-tier founds both on one machine; ftsca root detach moves the root's key away later.

The key is sealed with a passphrase, which is asked for on the terminal or comes from a file or a
descriptor. Keep a copy of the passphrase: nobody can open the key without it.`,
		Example: `  ftsca init --name "Valley Rescue CA"
  ftsca init --name "Valley Rescue CA" --ca-passphrase-file pass.txt --store /srv/tak/pki
  ftsca init --name "Valley Rescue Root" --offline-root
  ftsca init --name "Valley Rescue CA" --issuing
  ftsca init --complete answer.pem
  ftsca init --name "Valley Rescue CA" --two-tier
  ftsca init --name "Exercise CA" --no-passphrase --key ecdsa-p256 --days 30`,
		Args: cobra.NoArgs,
		RunE: g.act(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.name, "name", "", "name of the authority, its common name")
	flags.BoolVar(&o.twoTier, "two-tier", false, "found a root and an issuing authority below it")
	flags.StringVar(&o.rootName, "root-name", "", "with --two-tier, name of the root (default the authority's and \"Root\")")
	flags.BoolVar(&o.offlineRoot, "offline-root", false, "found a root alone, which signs requests and revocation lists and serves nobody")
	flags.BoolVar(&o.issuing, "issuing", false, "make the key and the request of an authority below a root on another machine")
	flags.StringVar(&o.complete, "complete", "", "install the root's answer to the request, from this `file`")
	flags.BoolVar(&o.yes, "yes", false, "with --complete, take the root in the answer for the right one without a question")
	cmd.MarkFlagsMutuallyExclusive("two-tier", "offline-root", "issuing", "complete")
	bindKey(flags, &o.key, keyfile.RSA4096)
	flags.IntVar(&o.days, "days", 0, "validity in days from now (default 3650, of a root 7300)")
	bindSAN(flags, &o.sans)
	o.subject.bind(flags)
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	o.rootPhrase.bind(flags, "root-passphrase", "the other passphrase of the root's key, with --two-tier")
	flags.BoolVar(&o.noPassphrase, "no-passphrase", false, "leave the authority's key unsealed: whoever reads the file is the authority")
	flags.BoolVar(&o.allowWeak, "allow-weak-password", false, "take a passphrase that everybody knows")
	g.bindClock(flags)
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would be founded, and found nothing")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return cmd
}

// founded is the result of init, for JSON.
type founded struct {
	Name        string   `json:"name"`
	Purpose     string   `json:"purpose"`
	Store       string   `json:"store"`
	Serial      string   `json:"serial,omitempty"`
	Fingerprint string   `json:"fingerprint_sha256,omitempty"`
	Key         string   `json:"key"`
	NotBefore   string   `json:"not_before,omitempty"`
	NotAfter    string   `json:"not_after,omitempty"`
	Sealed      bool     `json:"key_sealed"`
	Request     string   `json:"request,omitempty"` // path
	Root        *founded `json:"root,omitempty"`
}

func runInit(ctx context.Context, o *initOptions) error {
	if o.complete != "" {
		return runInitComplete(ctx, o)
	}
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
	rootSubject := subject
	if rootSubject.CommonName = o.rootName; o.rootName == "" {
		rootSubject.CommonName = subject.CommonName + " Root"
	}
	if o.twoTier {
		if rootSubject, err = rootSubject.Vet(); err != nil {
			return &usageError{err}
		}
	}
	if o.dryRun {
		what := map[bool]string{true: "request the authority", false: "found the authority"}[o.issuing]
		g.say("would %s %q in %s, with a key of %s", what, subject.CommonName, dir, algorithm)
		if o.twoTier {
			g.say("would found the root %q above it", rootSubject.CommonName)
		}
		return nil
	}
	if _, err := (ca.Clock{Now: g.env.Now, Built: g.env.Built, Ignore: g.clock.ignore}).Check(time.Time{}); err != nil {
		return err
	}
	passphrase, err := o.newPassphrase()
	if err != nil {
		return err
	}
	w := &founding{o: o, algorithm: algorithm, passphrase: passphrase, dir: dir}
	switch {
	case o.issuing:
		return w.request(ctx, subject)
	case o.offlineRoot:
		return w.found(ctx, ca.Root, subject)
	case o.twoTier:
		return w.twoTier(ctx, subject, rootSubject)
	}
	return w.found(ctx, ca.Single, subject)
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
	case o.noPassphrase && o.passphrase.given():
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
