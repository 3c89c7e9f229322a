// Command bare is what ftsca is measured against: it makes so many clients' keys, signs their certificates, and encodes
// an identity and a trust store for each, and there it ends. It keeps no ledger, judges nothing, and writes one file.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
}

func run() error {
	key := flag.String("key", "ecdsa-p256", "kind of the clients' keys")
	authority := flag.String("store", "", "store whose authority's key signs")
	out := flag.String("out", "", "file to write")
	count := flag.Int("count", 1, "how many clients")
	flag.Parse()
	a, err := load(*authority)
	if err != nil {
		return err
	}
	bundles := make([][]byte, *count)
	errs := make([]error, *count)
	next := make(chan int, *count)
	for i := range *count {
		next <- i
	}
	close(next)
	var lanes sync.WaitGroup
	for range min(*count, runtime.GOMAXPROCS(0)) {
		lanes.Go(func() {
			for i := range next {
				bundles[i], errs[i] = a.client(fmt.Sprintf("client-%d", i), *key)
			}
		})
	}
	lanes.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return write(*out, bundles)
}

type issuer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func load(store string) (issuer, error) {
	cert, err := block(filepath.Join(store, "endpoint", "ca.pem"))
	if err != nil {
		return issuer{}, err
	}
	der, err := block(filepath.Join(store, "authority", "ca.key"))
	if err != nil {
		return issuer{}, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return issuer{}, err
	}
	parsed, err := x509.ParseCertificate(cert)
	return issuer{parsed, key.(crypto.Signer)}, err
}

func block(name string) ([]byte, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	b, _ := pem.Decode(data)
	if b == nil {
		return nil, fmt.Errorf("%s is no PEM", name)
	}
	return b.Bytes, nil
}

func (a issuer) client(name, kind string) ([]byte, error) {
	var key crypto.Signer
	var err error
	if kind == "rsa-2048" {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now, NotAfter: now.AddDate(2, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	password := rand.Text()
	form := pkcs12.LegacyDES.WithIterations(2048) // without, its MAC has one round
	identity, err := form.Encode(key, cert, []*x509.Certificate{a.cert}, password)
	if err != nil {
		return nil, err
	}
	trust, err := form.EncodeTrustStore([]*x509.Certificate{a.cert}, password)
	return append(identity, trust...), err
}

func write(name string, bundles [][]byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, b := range bundles {
		if _, err := f.Write(b); err != nil {
			return err
		}
	}
	return f.Sync()
}
