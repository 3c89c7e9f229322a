package store

import (
	"context"
	"crypto"
	"crypto/x509"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
)

// Chain returns the authority's certificate and those above it, the root last, from the ledger.
func (s *Store) Chain(ctx context.Context) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		cert, err := certificate(tx, string(tx.Bucket(metaBucket).Get(authorityKey)))
		if err != nil {
			return err
		}
		chain = []*x509.Certificate{cert}
		return nil
	})
	return chain, err
}

// KeyFile returns the path of the authority's key, sealed or in clear.
func (s *Store) KeyFile() string { return s.path(AuthorityRoom, keyFile) }

// Authority returns the authority of this store, given its opened key: the caller opens it, since a question or a key
// derivation takes its time and the store holds no lock meanwhile.
func (s *Store) Authority(ctx context.Context, key crypto.Signer) (*ca.Authority, error) {
	chain, err := s.Chain(ctx)
	if err != nil {
		return nil, err
	}
	return ca.New(ca.Config{Certificate: chain[0], Above: chain[1:], Key: key, Ledger: s, Now: s.o.Now})
}
