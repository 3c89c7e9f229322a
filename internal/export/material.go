package export

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/secret"
)

// Material is what a store has for other servers, as it was at one moment.
type Material struct {
	Authorities []*x509.Certificate // issuing ones first, each root behind those it signed
	CA          []byte              // ca.pem: the authorities' certificates, then their signed revocation lists
	Lists       []byte              // FTS_CRL.pem: the signed lists alone
	List        []byte              // what is revoked, in the JSON form of FTS_CRL.json
	Server      *x509.Certificate
	Chain       []byte // server.pem: the server's certificate, then that of its issuer
	Key         []byte // server.key, sealed or in clear
	Packages    []Package

	// Unseal gives the passphrase of a sealed server.key. It is asked only where the key has to be written anew.
	Unseal func() (secret.Secret, error)
}

// Package is a client package in the store.
type Package struct {
	Name string // of the file
	Path string // in the store
}

// Read takes the material from a store, of which list is what is revoked. What is missing for a server to let anybody
// in is an error: there it would lock everyone out.
func Read(s *store.Store, list []byte) (Material, error) {
	m := Material{List: list}
	for _, f := range []struct {
		name    string
		to      *[]byte
		missing string
	}{
		{"ca.pem", &m.CA, "the store has no authority yet"},
		{"FTS_CRL.pem", &m.Lists, "there is no signed revocation list yet, without which a FreeTAKServer refuses every client"},
		{"server.pem", &m.Chain, "there is no server yet: ftsca issue server"},
		{"server.key", &m.Key, "there is no server yet: ftsca issue server"},
	} {
		data, err := os.ReadFile(filepath.Join(s.Endpoint(), f.name))
		if errors.Is(err, fs.ErrNotExist) {
			return m, errors.New(f.missing)
		}
		if err != nil {
			return m, fmt.Errorf("reading what is to be exported: %w", err)
		}
		*f.to = data
	}
	var err error
	if m.Authorities, err = certificates(m.CA); err != nil {
		return m, fmt.Errorf("reading ca.pem: %w", err)
	}
	if len(m.Authorities) == 0 {
		return m, errors.New("ca.pem has no certificate")
	}
	chain, err := certificates(m.Chain)
	if err == nil && len(chain) == 0 {
		err = errors.New("it has no certificate")
	}
	if err != nil {
		return m, fmt.Errorf("reading server.pem: %w", err)
	}
	m.Server = chain[0]
	if !bytes.Contains(m.CA, []byte("-----BEGIN X509 CRL-----")) {
		return m, errors.New("ca.pem has no revocation list, without which a FreeTAKServer refuses every client: ftsca crl sign, where the authority is")
	}
	m.Packages, err = packages(s)
	return m, err
}

// SignedLists returns the signed revocation lists of the material.
func (m Material) SignedLists() ([]*crl.X509, error) {
	var lists []*crl.X509
	for block, rest := pem.Decode(m.Lists); block != nil; block, rest = pem.Decode(rest) {
		l, err := crl.ParseX509Head(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading FTS_CRL.pem: %w", err)
		}
		lists = append(lists, l)
	}
	return lists, nil
}

// openKey returns the server's key in clear, in PEM.
func (m Material) openKey() ([]byte, error) {
	key, err := keyfile.Parse(m.Key, m.Unseal)
	if err != nil {
		return nil, fmt.Errorf("opening server.key: %w", err)
	}
	if err := keyfile.Match(key, m.Server); err != nil {
		return nil, fmt.Errorf("server.key and server.pem: %w", err)
	}
	if !keyfile.IsSealed(m.Key) {
		return m.Key, nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("writing the server's key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func certificates(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, c)
	}
	return certs, nil
}

func packages(s *store.Store) ([]Package, error) {
	entries, err := os.ReadDir(s.Packages())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for client packages: %w", err)
	}
	var found []Package
	for _, e := range entries {
		if e.Type().IsRegular() && store.IsPackage(e.Name()) && !strings.HasPrefix(e.Name(), ".") {
			found = append(found, Package{Name: e.Name(), Path: filepath.Join(s.Packages(), e.Name())})
		}
	}
	return found, nil
}
