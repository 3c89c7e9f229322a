package testdevice

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"
)

// importCertificates loads the files that the connections name. ATAK first follows the keys without an index, which tie
// a file to no server, and deletes what it has imported: a file named both ways, or by two connections, is gone when it is
// needed. It keeps files by host and port, but passwords by host: the last one counts for all its connections.
func importCertificates(all []*Package, s settings, d disk) error {
	for _, key := range []string{"caLocation", "certificateLocation"} {
		if entry, ok := s[app][key]; ok {
			if _, err := d.take(entry.value); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	passwords := map[string][2]string{}
	trust, identity := make([][]byte, len(all)), make([][]byte, len(all))
	for i, p := range all {
		var ofTrust, ofIdentity string
		var err error
		if trust[i], ofTrust, err = load(s, d, fmt.Sprintf("caLocation%d", i), fmt.Sprintf("caPassword%d", i)); err != nil {
			return err
		}
		if identity[i], ofIdentity, err = load(s, d, fmt.Sprintf("certificateLocation%d", i), fmt.Sprintf("clientPassword%d", i)); err != nil {
			return err
		}
		passwords[p.Host] = [2]string{ofTrust, ofIdentity}
	}
	for i, p := range all {
		if err := p.believe(trust[i], passwords[p.Host][0]); err != nil {
			return fmt.Errorf("caLocation%d: %w", i, err)
		}
		var err error
		if p.Identity, err = leafOnly(identity[i], passwords[p.Host][1]); err != nil {
			return fmt.Errorf("certificateLocation%d: %w", i, err)
		}
	}
	return nil
}

// believe reads the trust store.
func (p *Package) believe(p12 []byte, password string) (err error) {
	if p.Authorities, err = trusted(p12, password); err != nil {
		return err
	}
	return rooted(p.Authorities)
}

func load(s settings, d disk, location, password string) ([]byte, string, error) {
	name, err := s.get(streams, location, stringClass)
	if err != nil {
		return nil, "", err
	}
	secret, err := s.get(streams, password, stringClass)
	if err != nil {
		return nil, "", err
	}
	data, err := d.take(name)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", location, err)
	}
	if err := readable(data); err != nil {
		return nil, "", fmt.Errorf("%s: %w", location, err)
	}
	return data, secret, nil
}

// readable looks for algorithms that ATAK's core on OpenSSL 3 refuses. Their object identifiers stand in clear.
func readable(p12 []byte) error {
	for _, a := range []struct {
		name string
		oid  []byte
	}{
		{"RC2 with 40 bits", []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x06}},
		{"RC2 with 128 bits", []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x05}},
		{"PBMAC1", []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0e}},
	} {
		if bytes.Contains(p12, append([]byte{6, byte(len(a.oid))}, a.oid...)) {
			return fmt.Errorf("the file uses %s, which ATAK does not read", a.name)
		}
	}
	return nil
}

// trusted returns the certificates of a trust store. Where a file holds a key as well, ATAK throws it and its
// certificate away.
func trusted(p12 []byte, password string) ([]*x509.Certificate, error) {
	certs, err := pkcs12.DecodeTrustStore(p12, password)
	if err != nil {
		var chainErr error
		if _, _, certs, chainErr = pkcs12.DecodeChain(p12, password); chainErr != nil {
			return nil, err
		}
	}
	if len(certs) == 0 {
		return nil, errors.New("the trust store holds no certificate")
	}
	return certs, nil
}

// rooted tells which CA does not lead to a self-signed one of the same trust store.
func rooted(cas []*x509.Certificate) error {
	reached := map[*x509.Certificate]bool{}
	for range cas {
		for _, c := range cas {
			for _, parent := range cas {
				if (parent == c || reached[parent]) && c.CheckSignatureFrom(parent) == nil {
					reached[c] = true
				}
			}
		}
	}
	for _, c := range cas {
		if !reached[c] {
			return fmt.Errorf("the trust store does not lead from %q to a self-signed root", c.Subject)
		}
	}
	return nil
}

func split(cas []*x509.Certificate) (roots, rest *x509.CertPool) {
	roots, rest = x509.NewCertPool(), x509.NewCertPool()
	for _, c := range cas {
		if bytes.Equal(c.RawIssuer, c.RawSubject) && c.CheckSignatureFrom(c) == nil {
			roots.AddCert(c)
		} else {
			rest.AddCert(c)
		}
	}
	return roots, rest
}

func leafOnly(p12 []byte, password string) (tls.Certificate, error) {
	key, leaf, _, err := pkcs12.DecodeChain(p12, password)
	if err != nil {
		return tls.Certificate{}, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return tls.Certificate{}, fmt.Errorf("a %T is no key to sign with", key)
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(leaf.PublicKey) {
		return tls.Certificate{}, errors.New("the key is not that of the certificate")
	}
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}, nil
}
