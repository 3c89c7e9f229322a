package datapackage

import (
	"archive/zip"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
	"github.com/ftsca/ftsca/templates"
)

// ErrNoPassword is returned by [Open] where a file's password stands nowhere in the package and none was given. A wrong
// one is [pkcs12.ErrPassword].
var ErrNoPassword = errors.New("its password does not stand in the package, and none was given")

// Connection is a server that a package lets a device connect to.
type Connection struct {
	// Host is as ParseHost returns it.
	Host string
	Port int
	// Description is what the device calls the connection, any text.
	Description string
	// Enabled tells whether the device connects by itself.
	Enabled bool
}

// Opened is what a package holds.
type Opened struct {
	// Name and UID are those of the manifest, any text; "" where it has none. ATAK names the package "HOST_CLIENT".
	Name, UID string
	// Connections are the servers, at least one.
	Connections []Connection
	// Key is the client's for the first connection, RSA or ECDSA. Certificates of further connections are not looked at.
	Key crypto.Signer
	// Certificate is that of the key.
	Certificate *x509.Certificate
	// Authorities is the trust store of the first connection: the chain above the client's certificate first, as far as
	// the store leads, then the others in their order.
	Authorities []*x509.Certificate
	// Password is what opened the identity.
	Password secret.Secret
}

// Open reads a package of at most 8 MiB: those of [ATAK], and those of other tools where they hold the same in another
// order. The zip may be flat, the manifest missing, certificates named for all connections at once. Not read are a package
// within a package, as some tools make for WinTAK, and one whose trust store holds a private key, as FreeTAKServer's do
// with that of the server.
//
// Each .p12 file is opened with the password that the preferences have for it, or, where it is not zero, with the one
// given. Nothing is judged that would keep a client from being renewed: no date, no usage.
//
// At most 64 files are taken, 4 MiB of each, measured while they are unpacked. The error says which file it is about;
// errors.Is finds ErrNoPassword, pkcs12.ErrPassword, and the rest of package pkcs12's. It holds no password.
func Open(data []byte, password secret.Secret) (Opened, error) {
	z, err := unzip(data)
	if err != nil {
		return Opened{}, fmt.Errorf("the package: %w", err)
	}
	o := Opened{Password: password}
	if err := o.readManifest(z); err != nil {
		return Opened{}, err
	}
	named, file, err := readPreferences(z)
	if err != nil {
		return Opened{}, err
	}
	if err := o.readConnections(file, named); err != nil {
		return Opened{}, err
	}
	if err := o.readIdentity(z, named[0]); err != nil {
		return Opened{}, err
	}
	if err := o.readAuthorities(z, named[0], password); err != nil {
		return Opened{}, err
	}
	return o, nil
}

// Contents is what [ATAK] makes the same package of: the first connection, key, certificate, authorities and password.
// The client's name is what follows the host in the package's, else the common name of the certificate. The UID is left
// empty, so that one is derived from the certificate, and so are Modified and Encoder. For a package with another
// certificate, set that. The zero Opened has zero Contents.
func (o Opened) Contents() Contents {
	if len(o.Connections) == 0 || o.Certificate == nil {
		return Contents{}
	}
	first := o.Connections[0]
	name, ok := strings.CutPrefix(o.Name, first.Host+"_")
	if !ok || name == "" {
		name = o.Certificate.Subject.CommonName
	}
	return Contents{
		Name: name, Host: first.Host, Port: first.Port, Description: first.Description,
		Key: o.Key, Certificate: o.Certificate, Authorities: slices.Clone(o.Authorities), Password: o.Password,
	}
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

func readPreferences(z *unzipped) (connections []templates.Connection, name string, err error) {
	f, err := z.ending(".pref")
	if err != nil {
		return nil, "", fmt.Errorf("the package: %w", err)
	}
	if f == nil {
		inner, err := z.ending(".zip")
		if inner != nil || err != nil {
			return nil, "", errors.New("the package: it holds another package, as made for WinTAK: unpack that and give it alone")
		}
		return nil, "", errors.New("the package: it has no .pref file, which would say where to connect")
	}
	data, err := z.read(f)
	if err != nil {
		return nil, "", err
	}
	p, err := templates.ReadATAKPreferences(data)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", f.Name, err)
	}
	return p.Connections, f.Name, nil
}

func (o *Opened) readConnections(file string, named []templates.Connection) error {
	for i, c := range named {
		host, port, err := ParseHost(net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
		if err != nil {
			return fmt.Errorf("%s: connection %d: %w", file, i, err)
		}
		o.Connections = append(o.Connections, Connection{Host: host, Port: port, Description: c.Description, Enabled: c.Enabled})
	}
	return nil
}

func (o *Opened) readIdentity(z *unzipped, c templates.Connection) error {
	data, file, err := z.bundle(c.ClientFile, "the client's certificate (certificateLocation)")
	if err != nil {
		return err
	}
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
	if given.IsZero() {
		given = secret.FromString(c.CAPassword)
	}
	if given.IsZero() {
		return fmt.Errorf("%s: %w", file, ErrNoPassword)
	}
	anchors, err := pkcs12.ReadTrustStore(data, given.Reveal())
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
