package command

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/secret"
)

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
		RunE:    g.act(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
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
	keys, err := g.openAuthority(ctx, o.passphrase)
	if err != nil {
		return err
	}
	s := keys.store
	defer s.Close()
	old := keys.authorities.Current
	switch {
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

// rollover is one under way: from the old authority to one with a new key and the subject's name.
type rollover struct {
	o         *caRolloverOptions
	keys      *keyring
	old       *x509.Certificate
	subject   csr.Subject
	algorithm keyfile.Algorithm
}

func (r *rollover) run(ctx context.Context) error {
	// The new key is sealed as the old one is, and whoever cannot open that one rolls nothing over.
	if _, err := r.keys.current(); err != nil {
		return err
	}
	sealed, err := isSealed(r.keys.store.KeyFile(r.keys.authorities, r.old))
	if err != nil {
		return err
	}
	var passphrase secret.Secret
	if sealed {
		if passphrase, err = r.keys.passphrase(); err != nil {
			return err
		}
	}
	key, err := r.o.g.generate(ctx, r.algorithm)
	if err != nil {
		return err
	}
	file, err := keyfile.NewSealer(r.o.g.env.KeyRounds).Seal(key, passphrase)
	if err != nil {
		return err
	}
	chain := r.keys.authorities.ChainOf(r.old)
	switch {
	case len(chain) == 1:
		return r.single(ctx, key, file)
	case r.keys.authorities.HasKey(chain[len(chain)-1]):
		return r.below(ctx, key, file)
	}
	return r.request(ctx, key, file)
}

// single founds another authority that is its own root.
func (r *rollover) single(ctx context.Context, key crypto.Signer, file []byte) error {
	g := r.o.g
	if err := r.keys.store.CheckClock(ctx); err != nil {
		return err
	}
	cert, err := ca.Found(ca.Foundation{Subject: r.subject, Key: key, Days: r.o.days, Now: g.env.Now()})
	if err != nil {
		return &usageError{err}
	}
	list, err := firstList(cert, key, g)
	if err != nil {
		return err
	}
	err = r.keys.store.Install(ctx, store.Installation{Certificate: cert, Purpose: ca.Single, Key: file, Lists: []store.SignedList{list}})
	if err != nil {
		return err
	}
	r.tell(cert)
	return nil
}

// below has the root, whose key is here, issue to the new authority.
func (r *rollover) below(ctx context.Context, key crypto.Signer, file []byte) error {
	root, err := r.keys.root()
	if err != nil {
		return err
	}
	request, err := csr.New(key.Public(), r.subject, nil)
	if err != nil {
		return err
	}
	entry, err := root.Issue(ctx, ca.Order{Purpose: ca.Issuing, Request: request, Days: r.o.days, Pack: func(e ca.Entry) ([]ca.Product, error) {
		return []ca.Product{{Room: ca.Keys, Name: store.KeyFileName(crl.KeyID(e.Certificate)), Data: file, Mode: 0o600}}, nil
	}})
	if err != nil {
		return err
	}
	r.o.g.sayCut(entry.Cut, entry.Certificate.NotAfter)
	r.tell(entry.Certificate)
	// Servers that load the X.509 lists refuse every client of an authority that has none.
	keys, err := r.o.g.keyring(ctx, r.keys.store, r.o.passphrase, false)
	if err != nil {
		return err
	}
	keys.known = r.keys.known
	signers, _, err := keys.signers(false)
	if err == nil {
		_, err = r.keys.store.SignCRL(ctx, store.Signing{}, signers...)
	}
	if err != nil {
		return hinted(fmt.Errorf("the new authority has no revocation list yet: %w", err), "mend this, then ftsca crl sign")
	}
	return nil
}

// request asks the root on another machine.
func (r *rollover) request(ctx context.Context, key crypto.Signer, file []byte) error {
	if r.o.days != 0 {
		return usagef("--days: how long an issuing authority is valid is for its root to say")
	}
	pending, der, err := authorityRequest(key, r.subject, nil)
	if err != nil {
		return err
	}
	if err := r.keys.store.Await(ctx, pending, file); err != nil {
		return err
	}
	r.o.g.tellRequest(r.subject.CommonName, r.keys.store.Dir(), der)
	return nil
}

func (r *rollover) tell(cert *x509.Certificate) {
	g := r.o.g
	g.say("founded      %s", cert.Subject.CommonName)
	g.say("until        %s", stamp(cert.NotAfter))
	g.say("fingerprint  %s", fingerprint(cert))
	g.say("earlier      %s", r.old.Subject.CommonName)
	g.talk("note: renew the clients first (ftsca renew --all), then, when ftsca list --still-on %q is empty, the server; then ftsca ca retire", r.old.Subject.CommonName)
}

// firstList signs the empty revocation list of a new authority.
func firstList(cert *x509.Certificate, key crypto.Signer, g *global) (store.SignedList, error) {
	a, err := ca.New(ca.Config{Certificate: cert, Key: key})
	if err != nil {
		return store.SignedList{}, err
	}
	list, _, err := a.SignCRL(g.env.Now(), nil, nil, 0)
	return store.SignedList{Authority: cert, PEM: list}, err
}

// isSealed tells whether a key's file needs a passphrase.
func isSealed(path string) (bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return false, fmt.Errorf("looking at the authority's key: %w", err)
	}
	return keyfile.IsSealed(data), nil
}
