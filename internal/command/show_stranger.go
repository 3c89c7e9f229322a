package command

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/output"
)

// strangerError says that a file holds a certificate that the store has no record of.
type strangerError struct {
	file string
	cert *x509.Certificate
	err  error
}

func (e *strangerError) Error() string {
	return fmt.Sprintf("%s holds the certificate of %q, serial %s: %v", e.file, e.cert.Subject.CommonName, serialOf(e.cert), e.err)
}

func (e *strangerError) Unwrap() error { return e.err }

// showStranger shows what the revocation lists have of a serial, or of a file's certificate, without a record in the
// store; unknown says that there is none. What is not revoked is not good for that: it stays an error.
func (o *showOptions) showStranger(ctx context.Context, s *store.Store, revoked revocations, unknown error) error {
	g := o.g
	var one shown
	var r store.Record
	var stranger *strangerError
	var none *store.UnknownError
	switch {
	case errors.As(unknown, &stranger):
		cert := stranger.cert
		r = store.Record{Name: cert.Subject.CommonName, Serial: serialOf(cert), NotBefore: cert.NotBefore, NotAfter: cert.NotAfter}
		r.Issuer, one.Authority = hex.EncodeToString(cert.AuthorityKeyId), "none of this store's"
		if r.Issuer == "" {
			r.Issuer = "unknown" // no entry's: only one for every authority is about it
		}
		if issuer := issuerOf(cert, authoritiesOf(ctx, s)); issuer != nil {
			r.Issuer, one.Authority = crl.KeyID(issuer), "one of this store's"
		}
		one.describe(cert)
	case errors.As(unknown, &none):
		serial, err := crl.ParseSerial(o.address)
		if err != nil {
			return unknown
		}
		r.Serial = serial.String()
	default:
		return unknown
	}
	if !revoked.has(r) {
		if stranger != nil {
			return fmt.Errorf("%w; its authority is %s, and it is not on the revocation list", unknown, one.Authority)
		}
		return fmt.Errorf("%w, nor is it a serial on the revocation list", unknown)
	}
	one.listed, one.Unknown = listedOf(r, revoked, g.env.Now()), true
	if o.json {
		if err := output.JSON(g.env.Stdout, []shown{one}); err != nil {
			return err
		}
	} else {
		one.print(g)
	}
	return &noError{fmt.Sprintf("%s is not good: %s; the store has no record of it", o.address, one.State)}
}

// authoritiesOf returns the certificates of the store's authorities, retired ones too where the store knows them.
func authoritiesOf(ctx context.Context, s *store.Store) []*x509.Certificate {
	cas := s.Published()
	if s.HasAuthority() {
		if authorities, err := s.Authorities(ctx); err == nil {
			cas = append(cas, authorities.All()...)
		}
	}
	return cas
}

// issuerOf returns the one of the authorities that signed a certificate; nil where none did.
func issuerOf(cert *x509.Certificate, cas []*x509.Certificate) *x509.Certificate {
	for _, c := range cas {
		if cert.CheckSignatureFrom(c) == nil {
			return c
		}
	}
	return nil
}
