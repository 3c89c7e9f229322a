package command

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/internal/secret"
)

// founding is an init under way: what its authorities have in common.
type founding struct {
	o          *initOptions
	algorithm  keyfile.Algorithm
	passphrase secret.Secret
	dir        string
}

// key makes a key, and seals it.
func (w *founding) key(ctx context.Context, passphrase secret.Secret) (crypto.Signer, []byte, error) {
	key, err := w.o.g.generate(ctx, w.algorithm)
	if err != nil {
		return nil, nil, err
	}
	sealed, err := keyfile.NewSealer(w.o.g.env.KeyRounds).Seal(key, passphrase)
	return key, sealed, err
}

// founder signs the first revocation list of a new authority.
func (w *founding) founder(cert *x509.Certificate, purpose ca.Purpose, key crypto.Signer, sealed []byte) (store.Founder, error) {
	list, err := firstList(cert, key, w.o.g)
	return store.Founder{Certificate: cert, Purpose: purpose, Key: sealed, List: list.PEM}, err
}

func (w *founding) selfSigned(ctx context.Context, purpose ca.Purpose, subject csr.Subject, names []string, days int, passphrase secret.Secret) (crypto.Signer, store.Founder, error) {
	key, sealed, err := w.key(ctx, passphrase)
	if err != nil {
		return nil, store.Founder{}, err
	}
	cert, err := ca.Found(ca.Foundation{Purpose: purpose, Subject: subject, Names: names, Key: key, Days: days, Now: w.o.g.env.Now()})
	if err != nil {
		return nil, store.Founder{}, &usageError{err}
	}
	f, err := w.founder(cert, purpose, key, sealed)
	return key, f, err
}

// found founds an authority that is its own root.
func (w *founding) found(ctx context.Context, purpose ca.Purpose, subject csr.Subject) error {
	_, f, err := w.selfSigned(ctx, purpose, subject, w.o.sans, w.o.days, w.passphrase)
	if err != nil {
		return err
	}
	return w.create(ctx, f)
}

// twoTier founds a root, and an issuing authority below it.
func (w *founding) twoTier(ctx context.Context, subject, rootSubject csr.Subject) error {
	rootPhrase := w.passphrase
	if w.o.rootPhrase.given() {
		var err error
		if rootPhrase, err = w.o.rootPhrase.read(); err != nil {
			return err
		}
		if err := w.o.checkPassphrase(rootPhrase); err != nil {
			return err
		}
	}
	rootKey, root, err := w.selfSigned(ctx, ca.Root, rootSubject, nil, 0, rootPhrase)
	if err != nil {
		return err
	}
	key, sealed, err := w.key(ctx, w.passphrase)
	if err != nil {
		return err
	}
	cert, err := ca.FoundBelow(ca.Foundation{Subject: subject, Names: w.o.sans, Key: key, Days: w.o.days, Now: w.o.g.env.Now()}, root.Certificate, rootKey)
	if err != nil {
		return &usageError{err}
	}
	issuing, err := w.founder(cert, ca.Issuing, key, sealed)
	if err != nil {
		return err
	}
	return w.create(ctx, issuing, root)
}

func (w *founding) create(ctx context.Context, founders ...store.Founder) error {
	if err := store.Create(ctx, w.dir, store.Founding{Authorities: founders}, w.o.g.options()); err != nil {
		return err
	}
	f := w.result(founders[0])
	if len(founders) > 1 {
		root := w.result(founders[1])
		f.Root = &root
	}
	return w.tell(f)
}

func (w *founding) result(f store.Founder) founded {
	cert := f.Certificate
	return founded{Name: cert.Subject.CommonName, Purpose: string(f.Purpose), Store: w.dir, Serial: serialOf(cert), Fingerprint: fingerprint(cert),
		Key: keyName(cert.PublicKey), NotBefore: stamp(cert.NotBefore), NotAfter: stamp(cert.NotAfter), Sealed: !w.passphrase.IsZero()}
}

func (w *founding) tell(f founded) error {
	g := w.o.g
	if w.o.json {
		return output.JSON(g.env.Stdout, f)
	}
	g.say("founded      %s", f.Name)
	g.say("store        %s", f.Store)
	g.say("key          %s, %s", f.Key, sealing(f.Sealed))
	g.say("until        %s", f.NotAfter)
	g.say("fingerprint  %s", f.Fingerprint)
	if f.Root != nil {
		g.say("root         %s", f.Root.Name)
		g.say("until        %s", f.Root.NotAfter)
		g.say("fingerprint  %s", f.Root.Fingerprint)
		g.talk("note: the root's key lies beside the authority's: ftsca root detach moves it away")
	}
	return nil
}

// request makes the key and the request of an issuing authority, whose certificate is awaited from its root.
func (w *founding) request(ctx context.Context, subject csr.Subject) error {
	g := w.o.g
	if w.o.days != 0 {
		return usagef("--days: how long an issuing authority is valid is for its root to say")
	}
	key, sealed, err := w.key(ctx, w.passphrase)
	if err != nil {
		return err
	}
	pending, request, err := authorityRequest(key, subject, w.o.sans)
	if err != nil {
		return &usageError{err}
	}
	f := store.Founding{Name: subject.CommonName, Pending: &pending, PendingKey: sealed}
	if err := store.Create(ctx, w.dir, f, g.options()); err != nil {
		return err
	}
	file := store.RequestFile(w.dir)
	if w.o.json {
		return output.JSON(g.env.Stdout, founded{Name: subject.CommonName, Purpose: string(ca.Issuing), Store: w.dir, Key: keyName(key.Public()),
			Sealed: !w.passphrase.IsZero(), Request: file})
	}
	g.say("requested    %s", subject.CommonName)
	g.say("store        %s", w.dir)
	g.say("key          %s, %s", keyName(key.Public()), sealing(!w.passphrase.IsZero()))
	g.say("request      %s", file)
	g.say("fingerprint  %s", sha256Hex(request))
	g.talk("note: the authority is pending: carry its request to the root (ftsca transfer out FOLDER, or the file above to ftsca csr sign --profile issuing) and its answer back (ftsca transfer in FOLDER, or ftsca init --complete FILE)")
	return nil
}

// authorityRequest makes a request that nobody signs as anything but an authority's by mistake.
func authorityRequest(key crypto.Signer, subject csr.Subject, names []string) (store.Pending, []byte, error) {
	r, err := csr.New(key.Public(), subject, names)
	if err != nil {
		return store.Pending{}, nil, err
	}
	return pendingOf(key, r)
}

// pendingOf signs the request of an authority, and returns what a store keeps of it, with the request in DER.
func pendingOf(key crypto.Signer, r csr.Request) (store.Pending, []byte, error) {
	text, err := csr.CreateAuthority(key, r)
	if err != nil {
		return store.Pending{}, nil, err
	}
	block, _ := pem.Decode(text)
	id, err := ca.KeyID(key.Public())
	return store.Pending{Request: block.Bytes, KeyID: id}, block.Bytes, err
}
