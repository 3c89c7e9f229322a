package command

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/secret"
)

// maxPackage bounds a package's file, in bytes.
const maxPackage = 8 << 20

// renewing is a run of renew.
type renewing struct {
	o         *renewOptions
	store     *store.Store
	keys      *keyring
	authority *ca.Authority
	algorithm keyfile.Algorithm // of new keys; "" keeps the old ones
	earlier   []store.Record    // all that was on record before
	results   []issued
	problems  []error
}

// renewal is one certificate to renew, with all that its files are made of.
type renewal struct {
	record store.Record
	order  ca.Order
	result issued // its paths and its password
}

// prepare finds key, password and files of a certificate, so that nothing is missing when the authority's key is opened.
func (w *renewing) prepare(ctx context.Context, r store.Record) (*renewal, error) {
	cert, err := w.store.Certificate(ctx, r.Serial)
	if err != nil {
		return nil, err
	}
	request, err := csr.FromCertificate(cert)
	if err != nil {
		return nil, err
	}
	one := &renewal{record: r}
	one.order = ca.Order{Purpose: r.Purpose, Request: request, Days: w.o.days, AllowLong: w.o.force, Hosts: r.Hosts, Contact: r.Contact, Mark: r.Mark, NewGeneration: true,
		AlsoClient: r.Purpose == ca.Server && slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth),
		Channels:   len(cert.UnknownExtKeyUsage) > 0}
	if w.o.overlap != 0 {
		one.order.RetireEarlier = w.o.g.env.Now().Add(time.Duration(w.o.overlap))
	}
	var key crypto.Signer
	if w.algorithm != "" {
		if key, err = generate(ctx, w.algorithm); err != nil {
			return nil, err
		}
		one.order.Request.PublicKey = key.Public()
	}
	if r.Purpose == ca.Server {
		return one, w.prepareServer(one, cert, key)
	}
	return one, w.prepareClient(one, cert, key)
}

// prepareClient takes the key and the password out of the client's package. A client that made its own request has none,
// and gets a certificate alone.
func (w *renewing) prepareClient(one *renewal, cert *x509.Certificate, key crypto.Signer) error {
	r := one.record
	if len(r.Hosts) == 0 {
		if key != nil {
			return hinted(errors.New("its key was made elsewhere, and so has a new one to be"), "ftsca csr sign with --new-generation signs its request")
		}
		return nil
	}
	packed := packing{key: key}
	opened, err := readPackage(packagePath(w.store, r.Package))
	switch {
	case err == nil:
		packed = packing{key: key, family: opened.Family, password: opened.Password, askPassword: opened.AskPassword,
			extras: opened.Extras, before: opened.Connections}
		if key == nil {
			if err := keyfile.Match(opened.Key, cert); err != nil {
				return fmt.Errorf("the package %s: %w", r.Package, err)
			}
			packed.key = opened.Key
		}
	case key != nil && errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, fs.ErrNotExist):
		return hinted(fmt.Errorf("its package %s is gone, and its key with it", r.Package), "--rekey makes a new key")
	default:
		return hinted(err, "--rekey makes a new key, when the damaged package is moved away")
	}
	made := false
	packed.password, made = passwordOf(packed.password)
	if made {
		one.result.Password = packed.password.Reveal()
	}
	one.order.Pack = func(e ca.Entry) ([]ca.Product, error) {
		product, err := w.o.g.clientPackage(w.keys.authorities, e, packed)
		one.result.Package, one.result.Host = packagePath(w.store, product.Name), e.Hosts[0]
		return []ca.Product{product}, err
	}
	return nil
}

func readPackage(name string) (datapackage.Opened, error) {
	data, err := readBounded(name, maxPackage)
	if err != nil {
		return datapackage.Opened{}, fmt.Errorf("reading the package: %w", err)
	}
	opened, err := datapackage.Open(data, secret.Secret{})
	if err != nil {
		return opened, fmt.Errorf("%s: %w", name, err)
	}
	return opened, nil
}

// prepareServer finds the server's key file, which goes on beside the new certificate, or makes another. A server that
// made its own request has none here, and gets a certificate alone.
func (w *renewing) prepareServer(one *renewal, cert *x509.Certificate, key crypto.Signer) error {
	dir := w.store.Endpoint()
	stem, err := serverStemOf(dir, cert)
	if err != nil {
		return err
	}
	if stem == "" {
		if key != nil {
			return hinted(errors.New("its key was made elsewhere, and so has a new one to be"), "ftsca csr sign with --new-generation signs its request")
		}
		return nil
	}
	file, err := os.ReadFile(filepath.Join(dir, stem+keyExt))
	if err != nil {
		return fmt.Errorf("reading the server's key: %w", err)
	}
	if key != nil {
		seal, err := w.o.serverKey.read()
		if err != nil {
			return err
		}
		if seal.IsZero() && keyfile.IsSealed(file) {
			return hinted(errors.New("the server's key is sealed, and the new one is to be too"), "give --server-key-passphrase-file")
		}
		if file, err = keyfile.NewSealer(w.o.g.env.KeyRounds).Seal(key, seal); err != nil {
			return err
		}
	}
	one.order.Pack = func(e ca.Entry) ([]ca.Product, error) {
		stem, products, err := serverFiles(dir, w.authority.Certificate(), e, file, stem == serverStem)
		one.result.Certificate, one.result.KeyFile = filepath.Join(dir, stem+certificateExt), filepath.Join(dir, stem+keyExt)
		return products, err
	}
	return nil
}

// serverStemOf finds which of the endpoint's files are a certificate's: "server", its own, or "" for none.
func serverStemOf(dir string, cert *x509.Certificate) (string, error) {
	for _, stem := range []string{serverStem, datapackage.FileStem(cert.Subject.CommonName, serialOf(cert))} {
		certs, err := readCertificates(filepath.Join(dir, stem+certificateExt))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		if certs[0].Equal(cert) {
			return stem, nil
		}
	}
	return "", nil
}

// issue renews a group in one act.
func (w *renewing) issue(ctx context.Context, group []*renewal) error {
	orders := make([]ca.Order, len(group))
	for i, one := range group {
		orders[i] = one.order
	}
	entries, err := w.authority.IssueAll(ctx, orders)
	if err != nil {
		return err
	}
	for i, e := range entries {
		r, paths := issuedOf(e), group[i].result
		r.Package, r.Host, r.Password, r.Certificate, r.KeyFile = paths.Package, paths.Host, paths.Password, paths.Certificate, paths.KeyFile
		if r.Package == "" && r.Certificate == "" {
			r.Certificate = filepath.Join(w.store.Dir(), store.AuthorityRoom, store.CertificateFile(e.Certificate))
		}
		w.o.g.sayCut(e.Cut, e.Certificate.NotAfter)
		w.tell(r)
	}
	return nil
}
