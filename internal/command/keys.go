package command

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/prompt"
	"github.com/ftsca/ftsca/internal/secret"
)

// errSealed says that an authority's key waits for a passphrase that only a person could give.
var errSealed = errors.New("the authority's key is sealed, and no passphrase is at hand")

// keyring opens the keys of a store's authorities, and asks for a passphrase once however many they are.
type keyring struct {
	g           *global
	store       *store.Store
	standing    store.Standing // of the revocation list, when the store was opened
	authorities store.Authorities
	source      secretSource
	ask         bool // on the terminal, where the passphrase is nowhere else
	known       secret.Secret
}

// keyring returns that of a store, whose passphrases come from the source and, where ask says so, from the terminal.
func (g *global) keyring(ctx context.Context, s *store.Store, source secretSource, ask bool) (*keyring, error) {
	if !s.HasAuthority() {
		return nil, store.ErrNoAuthority
	}
	// A key that a killed rollover left is not in place before.
	if err := s.Recover(ctx); err != nil {
		return nil, err
	}
	authorities, err := s.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	return &keyring{g: g, store: s, authorities: authorities, source: source, ask: ask}, nil
}

// openKeys opens a store for signing, with its keyring. The caller closes the keyring's store.
func (g *global) openKeys(ctx context.Context, source secretSource) (*keyring, error) {
	s, standing, err := g.open(ctx)
	if err != nil {
		return nil, err
	}
	k, err := g.keyring(ctx, s, source, true)
	if err == nil {
		k.standing = standing
	}
	return k, err
}

// openAuthority is openKeys for what a pending authority cannot do.
func (g *global) openAuthority(ctx context.Context, source secretSource) (*keyring, error) {
	k, err := g.openKeys(ctx, source)
	if err == nil && k.authorities.Current == nil {
		err = store.ErrPending
	}
	return k, err
}

func (k *keyring) passphrase() (secret.Secret, error) {
	if !k.known.IsZero() {
		return k.known, nil
	}
	value, err := k.g.caPassphrase(k.source)
	switch {
	case err != nil:
		return value, err
	case !value.IsZero():
	case !k.ask:
		return value, errSealed
	default:
		value, err = k.g.env.Prompt().Secret(prompt.Question{Text: "Passphrase of the authority's key", Flag: "--ca-passphrase-file"})
	}
	k.known = value
	return value, err
}

// current opens the authority that issues here.
func (k *keyring) current() (*ca.Authority, error) {
	switch {
	case k.authorities.Current == nil:
		return nil, store.ErrPending
	case !k.authorities.HasKey(k.authorities.Current):
		return nil, fmt.Errorf("the key of %q is not in this store", k.authorities.Current.Subject.CommonName)
	}
	return k.open(k.authorities.Current)
}

// root opens the root above the authority that issues here, or that one itself where it is its own root.
func (k *keyring) root() (*ca.Authority, error) {
	if k.authorities.Current == nil {
		return nil, store.ErrPending
	}
	chain := k.authorities.ChainOf(k.authorities.Current)
	top := chain[len(chain)-1]
	if !k.authorities.HasKey(top) {
		return nil, &keyElsewhereError{top.Subject.CommonName}
	}
	return k.open(top)
}

// keyElsewhereError says that a root's key is on another machine, as it should be.
type keyElsewhereError struct{ root string }

func (e *keyElsewhereError) Error() string {
	return fmt.Sprintf("the key of the root %q is not in this store", e.root)
}

// signers opens every authority of the store whose key is here, to sign its revocation list: the current one, earlier
// ones, and with roots those too. A root whose key has another passphrase is left out, and named.
func (k *keyring) signers(roots bool) (signers []*ca.Authority, left []*x509.Certificate, err error) {
	if k.authorities.Current == nil {
		return nil, nil, store.ErrPending
	}
	for i, cert := range k.authorities.All() {
		above := i > len(k.authorities.Earlier)
		if !k.authorities.HasKey(cert) || above && !roots {
			continue
		}
		a, err := k.open(cert)
		switch {
		case above && errors.Is(err, keyfile.ErrWrongPassphrase):
			left = append(left, cert)
			continue
		case err != nil:
			return nil, nil, err
		}
		signers = append(signers, a)
	}
	return signers, left, nil
}

func (k *keyring) open(cert *x509.Certificate) (*ca.Authority, error) {
	key, err := keyfile.Load(k.store.KeyFile(k.authorities, cert), k.passphrase)
	if err != nil {
		return nil, err
	}
	return k.store.Authority(k.authorities, cert, key)
}

// pending opens the key whose certificate is awaited.
func (k *keyring) pending() (crypto.Signer, error) {
	return keyfile.Load(k.store.PendingKeyFile(k.authorities.Pending), k.passphrase)
}

// generate makes a key, and leaves off waiting for it when the command is cancelled: a prime search cannot be stopped.
func (g *global) generate(ctx context.Context, a keyfile.Algorithm) (crypto.Signer, error) {
	if a == keyfile.RSA4096 {
		g.talk("making a key of %s: this takes a few seconds", a)
	}
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
