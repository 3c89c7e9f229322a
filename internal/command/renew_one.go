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
	algorithm keyfile.Algorithm // of new keys; "" is that of the old ones
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
	one.order = ca.Order{Purpose: r.Purpose, Request: request, Days: w.days(r, cert), AllowLong: w.o.force, Hosts: r.Hosts, Contact: r.Contact, Mark: r.Mark, NewGeneration: true,
		AlsoClient: r.Purpose == ca.Server && slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth),
		Channels:   len(cert.UnknownExtKeyUsage) > 0}
	// With --revoke-old too: what a kill leaves of it, ftsca revoke --due does.
	if w.o.overlap != 0 || w.o.revokeOld {
		one.order.RetireEarlier = w.o.g.env.Now().Add(time.Duration(w.o.overlap))
	}
	var key crypto.Signer
	if w.o.rekey {
		if key, err = w.o.g.generate(ctx, w.algorithmFor(cert)); err != nil {
			return nil, err
		}
		one.order.Request.PublicKey = key.Public()
	}
	if r.Purpose == ca.Server {
		return one, w.prepareServer(one, cert, key)
	}
	return one, w.prepareClient(one, cert, key)
}

// days is for how long a certificate is renewed: for as long as it was issued for, unless that was cut short or a flag
// says otherwise.
func (w *renewing) days(r store.Record, cert *x509.Certificate) int {
	issuer := w.keys.authorities.IssuerOf(cert)
	if w.o.days != 0 || issuer == nil || cert.NotAfter.Equal(issuer.NotAfter) {
		return w.o.days
	}
	return max(1, int((r.NotAfter.Sub(r.IssuedAt)+day/2)/day))
}

// algorithmFor is that of a new key: as the flag says, else as the old key was.
func (w *renewing) algorithmFor(cert *x509.Certificate) keyfile.Algorithm {
	if w.algorithm != "" {
		return w.algorithm
	}
	if a, err := keyfile.ParseAlgorithm(keyName(cert.PublicKey)); err == nil {
		return a
	}
	return keyfile.RSA2048
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
	families, err := familiesOf(r.Families)
	if err != nil {
		return err
	}
	pack := packing{families: families, hosts: r.Hosts, key: key}
	password, err := w.o.password.read()
	if err != nil {
		return err
	}
	opened, err := openPackages(w.store, r, password)
	switch {
	case err == nil:
		pack.password, pack.askPassword, pack.extras, pack.before = opened.Password, opened.AskPassword, opened.Extras, opened.Connections
		if key == nil {
			if err := keyfile.Match(opened.Key, cert); err != nil {
				return fmt.Errorf("the package of %q: %w", r.Name, err)
			}
			pack.key = opened.Key
		}
	case key != nil && errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, fs.ErrNotExist):
		return hinted(fmt.Errorf("the package of %q is gone, and its key with it", r.Name), "--rekey makes a new key")
	case errors.Is(err, datapackage.ErrNoPassword):
		return hinted(err, "its password is not in the package: give it with --password-file, or move the package away and make a new key with --rekey")
	default:
		return hinted(err, "--rekey makes a new key, when the damaged package is moved away")
	}
	made := false
	pack.password, made = passwordOf(pack.password)
	noted := len(r.Packages) > 0 && isFile(packagePath(w.store, store.PasswordFile(r.Packages[0])))
	if made && !noted {
		one.result.Password = pack.password.Reveal()
	}
	one.order.Families = r.Families
	one.order.Pack = func(e ca.Entry) ([]ca.Product, error) {
		products, err := w.o.g.clientPackages(w.keys.authorities, e, pack, false)
		if err != nil {
			return nil, err
		}
		one.result.Packages, one.result.Hosts = packagePaths(w.store, products), pack.hosts
		// A roster's client had its password in a file beside the package, and has it there again.
		if noted {
			products = append(products, passwordNote(products[0].Name, pack.password))
		}
		return products, nil
	}
	return nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// noPackageError says that a client has no package here. It counts as [fs.ErrNotExist].
type noPackageError struct{ name string }

func (e *noPackageError) Error() string {
	return fmt.Sprintf("there is no package of %q any more", e.name)
}
func (e *noPackageError) Unwrap() error { return fs.ErrNotExist }

// openPackages opens the first of a certificate's packages that is there.
func openPackages(s *store.Store, r store.Record, password secret.Secret) (datapackage.Opened, error) {
	err := error(&noPackageError{r.Name})
	for _, name := range r.Packages {
		var opened datapackage.Opened
		if opened, err = readPackage(packagePath(s, name), password); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return opened, err
		}
	}
	return datapackage.Opened{}, err
}

func readPackage(name string, password secret.Secret) (datapackage.Opened, error) {
	data, err := readBounded(name, maxPackage)
	if err != nil {
		return datapackage.Opened{}, fmt.Errorf("reading the package: %w", err)
	}
	opened, err := datapackage.Open(data, password)
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
		r.Packages, r.Hosts, r.Password, r.Certificate, r.KeyFile = paths.Packages, paths.Hosts, paths.Password, paths.Certificate, paths.KeyFile
		if len(r.Packages) == 0 && r.Certificate == "" {
			r.Certificate = filepath.Join(w.store.Dir(), store.AuthorityRoom, store.CertificateFile(e.Certificate))
		}
		w.o.g.sayCut(e.Cut, e.Certificate.NotAfter)
		w.tell(r)
	}
	return nil
}
