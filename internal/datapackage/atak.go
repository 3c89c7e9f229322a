package datapackage

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
	"github.com/ftsca/ftsca/templates"
)

// Contents is what goes into a client's package.
type Contents struct {
	// Name is the client's, any text; files are named after its [SafeName].
	Name string
	// Host is what the device connects to: a DNS name or an IPv4 address, as ParseHost returns it.
	Host string
	// Port is 1 to 65535; zero stands for [DefaultPort].
	Port int
	// Description is what the device calls the connection, any text; empty stands for Host.
	Description string
	// Key is the client's own, RSA or ECDSA, in memory.
	Key crypto.Signer
	// Certificate is the client's: one for client authentication and for nothing else that could serve as a server.
	Certificate *x509.Certificate
	// Authorities is the chain above the client's certificate, its issuer first and the self-signed root last. A device
	// trusts these, and no others, to vouch for the server. Further CAs with their roots may follow.
	Authorities []*x509.Certificate
	// Password opens both .p12 files, and stands in the preferences. Not zero.
	Password secret.Secret
	// Encoder decides which devices can open the .p12 files. The zero Encoder suits all.
	Encoder pkcs12.Encoder
	// Modified is the time that every file in the zip bears, in UTC, from 1980 to 2107 in steps of two seconds; what
	// lies beyond, as the zero time, is moved to the nearer end.
	Modified time.Time
	// UID tells packages apart on the device; empty stands for one derived from host, port and certificates.
	UID string
}

// ATAK returns the package for ATAK: certs/ with the preferences and both .p12 files, and MANIFEST/manifest.xml. The same
// Contents give the same zip, byte for byte, except for the random salts in the .p12 files (and the lengths that follow
// from them, which do not vary).
//
// It refuses a certificate that is a CA's or could be a server's, a key that is not the certificate's, authorities that
// do not lead from the certificate to a self-signed root, a host that ParseHost refuses, and text that a device would
// not read back as it is. The error says which.
func ATAK(c Contents) ([]byte, error) {
	c, err := c.vet()
	if err != nil {
		return nil, err
	}
	password := c.Password.Reveal()
	identity, err := c.Encoder.Identity(c.Key, c.Certificate, c.chain(), password)
	if err != nil {
		return nil, err
	}
	trust, err := c.Encoder.TrustStore(c.Authorities, password)
	if err != nil {
		return nil, err
	}
	names := c.names()
	preferences, err := templates.RenderATAKPreferences(templates.Preferences{Connections: []templates.Connection{{
		Description: c.Description, Host: c.Host, Port: c.Port, Enabled: true,
		CAFile: names.trust, CAPassword: password, ClientFile: names.identity, ClientPassword: password,
	}}})
	if err != nil {
		return nil, fmt.Errorf("preferences: %w", err)
	}
	contents := []file{
		{"certs/" + names.preferences, preferences},
		{"certs/" + names.trust, trust},
		{"certs/" + names.identity, identity},
	}
	manifest := templates.Manifest{UID: c.UID, Name: c.Host + "_" + c.Name}
	for _, f := range contents {
		manifest.Entries = append(manifest.Entries, f.path)
	}
	list, err := templates.RenderManifest(manifest)
	if err != nil {
		return nil, err
	}
	return archive(append(contents, file{manifestPath, list}), c.Modified)
}

// manifestPath is looked up by ATAK 4.6 in exactly this spelling.
const manifestPath = "MANIFEST/manifest.xml"
