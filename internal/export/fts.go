package export

import (
	"bytes"
	"fmt"

	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
)

// FTS is the form in which FreeTAKServer 2.2.1 loads its material: one flat folder, /opt/fts/certs unless its
// FTS_CERTS_PATH says otherwise.
//
//   - It reads the authorities and the signed lists out of ca.pem at each connection, and the file that FTS_CRLDIR names,
//     FTS_CRL.json, at its start: with OpenSSL, which takes PEM there and no JSON.
//   - It hands server.p12 to its clients as their trust store.
//   - Where ca.key is missing it founds an authority of its own at its start, over ca.pem and FTS_CRL.json; and where
//     Client.pem is, it signs one with ca.key or does not start. So both are there, and neither is what its name says.
//   - At each start it copies server.key over server.key.unencrypted, so that both are in clear; and it refuses a
//     configuration that names a file which it cannot write.
type FTS struct {
	// AsDocumented puts the JSON list into FTS_CRL.json, as FreeTAKServer's documents have it, and the signed lists into
	// FTS_CRL.pem, which FTS_CRLDIR has to name then. Otherwise FTS_CRL.json has the signed lists, and FTS_CRL.list.json the
	// JSON list.
	AsDocumented bool
	// KeyInTrustStore puts the server's key and certificate into server.p12, and so into the hands of every client that
	// FreeTAKServer makes a package for.
	KeyInTrustStore bool
	Password        secret.Secret // of server.p12, which FreeTAKServer calls FTS_CLIENT_CERT_PASSWORD
	Encoder         pkcs12.Encoder
}

// The modes are those that FreeTAKServer's documents recommend, and writable to their owner besides.
const (
	openMode   = 0o644
	secretMode = 0o600

	notTheKey = "# No key: ftsca keeps it. Where this file is missing, FreeTAKServer founds an authority of its own over ca.pem.\n"
	notClient = "# No certificate. Where this file is missing, FreeTAKServer wants to sign one at its start, and has no key for that.\n"
)

// Files returns what the folder has to hold, in the order in which it is to be put in place: what keeps people out first.
func (f FTS) Files(m Material) []File {
	signed, list := "FTS_CRL.json", "FTS_CRL.list.json"
	if f.AsDocumented {
		signed, list = "FTS_CRL.pem", "FTS_CRL.json"
	}
	key := File{Mode: secretMode, Version: sumOf(m.Key), Data: m.openKey}
	copied := func(name string) File { key.Name = name; return key }
	return []File{
		plain("ca.pem", openMode, m.CA),
		plain(signed, openMode, m.Lists),
		plain(list, openMode, m.List),
		copied("server.key"),
		copied("server.key.unencrypted"),
		plain("server.pem", openMode, m.Chain),
		f.trustStore(m),
		plain("ca.key", secretMode, []byte(notTheKey)),
		plain("Client.pem", openMode, []byte(notClient)),
	}
}

// CRLFile names the file of the folder that FTS_CRLDIR has to name.
func (f FTS) CRLFile() string {
	if f.AsDocumented {
		return "FTS_CRL.pem"
	}
	return "FTS_CRL.json"
}

func (f FTS) trustStore(m Material) File {
	var cas [][]byte
	for _, c := range m.Authorities {
		cas = append(cas, c.Raw)
	}
	from := [][]byte{[]byte(f.Password.Reveal()), bytes.Join(cas, nil)}
	if !f.KeyInTrustStore {
		return File{Name: "server.p12", Mode: openMode, Version: sumOf(from...), Data: func() ([]byte, error) {
			data, err := f.Encoder.TrustStore(m.Authorities, f.Password.Reveal())
			if err != nil {
				return nil, fmt.Errorf("making server.p12: %w", err)
			}
			return data, nil
		}}
	}
	return File{Name: "server.p12", Mode: secretMode, Version: sumOf(append(from, m.Key, m.Chain)...), Data: func() ([]byte, error) {
		text, err := m.openKey()
		if err != nil {
			return nil, err
		}
		key, err := keyfile.Parse(text, nil)
		if err != nil {
			return nil, fmt.Errorf("making server.p12: %w", err)
		}
		chain, _ := pkcs12.ChainOf(m.Server, m.Authorities)
		data, err := f.Encoder.Identity(key, m.Server, chain, f.Password.Reveal())
		if err != nil {
			return nil, fmt.Errorf("making server.p12: %w", err)
		}
		return data, nil
	}}
}
