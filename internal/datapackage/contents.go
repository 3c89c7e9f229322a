package datapackage

import (
	"crypto"
	"crypto/x509"
	"time"

	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
)

// Contents is what goes into a client's package.
type Contents struct {
	// Name is the client's, any text; files are named after its [SafeName].
	Name string
	// Connections are the servers, each once: 1 to 16 for ATAK, one for the other families, whose preferences tie the
	// identity to no server.
	Connections []Connection
	// Key is the client's own, RSA or ECDSA, in memory.
	Key crypto.Signer
	// Certificate is the client's: one for client authentication and for nothing else that could serve as a server.
	Certificate *x509.Certificate
	// Authorities is the chain above the client's certificate, its issuer first and the self-signed root last. A device
	// trusts these, and no others, to vouch for the server. Further CAs with their roots may follow.
	Authorities []*x509.Certificate
	// Password opens both .p12 files, and stands in the preferences. Not zero.
	Password secret.Secret
	// AskPassword leaves Password out of the package, so that who finds it cannot open the identity; the trust store, which
	// is no secret, gets a password of its own. ATAK and TAK Aware do not ask for what is missing: they are refused.
	AskPassword bool
	// Encoder decides which devices can open the .p12 files. The zero Encoder suits all.
	Encoder pkcs12.Encoder
	// Extras are what else the unit sets up on its devices; the zero Extras nothing.
	Extras Extras
	// Modified is the time that every file in the zip bears, in UTC, from 1980 to 2107 in steps of two seconds; what
	// lies beyond, as the zero time, is moved to the nearer end.
	Modified time.Time
	// UID tells packages apart on the device; empty stands for one derived from hosts, ports and certificates.
	UID string
}

// Connection is a server that a package lets a device connect to.
type Connection struct {
	// Host is a DNS name or an IPv4 address, as ParseHost returns it.
	Host string
	// Port is 1 to 65535; zero stands for [DefaultPort].
	Port int
	// Description is what the device calls the connection, any text; empty stands for Host.
	Description string
	// Disabled keeps the device from connecting before its user says so.
	Disabled bool
}
