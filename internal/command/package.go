package command

import (
	"crypto"
	"fmt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
)

// packageExt ends the name of a package's file.
const packageExt = ".zip"

// packing is what a client's package is made of besides its certificate and where it connects to.
type packing struct {
	family      datapackage.Family // "" is ATAK
	key         crypto.Signer
	password    secret.Secret
	askPassword bool
	extras      datapackage.Extras
	description string                   // of connections that had none before; "" is the authority's name
	before      []datapackage.Connection // of the package that this one follows
}

// clientPackage packs what a client's device needs to connect to the hosts that its entry names.
func (g *global) clientPackage(a store.Authorities, e ca.Entry, p packing) (ca.Product, error) {
	if p.family == "" {
		p.family = datapackage.ATAK
	}
	if p.description == "" {
		p.description = a.Current.Subject.CommonName
	}
	var connections []datapackage.Connection
	for _, address := range e.Hosts {
		host, port, err := datapackage.ParseHost(address)
		if err != nil {
			return ca.Product{}, err
		}
		connections = append(connections, p.connection(host, port))
	}
	data, err := datapackage.Make(p.family, datapackage.Contents{
		Name: e.Name, Connections: connections,
		Key: p.key, Certificate: e.Certificate, Authorities: a.Trust(),
		Password: p.password, AskPassword: p.askPassword, Encoder: pkcs12.NewEncoder(pkcs12.TAK, g.env.BundleRounds),
		Extras: p.extras, Modified: e.IssuedAt,
	})
	if err != nil {
		return ca.Product{}, fmt.Errorf("packing for %q: %w", e.Name, err)
	}
	return ca.Product{Room: ca.Packages, Name: p.family.FileName(e.Name, serialOf(e.Certificate)), Data: data, Mode: 0o600}, nil
}

// connection keeps what the earlier package said of an address.
func (p packing) connection(host string, port int) datapackage.Connection {
	for _, c := range p.before {
		if c.Host == host && c.Port == port {
			return c
		}
	}
	return datapackage.Connection{Host: host, Port: port, Description: p.description}
}
