package datapackage

import (
	"archive/zip"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
	"github.com/ftsca/ftsca/templates"
)

// ErrNoPassword is returned by [Open] where a file's password stands nowhere in the package and none was given. A wrong
// one is [pkcs12.ErrPassword].
var ErrNoPassword = errors.New("its password does not stand in the package, and none was given")

// Opened is what a package holds.
type Opened struct {
	// Family is what the package was made for, as far as its form tells: what [Make] made is known for certain.
	Family Family
	// Name and UID are those of the manifest, any text; "" where it has none. ATAK names the package "HOST_CLIENT".
	Name, UID string
	// Connections are the servers, at least one, that Key is for.
	Connections []Connection
	// Key is the client's for the first connection, RSA or ECDSA.
	Key crypto.Signer
	// Certificate is that of the key.
	Certificate *x509.Certificate
	// Authorities is the trust store of the first connection: the chain above the client's certificate first, as far as
	// the store leads, then the others in their order.
	Authorities []*x509.Certificate
	// Password is what opened the identity.
	Password secret.Secret
	// AskPassword tells that the preferences do not have it.
	AskPassword bool
	// Extras are what else the package sets up.
	Extras Extras
	// Left names what Contents does not bring along: further connections with other certificates, preferences and files
	// that no package of ours may have. A sentence's worth each, without a stop; none in what Make made.
	Left []string
}

// Open reads a package of at most 8 MiB: those of [Make], and those of other tools where they hold the same in another
// order. The zip may be flat, the manifest missing, certificates named for all connections at once, the package within
// another one. Not read is one whose trust store holds a private key, as FreeTAKServer's do with that of the server.
//
// The identity is opened with the password given, or, where that is zero, with the one that the preferences have for it;
// the trust store with either. Nothing is judged that would keep a client from being renewed: no date, no usage.
//
// At most 64 files are taken, 4 MiB of each, measured while they are unpacked. The error says which file it is about;
// errors.Is finds ErrNoPassword, pkcs12.ErrPassword, and the rest of package pkcs12's. It holds no password.
func Open(data []byte, password secret.Secret) (Opened, error) {
	z, err := unzip(data)
	if err != nil {
		return Opened{}, fmt.Errorf("the package: %w", err)
	}
	o := Opened{Password: password}
	z, nested, err := z.innermost()
	if err != nil {
		return Opened{}, err
	}
	if err := o.readManifest(z); err != nil {
		return Opened{}, err
	}
	p, file, err := readPreferences(z)
	if err != nil {
		return Opened{}, err
	}
	o.Family = familyOf(z, nested, file, p.Unindexed)
	if err := o.readIdentity(z, p.Connections[0]); err != nil {
		return Opened{}, err
	}
	if err := o.readAuthorities(z, p.Connections[0], password); err != nil {
		return Opened{}, err
	}
	if err := o.readConnections(z, file, p.Connections); err != nil {
		return Opened{}, err
	}
	o.readExtras(z, p)
	return o, nil
}

// Contents is what [Make] makes the same package of, for the Family. The client's name is what follows the host in the
// package's, else the common name of the certificate. The UID is left empty, so that one is derived from the certificate,
// and so are Modified and Encoder. For a package with another certificate, set that. The zero Opened has zero Contents.
func (o Opened) Contents() Contents {
	if len(o.Connections) == 0 || o.Certificate == nil {
		return Contents{}
	}
	name, ok := strings.CutPrefix(o.Name, o.Connections[0].Host+"_")
	if !ok || name == "" {
		name = o.Certificate.Subject.CommonName
	}
	return Contents{
		Name: name, Connections: slices.Clone(o.Connections), Key: o.Key, Certificate: o.Certificate, Authorities: slices.Clone(o.Authorities),
		Password: o.Password, AskPassword: o.AskPassword, Extras: o.Extras,
	}
}

// innermost returns the package within a package, as is made for WinTAK, or the package itself.
func (z *unzipped) innermost() (inner *unzipped, nested bool, err error) {
	if f, err := z.ending(".pref"); f != nil || err != nil {
		return z, false, nil
	}
	f, err := z.ending(".zip")
	if err != nil {
		return nil, false, fmt.Errorf("the package: %w", err)
	}
	if f == nil {
		return z, false, nil
	}
	data, err := z.read(f)
	if err != nil {
		return nil, false, err
	}
	if inner, err = unzip(data); err != nil {
		return nil, false, fmt.Errorf("the package within, %.300q: %w", f.Name, err)
	}
	return inner, true, nil
}

// familyOf follows the form. A package with folders whose keys have no index was made for ATAK by tools that do not know
// of the keys with one; a flat one is as iTAK needs it, and can do without folders in ATAK, too.
func familyOf(z *unzipped, nested bool, preferences string, unindexed bool) Family {
	switch {
	case nested:
		return WinTAK
	case !unindexed || strings.Contains(preferences, "/"):
		return ATAK
	case strings.HasSuffix(strings.ToLower(preferences), TAKAware.suffix()+".pref"):
		return TAKAware
	}
	return ITAK
}

// readManifest looks where ATAK does, in any case, and where iTAK's packages have it.
func (o *Opened) readManifest(z *unzipped) error {
	var found *zip.File
	for _, f := range z.entries {
		if strings.EqualFold(f.Name, manifestPath) || strings.EqualFold(f.Name, "manifest.xml") && found == nil {
			found = f
		}
	}
	if found == nil {
		return nil
	}
	data, err := z.read(found)
	if err != nil {
		return err
	}
	m, err := templates.ReadManifest(data)
	if err != nil {
		return fmt.Errorf("%s: %w", found.Name, err)
	}
	o.Name, o.UID = m.Name, m.UID
	return nil
}

func readPreferences(z *unzipped) (p templates.Preferences, name string, err error) {
	f, err := z.ending(".pref")
	if err != nil {
		return p, "", fmt.Errorf("the package: %w", err)
	}
	if f == nil {
		return p, "", errors.New("the package: it has no .pref file, which would say where to connect")
	}
	data, err := z.read(f)
	if err != nil {
		return p, "", err
	}
	if p, err = templates.ReadATAKPreferences(data); err != nil {
		return p, "", fmt.Errorf("%s: %w", f.Name, err)
	}
	return p, f.Name, nil
}

func (o *Opened) readIdentity(z *unzipped, c templates.Connection) error {
	data, file, err := z.bundle(c.ClientFile, "the client's certificate (certificateLocation)")
	if err != nil {
		return err
	}
	o.AskPassword = c.ClientPassword == ""
	if o.Password.IsZero() {
		o.Password = secret.FromString(c.ClientPassword)
	}
	if o.Password.IsZero() {
		return fmt.Errorf("%s: %w", file, ErrNoPassword)
	}
	id, err := pkcs12.ReadIdentity(data, o.Password.Reveal())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	o.Key, o.Certificate = id.Key, id.Certificate
	return nil
}

func (o *Opened) readAuthorities(z *unzipped, c templates.Connection, given secret.Secret) error {
	data, file, err := z.bundle(c.CAFile, "the trust store (caLocation)")
	if err != nil {
		return err
	}
	anchors, err := openTrust(data, given, secret.FromString(c.CAPassword))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	var certs []*x509.Certificate
	for _, a := range anchors {
		certs = append(certs, a.Certificate)
	}
	chain, others := pkcs12.ChainOf(o.Certificate, certs)
	o.Authorities = append(chain, others...)
	return nil
}

// openTrust tries the password given, and then the one that stands in the preferences.
func openTrust(data []byte, passwords ...secret.Secret) (anchors []pkcs12.Anchor, err error) {
	err = ErrNoPassword
	for _, password := range passwords {
		if password.IsZero() {
			continue
		}
		if anchors, err = pkcs12.ReadTrustStore(data, password.Reveal()); !errors.Is(err, pkcs12.ErrPassword) {
			return anchors, err
		}
	}
	return nil, err
}

// bundle returns the .p12 file that the preferences name, and its name in the zip.
func (z *unzipped) bundle(name, what string) (data []byte, file string, err error) {
	if name == "" {
		return nil, "", fmt.Errorf("the package: its preferences name no file for %s", what)
	}
	f, err := z.named(name)
	if err != nil {
		return nil, "", fmt.Errorf("the package: %w", err)
	}
	if f == nil {
		return nil, "", fmt.Errorf("the package: it has no file %.100q, which its preferences name for %s", name, what)
	}
	data, err = z.read(f)
	return data, f.Name, err
}
