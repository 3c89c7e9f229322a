package command

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
)

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

type caRenewOptions struct {
	g          *global
	root       bool
	days       int
	passphrase secretSource
	dryRun     bool
}

func newCARenewCommand(g *global, runF func(context.Context, *caRenewOptions) error) *cobra.Command {
	o := &caRenewOptions{g: g}
	cmd := &cobra.Command{
		Use:   "renew",
		Short: "Give the authority a new certificate for the same key",
		Long: `Give the authority a certificate with a new validity, for the same key and name. All that it has issued
stays good. Devices trust the old certificate until that expires: build their packages anew before.

Where the root is on another machine, this makes a request for it; ftsca init --complete installs the
answer.`,
		Example: "  ftsca ca renew\n  ftsca ca renew --days 1825\n  ftsca ca renew --root",
		Args:    cobra.NoArgs,
		RunE:    g.run(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.root, "root", false, "renew the root above the authority, where its key is here")
	flags.IntVar(&o.days, "days", 0, "validity in days from now (default 3650, of a root 7300)")
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	g.bindClock(flags)
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would be renewed, and renew nothing")
	return cmd
}

func runCARenew(ctx context.Context, o *caRenewOptions) error {
	g := o.g
	s, _, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	keys, err := g.keyring(ctx, s, o.passphrase, true)
	if err != nil {
		return err
	}
	cert := keys.authorities.Current
	if cert == nil {
		return store.ErrPending
	}
	chain := keys.authorities.ChainOf(cert)
	if o.root {
		cert = chain[len(chain)-1]
	}
	if o.dryRun {
		g.say("would renew  %s, valid until %s", cert.Subject.CommonName, stamp(cert.NotAfter))
		return nil
	}
	top := cert == chain[len(chain)-1]
	switch {
	case top:
		cert, err = keys.renewSelf(ctx, cert, o.days)
	case keys.authorities.HasKey(chain[len(chain)-1]):
		cert, err = keys.renewBelow(ctx, cert, o.days)
	default:
		return keys.requestRenewal(ctx, cert, o.days)
	}
	if err != nil {
		return err
	}
	g.say("renewed      %s", cert.Subject.CommonName)
	g.say("until        %s", stamp(cert.NotAfter))
	g.say("fingerprint  %s", fingerprint(cert))
	g.talk("note: devices trust the earlier certificate until it expires: give them packages with the new one before")
	return nil
}

// renewSelf renews an authority that is its own issuer.
func (k *keyring) renewSelf(ctx context.Context, cert *x509.Certificate, days int) (*x509.Certificate, error) {
	if !k.authorities.HasKey(cert) {
		return nil, &keyElsewhereError{cert.Subject.CommonName}
	}
	key, err := keyfile.Load(k.store.KeyFile(k.authorities, cert), k.passphrase)
	if err != nil {
		return nil, err
	}
	if err := k.store.CheckClock(ctx); err != nil {
		return nil, err
	}
	renewed, err := ca.Renew(cert, key, days, k.g.env.Now())
	if err != nil {
		return nil, &usageError{err}
	}
	i := store.Installation{Above: []*x509.Certificate{renewed}}
	if cert == k.authorities.Current {
		i = store.Installation{Certificate: renewed, Purpose: ca.Single}
		if renewed.MaxPathLen != 0 {
			i.Purpose = ca.Root
		}
	}
	return renewed, k.store.Install(ctx, i)
}

// renewBelow has the root, whose key is here, renew the authority that issues.
func (k *keyring) renewBelow(ctx context.Context, cert *x509.Certificate, days int) (*x509.Certificate, error) {
	root, err := k.root()
	if err != nil {
		return nil, err
	}
	request, err := csr.FromCertificate(cert)
	if err != nil {
		return nil, err
	}
	entry, err := root.Issue(ctx, ca.Order{Purpose: ca.Issuing, Request: request, Days: days, NewGeneration: true})
	if err != nil {
		return nil, err
	}
	k.g.sayCut(entry.Cut, entry.Certificate.NotAfter)
	return entry.Certificate, nil
}

// requestRenewal makes a request for a root on another machine.
func (k *keyring) requestRenewal(ctx context.Context, cert *x509.Certificate, days int) error {
	if days != 0 {
		return usagef("--days: how long an issuing authority is valid is for its root to say")
	}
	key, err := keyfile.Load(k.store.KeyFile(k.authorities, cert), k.passphrase)
	if err != nil {
		return err
	}
	request, err := csr.FromCertificate(cert)
	if err != nil {
		return err
	}
	pending, der, err := pendingOf(key, request)
	if err != nil {
		return err
	}
	if err := k.store.Await(ctx, pending, nil); err != nil {
		return err
	}
	k.g.tellRequest(cert.Subject.CommonName, k.store.Dir(), der)
	return nil
}

func (g *global) tellRequest(name, dir string, der []byte) {
	g.say("requested    %s", name)
	g.say("request      %s", store.RequestFile(dir))
	g.say("fingerprint  %s", sha256Hex(der))
	g.talk("note: have the root sign the request (ftsca csr sign --profile issuing), then ftsca init --complete FILE; until then all goes on as before")
}

type caRolloverOptions struct {
	g          *global
	name       string
	key        string
	days       int
	passphrase secretSource
	dryRun     bool
}

func newCARolloverCommand(g *global, runF func(context.Context, *caRolloverOptions) error) *cobra.Command {
	o := &caRolloverOptions{g: g}
	cmd := &cobra.Command{
		Use:   "rollover --name NAME",
		Short: "Move to an authority with a new key and a new name",
		Long: `Make an authority with a new key and a new name, which issues from now on. The present one becomes an
earlier one: its clients are let in as before, and devices are given both to trust. The way out:

  1. renew the clients and hand out their packages, which trust both: ftsca renew --all
  2. see who has not moved yet: ftsca list --still-on OLD
  3. when all have, renew the server, whom only they trust then: ftsca renew SERVER
  4. ftsca ca retire OLD

Where the root is on another machine, this makes a request for it; ftsca init --complete installs the
answer, and the rollover begins then.`,
		Example: `  ftsca ca rollover --name "Valley Rescue CA 2"`,
		Args:    cobra.NoArgs,
		RunE:    g.run(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.name, "name", "", "name of the new authority, its common name")
	bindKey(flags, &o.key, keyfile.RSA4096)
	flags.IntVar(&o.days, "days", 0, "validity in days from now (default 3650)")
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat+", which seals the new key too")
	g.bindClock(flags)
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would be made, and make nothing")
	return cmd
}

func runCARollover(ctx context.Context, o *caRolloverOptions) error {
	g := o.g
	algorithm, err := keyfile.ParseAlgorithm(o.key)
	if err != nil {
		return &usageError{err}
	}
	if o.name == "" {
		return hinted(usagef("the new authority needs a name of its own"), "give --name")
	}
	s, _, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	keys, err := g.keyring(ctx, s, o.passphrase, true)
	if err != nil {
		return err
	}
	old := keys.authorities.Current
	switch {
	case old == nil:
		return store.ErrPending
	case keys.authorities.IsRoot():
		return hinted(fmt.Errorf("%q is a root, and what stands below it has no other", old.Subject.CommonName), "found another root with ftsca init --offline-root, and have it sign new issuing authorities")
	case keys.authorities.Pending != nil:
		return hinted(errors.New("a request of this authority awaits its answer already"), "ftsca init --complete installs the answer")
	}
	request, err := csr.FromCertificate(old)
	if err != nil {
		return err
	}
	request.Subject.CommonName = o.name
	subject, err := request.Subject.Vet()
	if err != nil {
		return &usageError{err}
	}
	if records, err := s.Find(ctx, subject.CommonName); err == nil && records[0].Name == subject.CommonName {
		return usagef("the name %q is in use: a new authority needs a new one", subject.CommonName)
	}
	if o.dryRun {
		g.say("would found  %s, with a key of %s, in the place of %s", subject.CommonName, algorithm, old.Subject.CommonName)
		return nil
	}
	r := &rollover{o: o, keys: keys, old: old, subject: subject, algorithm: algorithm}
	return r.run(ctx)
}

func newCARetireCommand(g *global, runF func(context.Context, *caRetireOptions) error) *cobra.Command {
	o := &caRetireOptions{g: g}
	cmd := &cobra.Command{
		Use:   "retire NAME",
		Short: "Take an earlier authority out of use after a rollover",
		Long: `Take an earlier authority out of use: endpoints let none of its clients in any more, and new packages no
longer tell devices to trust it. It is refused while valid certificates of clients are still of that
authority, unless --force says that they are to be locked out.`,
		Example: `  ftsca ca retire "Valley Rescue CA"`,
		Args:    cobra.ExactArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.name = args[0]
			return runF(ctx, o)
		}),
	}
	cmd.Flags().BoolVar(&o.force, "force", false, "lock out whoever still has a certificate of it")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would be retired, and retire nothing")
	return cmd
}

type caRetireOptions struct {
	g      *global
	name   string
	force  bool
	dryRun bool
}

func runCARetire(ctx context.Context, o *caRetireOptions) error {
	g := o.g
	s, standing, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	authorities, err := s.Authorities(ctx)
	if err != nil {
		return err
	}
	old := authorities.Named(o.name)
	if old == nil || !slices.Contains(authorities.Earlier, old) {
		return fmt.Errorf("%q is not one of the store's earlier authorities", o.name)
	}
	records, err := s.Records(ctx)
	if err != nil {
		return err
	}
	left := store.StillOn(records, standing.InForce, old, g.env.Now())
	if len(left) > 0 && !o.force {
		return hinted(fmt.Errorf("%s of %q in use, and would be locked out", plural(len(left), "certificate is still", "certificates are still"), o.name),
			"ftsca list --still-on shows them, ftsca renew moves them; --force locks them out")
	}
	if o.dryRun {
		g.say("would retire  %s", o.name)
		return nil
	}
	if err := s.Retire(ctx, old); err != nil {
		return err
	}
	g.say("retired  %s", o.name)
	return nil
}

// isSealed tells whether a key's file needs a passphrase.
func isSealed(path string) (bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return false, fmt.Errorf("looking at the authority's key: %w", err)
	}
	return keyfile.IsSealed(data), nil
}
