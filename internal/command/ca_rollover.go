package command

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/secret"
)

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
	key, err := generate(ctx, r.algorithm)
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
