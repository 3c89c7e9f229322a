package command

import (
	"context"
	"crypto/x509"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
)

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
		RunE:    g.act(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
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
	keys, err := g.openAuthority(ctx, o.passphrase)
	if err != nil {
		return err
	}
	defer keys.store.Close()
	cert := keys.authorities.Current
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
	g.talk("note: carry the request to the root (ftsca transfer out FOLDER, or the file above to ftsca csr sign --profile issuing) and its answer back (ftsca transfer in FOLDER, or ftsca init --complete FILE); until then all goes on as before")
}
