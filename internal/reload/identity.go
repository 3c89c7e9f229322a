package reload

import (
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"
)

// identity is the server's certificate and key.
type identity struct {
	part
	certificate tls.Certificate
	files       [2][sha256.Size]byte // that it was read from
}

// load returns whether the certificate is another one now.
func (i *identity) load(loadKey func(string) (crypto.Signer, error), cert, key *source, now time.Time) (changed bool) {
	defer cert.forget()
	defer key.forget()
	i.touched = cert.touched || key.touched
	mended := i.err != nil && i.touched // a change of mode may do it without any change of content
	if !cert.changed && !key.changed && !mended {
		return false
	}
	loaded, err := readIdentity(loadKey, cert, key, now)
	i.fault(err, cert, key)
	files := [2][sha256.Size]byte{cert.sum, key.sum}
	if err != nil || files == i.files {
		return false
	}
	i.certificate, i.files = loaded, files
	return true
}

func readIdentity(
	loadKey func(string) (crypto.Signer, error), cert, key *source, now time.Time,
) (tls.Certificate, error) {
	data, err := cert.content()
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("reading the server's certificate: %w", err)
	}
	var chain tls.Certificate
	for block := range blocks(data) {
		if block.Type == "CERTIFICATE" {
			chain.Certificate = append(chain.Certificate, block.Bytes)
		}
	}
	if len(chain.Certificate) == 0 {
		return tls.Certificate{}, fmt.Errorf("the server's certificate %s: there is no certificate in it", cert.path)
	}
	if chain.Leaf, err = x509.ParseCertificate(chain.Certificate[0]); err != nil {
		return tls.Certificate{}, fmt.Errorf("the server's certificate %s: %w", cert.path, err)
	}
	if err := fitToServe(chain.Leaf, now); err != nil {
		return tls.Certificate{}, fmt.Errorf("the server's certificate %s %w", cert.path, err)
	}
	if key.err != nil {
		return tls.Certificate{}, fmt.Errorf("reading the server's key: %w", key.err)
	}
	signer, err := loadKey(key.path)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("the server's key: %w", err)
	}
	if !belongs(signer, chain.Leaf) {
		return tls.Certificate{}, fmt.Errorf("the server's key %s does not belong to the certificate %s", key.path, cert.path)
	}
	chain.PrivateKey = signer
	return chain, nil
}

// fitToServe says why a certificate is no use to a server.
func fitToServe(leaf *x509.Certificate, now time.Time) error {
	switch usages := leaf.ExtKeyUsage; {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("expired at %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("is not valid before %s, and this machine's clock says %s",
			leaf.NotBefore.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case leaf.IsCA:
		return errors.New("is a CA's and not a server's")
	case len(usages)+len(leaf.UnknownExtKeyUsage) > 0 &&
		!slices.Contains(usages, x509.ExtKeyUsageServerAuth) && !slices.Contains(usages, x509.ExtKeyUsageAny):
		return errors.New("is not for servers: its extended key usage lacks serverAuth")
	}
	return nil
}

func belongs(key crypto.Signer, leaf *x509.Certificate) bool {
	public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(key.Public())
}

// blocks are the PEM blocks of a file. What stands between them is passed over.
func blocks(data []byte) func(yield func(*pem.Block) bool) {
	return func(yield func(*pem.Block) bool) {
		for {
			var block *pem.Block
			if block, data = pem.Decode(data); block == nil || !yield(block) {
				return
			}
		}
	}
}
