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

// clientSecrets are what a package holds that nobody else may know.
type clientSecrets struct {
	key      crypto.Signer
	password secret.Secret
}

// clientPackage packs what a client's device needs to connect to the host that its entry names. An empty description is
// the authority's name.
func (g *global) clientPackage(a store.Authorities, e ca.Entry, s clientSecrets, description string) (ca.Product, error) {
	host, port, err := datapackage.ParseHost(e.Hosts[0])
	if err != nil {
		return ca.Product{}, err
	}
	if description == "" {
		description = a.Current.Subject.CommonName
	}
	data, err := datapackage.ATAK(datapackage.Contents{
		Name: e.Name, Host: host, Port: port, Description: description,
		Key: s.key, Certificate: e.Certificate, Authorities: a.Trust(),
		Password: s.password, Encoder: pkcs12.NewEncoder(pkcs12.TAK, g.env.BundleRounds), Modified: e.IssuedAt,
	})
	if err != nil {
		return ca.Product{}, fmt.Errorf("packing for %q: %w", e.Name, err)
	}
	return ca.Product{Room: ca.Packages, Name: datapackage.FileStem(e.Name, serialOf(e.Certificate)) + packageExt, Data: data, Mode: 0o600}, nil
}
