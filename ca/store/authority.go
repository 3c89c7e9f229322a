package store

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
)

// Authorities are the certificates of a store's authorities, and what is awaited.
type Authorities struct {
	Current *x509.Certificate   // issues here; nil while its certificate is awaited
	Earlier []*x509.Certificate // issued here before a rollover; their certificates still count
	Roots   []*x509.Certificate // above the others; none where the current one is its own root
	Pending *Pending            // nil where nothing is awaited
	keys    map[string]string   // key identifier: file in authority/
}

// Pending is the request of an authority whose certificate is awaited from its root.
type Pending struct {
	Request []byte    `json:"request"` // PKCS #10, in DER
	KeyID   string    `json:"key_id"`  // as [ca.KeyID] returns it
	Since   time.Time `json:"since"`
	KeyFile string    `json:"key_file"` // name in authority/
}

// IsAnsweredBy tells whether a certificate is for the key that the request is for.
func (p *Pending) IsAnsweredBy(cert *x509.Certificate) bool {
	request, err := x509.ParseCertificateRequest(p.Request)
	return err == nil && bytes.Equal(request.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo)
}

// All returns every certificate that devices and endpoints have to know: the current authority's, earlier ones', then
// the roots'.
func (a Authorities) All() []*x509.Certificate {
	var all []*x509.Certificate
	if a.Current != nil {
		all = append(all, a.Current)
	}
	return slices.Concat(all, a.Earlier, a.Roots)
}

// ChainOf returns an authority's certificate and those above it, the root last.
func (a Authorities) ChainOf(cert *x509.Certificate) []*x509.Certificate {
	chain := []*x509.Certificate{cert}
	for _, root := range a.Roots {
		if !bytes.Equal(cert.Raw, root.Raw) && crl.KeyID(root) == issuerID(cert) {
			return append(chain, root)
		}
	}
	return chain
}

// IssuerOf returns the authority that issued a certificate, or nil where it is none of these.
func (a Authorities) IssuerOf(cert *x509.Certificate) *x509.Certificate {
	for _, c := range a.All() {
		if crl.KeyID(c) == issuerID(cert) {
			return c
		}
	}
	return nil
}

// Trust returns what devices shall trust: the chain of the current authority first, then earlier authorities with their
// roots, each certificate once.
func (a Authorities) Trust() []*x509.Certificate {
	if a.Current == nil {
		return nil
	}
	trust := a.ChainOf(a.Current)
	for _, c := range slices.Concat(a.Earlier, a.Roots) {
		if !slices.ContainsFunc(trust, c.Equal) {
			trust = append(trust, c)
		}
	}
	return trust
}

// Named returns the certificate of the authority with a common name or serial, or nil.
func (a Authorities) Named(name string) *x509.Certificate {
	for _, c := range a.All() {
		if c.Subject.CommonName == name || crl.SerialOf(c.SerialNumber).String() == name {
			return c
		}
	}
	return nil
}

// Renews tells whether a certificate is a new one for the key of a root that is known, signed with that key.
func (a Authorities) Renews(cert *x509.Certificate) bool {
	return slices.ContainsFunc(a.Roots, func(root *x509.Certificate) bool {
		return !root.Equal(cert) && bytes.Equal(root.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo) &&
			bytes.Equal(root.RawSubject, cert.RawSubject) && cert.NotAfter.After(root.NotAfter) && isSigned(cert, root)
	})
}

// Knows tells whether a certificate is for the key of one of the authorities.
func (a Authorities) Knows(cert *x509.Certificate) bool {
	return slices.ContainsFunc(a.All(), func(c *x509.Certificate) bool {
		return bytes.Equal(c.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo)
	})
}

// IsRoot tells whether the store is a root's: it signs issuing authorities, and serves nobody.
func (a Authorities) IsRoot() bool { return a.Current != nil && a.Current.MaxPathLen > 0 }

// HasKey tells whether the key of an authority's certificate is in this store.
func (a Authorities) HasKey(cert *x509.Certificate) bool { return a.keys[crl.KeyID(cert)] != "" }

// isSigned tells whether an authority has signed a certificate, in its own name.
func isSigned(cert, authority *x509.Certificate) bool {
	return bytes.Equal(cert.RawIssuer, authority.RawSubject) && cert.CheckSignatureFrom(authority) == nil
}

// issuerID is the key identifier of whoever issued a certificate.
func issuerID(cert *x509.Certificate) string { return fmt.Sprintf("%x", cert.AuthorityKeyId) }

// authorities is how the ledger keeps them: certificates by serial.
type authorities struct {
	Current string            `json:"current,omitempty"`
	Earlier []string          `json:"earlier,omitempty"`
	Roots   []string          `json:"roots,omitempty"`
	Keys    map[string]string `json:"keys"` // key identifier: file in authority/
	Pending *Pending          `json:"pending,omitempty"`
}

func getAuthorities(tx *bbolt.Tx) (a authorities, err error) {
	if err := json.Unmarshal(tx.Bucket(metaBucket).Get(authoritiesKey), &a); err != nil {
		return a, fmt.Errorf("reading the ledger's authorities: %w", err)
	}
	return a, nil
}

func (a authorities) put(tx *bbolt.Tx) error {
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return tx.Bucket(metaBucket).Put(authoritiesKey, data)
}

// load reads the certificates.
func (a authorities) load(tx *bbolt.Tx) (Authorities, error) {
	loaded := Authorities{Pending: a.Pending, keys: a.Keys}
	var err error
	read := func(serial string) *x509.Certificate {
		cert, e := certificate(tx, serial)
		if err == nil {
			err = e
		}
		return cert
	}
	if a.Current != "" {
		loaded.Current = read(a.Current)
	}
	for _, serial := range a.Earlier {
		loaded.Earlier = append(loaded.Earlier, read(serial))
	}
	for _, serial := range a.Roots {
		loaded.Roots = append(loaded.Roots, read(serial))
	}
	return loaded, err
}

// adopt makes a certificate, which is in the ledger already, the current authority's: a renewal takes the place of the
// certificate for the same key, a rollover leaves the one before among the earlier ones, and the first issuing
// authority of a root's store leaves the root above it.
func (a *authorities) adopt(tx *bbolt.Tx, serial string, cert *x509.Certificate) error {
	if a.Current != "" {
		before, err := certificate(tx, a.Current)
		if err != nil {
			return err
		}
		switch {
		case crl.KeyID(before) == crl.KeyID(cert):
		case before.MaxPathLen > 0:
			a.Roots = append(a.Roots, a.Current)
		default:
			a.Earlier = append([]string{a.Current}, a.Earlier...)
		}
	}
	a.Current = serial
	if a.Pending != nil && a.Pending.IsAnsweredBy(cert) {
		a.Keys[crl.KeyID(cert)] = a.Pending.KeyFile
		a.Pending = nil
	}
	return nil
}

// Authorities returns the store's authorities from the ledger. A key whose file is not there, as on a card that was taken
// out, is none that the store has.
func (s *Store) Authorities(ctx context.Context) (Authorities, error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return Authorities{}, err
	}
	defer unlock()
	loaded, err := s.authorities()
	if err != nil || len(s.missingKeys(loaded)) == 0 {
		return loaded, err
	}
	// A kill may have left it staged. Nothing else may come to put it in place: who writes opens the key first.
	if err := s.recover(); err != nil {
		return loaded, err
	}
	if loaded, err = s.authorities(); err != nil {
		return loaded, err
	}
	for _, id := range s.missingKeys(loaded) {
		delete(loaded.keys, id)
	}
	return loaded, nil
}

// authorities is Authorities as the ledger has them, for a caller that holds the lock.
func (s *Store) authorities() (loaded Authorities, err error) {
	err = s.look(func(tx *bbolt.Tx) error {
		a, err := getAuthorities(tx)
		if err != nil {
			return err
		}
		loaded, err = a.load(tx)
		return err
	})
	return loaded, err
}

// missingKeys returns the identifiers of the keys whose files are not there.
func (s *Store) missingKeys(a Authorities) (missing []string) {
	names := map[string]string{}
	maps.Copy(names, a.keys)
	if a.Pending != nil {
		names[a.Pending.KeyID] = a.Pending.KeyFile
	}
	for id, name := range names {
		if _, err := os.Stat(s.path(AuthorityRoom, name)); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, id)
		}
	}
	return missing
}

// RevokedOf returns what is in force of what an authority has issued, and what is in force of nobody knows whom: entries
// that name no issuer, and whose serials the ledger does not know.
func (s *Store) RevokedOf(ctx context.Context, authority *x509.Certificate) (of, unknown []crl.Entry, err error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	standing, err := s.standing(nil)
	if err != nil {
		return nil, nil, err
	}
	err = s.look(func(tx *bbolt.Tx) error {
		for _, e := range standing.InForce {
			issuer := e.Issuer
			if key := tx.Bucket(serialBucket).Get([]byte(e.Serial.String())); issuer == "" && key != nil {
				r, err := decodeRecord(tx.Bucket(indexBucket).Get(key))
				if err != nil {
					return err
				}
				issuer = r.Issuer
			}
			switch issuer {
			case crl.KeyID(authority):
				of = append(of, e)
			case "":
				unknown = append(unknown, e)
			}
		}
		return nil
	})
	return of, unknown, err
}

// ErrPending is returned for what needs an authority's certificate while that is awaited from its root.
var ErrPending = errPending{}

type errPending struct{}

func (errPending) Error() string {
	return "this store's authority is pending: its root has not signed its request yet"
}

// KeyFile returns the path of the key of an authority's certificate, sealed or in clear; "" where it is elsewhere.
func (s *Store) KeyFile(a Authorities, cert *x509.Certificate) string {
	name := a.keys[crl.KeyID(cert)]
	if name == "" {
		return ""
	}
	return s.path(AuthorityRoom, name)
}

// PendingKeyFile returns the path of the key whose certificate is awaited.
func (s *Store) PendingKeyFile(p *Pending) string { return s.path(AuthorityRoom, p.KeyFile) }

// Authority returns one of the store's authorities, given its opened key: the caller opens it, since a question or a
// key derivation takes its time and the store holds no lock meanwhile.
func (s *Store) Authority(a Authorities, cert *x509.Certificate, key crypto.Signer) (*ca.Authority, error) {
	return ca.New(ca.Config{Certificate: cert, Above: a.ChainOf(cert)[1:], Key: key, Ledger: s, Clock: s.o.clock()})
}
