package datapackage

import (
	"fmt"

	"github.com/ftsca/ftsca/templates"
)

// Make returns the package for a family. The same Contents give the same zip, byte for byte, except for the random salts
// in the .p12 files (and the lengths that follow from them, which do not vary).
//
// ATAK's has its files in folders, certs/ and files/, and lists them in MANIFEST/manifest.xml. WinTAK's is a package
// within a package, each with its manifest. iTAK's and TAK Aware's have three files and no folder, and no manifest: both
// find the files without one, and whether one at the root ever harms is not known.
//
// It refuses a certificate that is a CA's or could be a server's, a key that is not the certificate's, authorities that
// do not lead from the certificate to a self-signed root, a host that ParseHost refuses, text that a device would
// not read back as it is, and what the family would fail with or pass over in silence: see [Contents] and [Extras]. The
// error says which. [Family.Warnings] tells what is made all the same.
func Make(f Family, c Contents) ([]byte, error) {
	c, err := c.vet(f)
	if err != nil {
		return nil, err
	}
	b, err := c.bundle()
	if err != nil {
		return nil, err
	}
	switch f {
	case ATAK:
		return c.atak(b)
	case WinTAK:
		return c.wintak(b)
	}
	return c.flat(f, b)
}

// bundle is the pair of .p12 files, which every connection has copies of, and the passwords that the preferences give.
type bundle struct {
	identity, trust                 []byte
	identityPassword, trustPassword string
}

func (c Contents) bundle() (b bundle, err error) {
	password := c.Password.Reveal()
	b.identityPassword, b.trustPassword = password, password
	if c.AskPassword {
		b.identityPassword, b.trustPassword = "", c.trustPassword()
	}
	if b.identity, err = c.Encoder.Identity(c.Key, c.Certificate, c.chain(), password); err != nil {
		return b, err
	}
	b.trust, err = c.Encoder.TrustStore(c.Authorities, b.trustPassword)
	return b, err
}

// connection is what the preferences say of the one at i.
func (c Contents) connection(i int, b bundle) templates.Connection {
	to, names := c.Connections[i], c.names(i)
	return templates.Connection{
		Description: to.Description, Host: to.Host, Port: to.Port, Enabled: !to.Disabled,
		CAFile: names.trust, CAPassword: b.trustPassword, ClientFile: names.identity, ClientPassword: b.identityPassword,
	}
}

// atak puts a copy of both .p12 files beside every connection, since ATAK deletes what it has imported.
func (c Contents) atak(b bundle) ([]byte, error) {
	p := templates.Preferences{Entries: c.Extras.entries()}
	var bundles []file
	for i := range c.Connections {
		names := c.names(i)
		p.Connections = append(p.Connections, c.connection(i, b))
		bundles = append(bundles, file{"certs/" + names.trust, b.trust}, file{"certs/" + names.identity, b.identity})
	}
	preferences, err := templates.RenderATAKPreferences(p)
	if err != nil {
		return nil, fmt.Errorf("preferences: %w", err)
	}
	files := append([]file{{"certs/" + c.stem() + ".pref", preferences}}, bundles...)
	return c.listed(append(files, c.Extras.in("files/")...), templates.Manifest{UID: c.UID})
}

// The folders are those of the packages that WinTAK has been reading for years; ATAK makes such names of hashes.
const (
	outerFolder = "80b828699e074a239066d454a76284eb/"
	innerFolder = "5c2bfcae3d98c9f4d262172df99ebac5/"
)

// wintak packs a package into a package, as is customary, with the .p12 files of one connection.
func (c Contents) wintak(b bundle) ([]byte, error) {
	files, err := c.unindexed(innerFolder, c.stem()+".pref", b)
	if err != nil {
		return nil, err
	}
	inner, err := c.listed(append(files, c.Extras.in(innerFolder)...), templates.Manifest{UID: c.UID})
	if err != nil {
		return nil, err
	}
	return c.listed([]file{{outerFolder + c.stem() + ".zip", inner}}, templates.Manifest{UID: c.derivedUID("outer uid"), Kept: true})
}

// flat is the form of iTAK and TAK Aware. The name of the preferences tells the two apart when the package is opened.
func (c Contents) flat(f Family, b bundle) ([]byte, error) {
	files, err := c.unindexed("", c.stem()+f.suffix()+".pref", b)
	if err != nil {
		return nil, err
	}
	return archive(files, c.Modified)
}

func (c Contents) unindexed(folder, name string, b bundle) ([]file, error) {
	preferences, err := templates.RenderUnindexedPreferences(templates.Preferences{
		Connections: []templates.Connection{c.connection(0, b)}, Entries: c.Extras.entries(),
	})
	if err != nil {
		return nil, fmt.Errorf("preferences: %w", err)
	}
	names := c.names(0)
	return []file{{folder + name, preferences}, {folder + names.trust, b.trust}, {folder + names.identity, b.identity}}, nil
}

// listed packs files and a manifest of them.
func (c Contents) listed(files []file, m templates.Manifest) ([]byte, error) {
	m.Name = c.Connections[0].Host + "_" + c.Name
	for _, f := range files {
		m.Entries = append(m.Entries, f.path)
	}
	list, err := templates.RenderManifest(m)
	if err != nil {
		return nil, err
	}
	return archive(append(files, file{manifestPath, list}), c.Modified)
}

// manifestPath is looked up by ATAK 4.6 in exactly this spelling.
const manifestPath = "MANIFEST/manifest.xml"
