package pkcs12

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
)

var (
	// ErrPassword is returned where the password does not open the file. A file that was altered since its MAC was made
	// looks the same where nothing else in it shows that the password is right.
	ErrPassword = errors.New("wrong password")
	// ErrAltered is returned where the password opens something in the file, and the MAC is another all the same.
	ErrAltered = errors.New("the password is right, but the file was altered since it was made: its MAC is another")
	// ErrNoKey is returned by [ReadIdentity] where the file holds no private key, as a trust store.
	ErrNoKey = errors.New("it holds no private key")
	// ErrKeyInside is returned by [ReadTrustStore] where the file holds a private key.
	ErrKeyInside = errors.New("it holds a private key, and so is no trust store: whoever has it can pass for the key's owner")
)

// Identity is a private key with what certifies it.
type Identity struct {
	// Key is RSA of at most 8192 bits, or ECDSA.
	Key crypto.Signer
	// Certificate is that of the key.
	Certificate *x509.Certificate
	// Chain is the authorities above the certificate, its issuer first, as far as the file leads.
	Chain []*x509.Certificate
	// Others are the rest of the certificates, in the order of the file.
	Others []*x509.Certificate
	// Name is the friendly name of the key, else of its certificate, any text; "" where there is none.
	Name string
}

// Anchor is a certificate of a trust store.
type Anchor struct {
	Certificate *x509.Certificate
	// Name is the friendly name, any text; "" where there is none.
	Name string
	// Java tells whether the certificate bears the attribute trustedKeyUsage (2.16.840.1.113894.746875.1.1), without
	// which Java does not see it. OpenSSL writes it since 3.2, where it is told -jdktrust.
	Java bool
}

// ReadIdentity reads a file of at most 1 MiB with exactly one private key, by whatever tool it was made, and finds the
// key's certificate in it, wherever that stands. Dates and signatures are not judged.
//
// It opens files in DER that the password protects, by a MAC of HMAC-SHA (RFC 7292, 4) or PBMAC1 (RFC 9579): with PBES1
// in 3DES and RC2 (RFC 7292, C), with PBES2 in AES and 3DES with PBKDF2 (RFC 8018), or with parts that are not encrypted
// at all. A file without a MAC is refused: nothing in it would tell a wrong password, nor that another hand changed it.
// Every derivation takes 1 to 5,000,000 rounds and all together at most 15,000,000, as many as the costliest file that
// an Encoder writes. What stands in clear is judged before anything is derived, and what an encrypted part asks for before
// any of that is.
//
// The error is ErrPassword, ErrAltered or ErrNoKey, or says what the file has that is not read, and how to have it written anew. It
// holds nothing of the key or the password.
func ReadIdentity(data []byte, password string) (Identity, error) {
	return (&reader{limits: usual()}).identity(data, password)
}

// ReadTrustStore reads a file of at most 1 MiB that holds certificates alone, in the order of the file, of the kinds that
// ReadIdentity reads. It takes them with Java's mark and without it, as openssl pkcs12 -nokeys writes them. One that is
// there twice is returned twice, and none is judged, not even as to whether it is a CA's. The error is ErrPassword,
// ErrAltered or ErrKeyInside, or says what the file has that is not read.
func ReadTrustStore(data []byte, password string) ([]Anchor, error) {
	return (&reader{limits: usual()}).trustStore(data, password)
}

// usual is what people's own files stay well below: openssl and Java write 2,048 and 10,000 rounds.
func usual() limits { return limits{one: maxIterations, all: 3 * maxIterations} }

func (r *reader) trustStore(data []byte, password string) ([]Anchor, error) {
	bags, _, err := r.open(data, password)
	if err != nil {
		return nil, err
	}
	if len(keys(bags)) > 0 {
		return nil, ErrKeyInside
	}
	held, err := certificates(bags)
	if err != nil {
		return nil, err
	}
	if len(held) == 0 {
		return nil, errors.New("it holds no certificate")
	}
	anchors := make([]Anchor, len(held))
	for i, h := range held {
		anchors[i] = Anchor{Certificate: h.cert, Name: h.name, Java: h.java}
	}
	return anchors, nil
}

func (r *reader) identity(data []byte, password string) (Identity, error) {
	bags, p, err := r.open(data, password)
	if err != nil {
		return Identity{}, err
	}
	found := keys(bags)
	switch {
	case len(found) == 0:
		return Identity{}, ErrNoKey
	case len(found) > 1:
		return Identity{}, fmt.Errorf("it holds %d private keys, and which one is meant it does not say: take the others out", len(found))
	}
	key, err := found[0].key(p)
	if err != nil {
		return Identity{}, err
	}
	held, err := certificates(bags)
	if err != nil {
		return Identity{}, err
	}
	own, err := ownOf(key, found[0], held)
	if err != nil {
		return Identity{}, err
	}
	var rest []*x509.Certificate
	for _, h := range held {
		if !h.cert.Equal(own.cert) {
			rest = append(rest, h.cert)
		}
	}
	id := Identity{Key: key, Certificate: own.cert, Name: found[0].name}
	if id.Name == "" {
		id.Name = own.name
	}
	id.Chain, id.Others = ChainOf(own.cert, rest)
	return id, nil
}

func keys(bags []bag) []bag {
	var found []bag
	for _, b := range bags {
		if b.kind == clearKey || b.kind == sealedKey {
			found = append(found, b)
		}
	}
	return found
}

// held is a certificate with what its bag says of it.
type held struct {
	bag
	cert *x509.Certificate
}

const (
	maxCertificates = 1000 // each of the browsers' and Java's own stores has fewer than 200
	maxRSABits      = 8192 // a larger one keeps a verifier busy for as long as its maker likes
	maxKey          = 8 << 10
)

func certificates(bags []bag) ([]held, error) {
	var all []held
	for _, b := range bags {
		if b.kind != certificate {
			continue
		}
		if len(all) == maxCertificates {
			return nil, fmt.Errorf("it holds more than %d certificates", maxCertificates)
		}
		cert, err := b.certificate()
		if err != nil {
			return nil, err
		}
		all = append(all, held{b, cert})
	}
	return all, nil
}

func (b bag) certificate() (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(b.content)
	if err != nil {
		return nil, fmt.Errorf("a certificate in it cannot be read: %w", err)
	}
	if k, ok := cert.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() > maxRSABits {
		return nil, fmt.Errorf("the certificate of %s in it has an RSA key of %d bits: at most %d are taken", Describe(cert), k.N.BitLen(), maxRSABits)
	}
	return cert, nil
}

// key returns the private key of a bag. No error of a parser is passed on, since it could repeat bytes of the key.
func (b bag) key(p password) (crypto.Signer, error) {
	content := b.content
	if b.kind == sealedKey {
		var err error
		if content, err = b.scheme.open(p, content, "the private key"); err != nil {
			return nil, err
		}
	}
	if len(content) > maxKey {
		return nil, fmt.Errorf("its private key has %d bytes: at most %d are taken", len(content), maxKey)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(content)
	if err != nil {
		return nil, errors.New("its private key is damaged, or of a kind that is not known: RSA and ECDSA are read")
	}
	switch key := parsed.(type) {
	case *rsa.PrivateKey:
		if n := key.N.BitLen(); n > maxRSABits {
			return nil, fmt.Errorf("its RSA key has %d bits: at most %d are taken", n, maxRSABits)
		}
		return key, nil
	case *ecdsa.PrivateKey:
		return key, nil
	}
	return nil, fmt.Errorf("its private key is a %T: RSA and ECDSA are read", parsed)
}

// ownOf finds the certificate of a key. Where two of them have it, as before and after a renewal, localKeyID tells.
func ownOf(key crypto.Signer, b bag, all []held) (held, error) {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return held{}, fmt.Errorf("its private key is a %T: RSA and ECDSA are read", key)
	}
	var own, marked []held
	for _, h := range all {
		if !public.Equal(h.cert.PublicKey) {
			continue
		}
		own = appendNew(own, h)
		if len(b.id) > 0 && bytes.Equal(b.id, h.id) {
			marked = appendNew(marked, h)
		}
	}
	switch {
	case len(all) == 0:
		return held{}, errors.New("it holds a private key and no certificate")
	case len(own) == 0:
		return held{}, errors.New("its private key belongs to none of the certificates in it")
	case len(own) == 1:
		return own[0], nil
	case len(marked) == 1:
		return marked[0], nil
	}
	return held{}, fmt.Errorf("it holds %d certificates of its private key, and which one is meant it does not say: take the others out", len(own))
}

func appendNew(all []held, h held) []held {
	for _, other := range all {
		if other.cert.Equal(h.cert) {
			return all
		}
	}
	return append(all, h)
}
