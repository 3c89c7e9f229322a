package command

import (
	"crypto"
	"fmt"
	"slices"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
)

// packing is what a client's packages are made of besides its certificate.
type packing struct {
	families    []datapackage.Family // one package for each
	hosts       []string             // host:port
	profile     pkcs12.Profile
	key         crypto.Signer
	password    secret.Secret
	askPassword bool
	disabled    bool
	extras      datapackage.Extras
	description string                   // of connections that had none before; "" is the authority's name
	before      []datapackage.Connection // of the package that this one follows
}

// clientPackages packs what a client's devices need to connect, a package for each family, each to replace one of the
// same name where replace says so.
func (g *global) clientPackages(a store.Authorities, e ca.Entry, p packing, replace bool) ([]ca.Product, error) {
	if p.description == "" {
		p.description = a.Current.Subject.CommonName
	}
	contents := datapackage.Contents{
		Name: e.Name, Key: p.key, Certificate: e.Certificate, Authorities: a.Trust(),
		Password: p.password, AskPassword: p.askPassword, Encoder: pkcs12.NewEncoder(p.profile, g.env.BundleRounds),
		Extras: p.extras, Modified: e.IssuedAt,
	}
	for _, address := range p.hosts {
		host, port, err := datapackage.ParseHost(address)
		if err != nil {
			return nil, err
		}
		contents.Connections = append(contents.Connections, p.connection(host, port))
	}
	var products []ca.Product
	for _, f := range p.families {
		contents.Extras = p.extrasFor(f)
		data, err := datapackage.Make(f, contents)
		if err != nil {
			return nil, fmt.Errorf("packing for %q: %w", e.Name, err)
		}
		products = append(products, ca.Product{Room: ca.Packages, Name: f.FileName(e.Name, serialOf(e.Certificate)), Data: data, Mode: 0o600, Replace: replace})
	}
	return products, nil
}

// check tells what the families would not take, before anything is signed.
func (p packing) check() error {
	contents := datapackage.Contents{AskPassword: p.askPassword}
	for _, address := range p.hosts {
		host, port, err := datapackage.ParseHost(address)
		if err != nil {
			return &usageError{err}
		}
		contents.Connections = append(contents.Connections, p.connection(host, port))
	}
	for _, f := range p.families {
		contents.Extras = p.extrasFor(f)
		if err := f.Check(contents); err != nil {
			return &usageError{fmt.Errorf("the package for %s: %w", f.Title(), err)}
		}
	}
	return nil
}

// connection keeps what the earlier package said of an address.
func (p packing) connection(host string, port int) datapackage.Connection {
	for _, c := range p.before {
		if c.Host == host && c.Port == port {
			return c
		}
	}
	return datapackage.Connection{Host: host, Port: port, Description: p.description, Disabled: p.disabled}
}

// extrasFor leaves a unit's further files out of the packages of clients that take none.
func (p packing) extrasFor(f datapackage.Family) datapackage.Extras {
	extras := p.extras
	if !f.TakesFiles() {
		extras.Files = nil
	}
	return extras
}

// warnings are what the families give up by the form that was chosen.
func (p packing) warnings() []string {
	var all []string
	add := func(w string) {
		if !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	for _, f := range p.families {
		for _, w := range f.Warnings(p.profile, datapackage.Contents{AskPassword: p.askPassword, Extras: p.extrasFor(f),
			Connections: []datapackage.Connection{{Disabled: p.disabled}}}) {
			add(w)
		}
		if len(p.extras.Files) > 0 && !f.TakesFiles() {
			add(f.Title() + " takes no further files out of a package: the unit's are left out of its")
		}
	}
	return all
}

// passwordNote is the file with a client's password, beside its package.
func passwordNote(pkg string, password secret.Secret) ca.Product {
	return ca.Product{Room: ca.Packages, Name: store.PasswordFile(pkg), Data: []byte(password.Reveal() + "\n"), Mode: 0o600}
}

// packagePaths are where products lie that are packages.
func packagePaths(s *store.Store, products []ca.Product) []string {
	var paths []string
	for _, p := range products {
		if p.Room == ca.Packages && store.IsPackage(p.Name) {
			paths = append(paths, packagePath(s, p.Name))
		}
	}
	return paths
}
