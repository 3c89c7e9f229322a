package pkcs12

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
)

// maxBags bounds what is shown of a file.
const maxBags = 1000

// Outline is what stands in a file, in its order, told without believing any of it.
type Outline struct {
	// Form is the file's protection in sum. What is inside an encrypted part counts once that is open.
	Form Form
	// MAC is how the file is sealed against changes; nil where it is not.
	MAC *Protection
	// Parts are what the file is made of.
	Parts []Part
}

// Protection is one use of the password.
type Protection struct {
	// Algorithm is a name as in [Form]: "3DES", "AES-256", "SHA-1", "PBMAC1 SHA-256".
	Algorithm string
	// Derivation is what makes the key: "PKCS #12" (RFC 7292, B) or "PBKDF2", and its hash: "PBKDF2 SHA-256".
	Derivation string
	// Rounds of the derivation, 1 to 5,000,000.
	Rounds int
	// Salt is its length in bytes.
	Salt int
}

// Part is a set of bags, which is encrypted as a whole or stands in clear.
type Part struct {
	// Protection is nil where the part stands in clear.
	Protection *Protection
	// Open tells whether Bags were seen: of a part in clear always, of another once the password has opened it.
	Open bool
	Bags []Bag
	// Fault says why the password did not open the part; nil where it did, or was not given.
	Fault error
}

// Kind is what a bag holds.
type Kind string

// The kinds of bags (RFC 7292, 4.2). Another one has its object identifier for a name.
const (
	KindCertificate Kind = "certificate"
	KindKey         Kind = "key"        // a private key in clear
	KindSealedKey   Kind = "sealed key" // a private key, encrypted by itself
	KindList        Kind = "revocation list"
	KindSecret      Kind = "secret"
)

// Bag is one thing in a part.
type Bag struct {
	Kind Kind
	// Protection is that of a sealed key, else nil.
	Protection *Protection
	// Name is the friendly name, any text; "" where there is none.
	Name string
	// LocalKeyID ties a key to its certificate; nil where there is none.
	LocalKeyID []byte
	// Java tells whether the bag bears the attribute by which Java trusts a certificate; see [Anchor].
	Java bool
	// Certificate is nil where the bag is of another kind, or has a Fault.
	Certificate *x509.Certificate
	// Public is the public half of a private key; nil where the bag is of another kind, has a Fault, or is not open.
	Public crypto.PublicKey
	// Fault says why the certificate or the key cannot be read. It holds nothing of a key.
	Fault error
}

// Examine takes a file of at most 1 MiB apart as far as it can be seen without its password. It takes the files that
// [ReadIdentity] takes, and such as have no MAC, any number of keys or a damaged certificate. More than 1000 bags are an
// error, as is whatever else the file has that is not read.
func Examine(data []byte) (Outline, error) {
	return (&reader{limits: usual()}).examine(data)
}

func (r *reader) examine(data []byte) (Outline, error) {
	f, err := r.parse(data)
	if err != nil {
		return Outline{}, err
	}
	return r.outline(f, nil)
}

// ExamineOpen is Examine with the password, which opens the rest. The bounds on rounds are those of ReadIdentity. Beside
// the errors of Examine, there is ErrPassword, wrapped in words that say that an altered file looks the same, with which
// comes what Examine returns; and ErrAltered, with which comes what the password opens.
func ExamineOpen(data []byte, password string) (Outline, error) {
	return (&reader{limits: usual()}).examineOpen(data, password)
}

func (r *reader) examineOpen(data []byte, text string) (Outline, error) {
	f, err := r.parse(data)
	if err != nil {
		return Outline{}, err
	}
	p, err := newPassword(text)
	if err != nil {
		return Outline{}, err
	}
	closed, err := r.outline(f, nil)
	if err != nil {
		return Outline{}, err
	}
	var verdict error
	if f.mac != nil {
		if p, err = r.unlock(f.mac, p); err != nil && !errors.Is(err, ErrPassword) {
			return Outline{}, err
		}
		verdict = err
	}
	// Without a MAC, only what decrypts tells that the password is right.
	if verdict != nil || f.mac == nil && f.sealed() {
		switch opens := f.opensAny(p); {
		case !opens:
			return closed, fmt.Errorf("%w, or the file was altered since it was made", ErrPassword)
		case verdict != nil:
			verdict = ErrAltered
		}
	}
	open, err := r.outline(f, &p)
	if err != nil {
		return Outline{}, err
	}
	return open, verdict
}

// sealed tells whether anything of the file is visibly encrypted.
func (f *pfx) sealed() bool {
	for _, s := range f.safes {
		if s.scheme != nil {
			return true
		}
		for _, b := range s.bags {
			if b.kind == sealedKey {
				return true
			}
		}
	}
	return false
}

// outline describes a file, and opens what it can with a password where there is one.
func (r *reader) outline(f *pfx, p *password) (Outline, error) {
	o := Outline{Parts: make([]Part, len(f.safes))}
	if f.mac != nil {
		o.MAC = f.mac.kdf.protection(r.form.MAC)
	}
	left := maxBags
	for i, s := range f.safes {
		part := &o.Parts[i]
		bags := s.bags
		if s.scheme != nil {
			part.Protection = s.scheme.kdf.protection(s.scheme.cipher.name)
			if p == nil {
				continue
			}
			if bags, part.Fault = r.unseal(s, *p); part.Fault != nil {
				continue
			}
		}
		part.Open = true
		if left -= len(bags); left < 0 {
			return Outline{}, fmt.Errorf("it holds more than %d things", maxBags)
		}
		for _, b := range bags {
			part.Bags = append(part.Bags, b.outline(p))
		}
	}
	o.Form = r.form
	return o, nil
}

func (b bag) outline(p *password) Bag {
	shown := Bag{Name: b.name, LocalKeyID: b.id, Java: b.java}
	switch b.kind {
	case certificate:
		shown.Kind = KindCertificate
		shown.Certificate, shown.Fault = b.certificate()
	case clearKey, sealedKey:
		shown.Kind = KindKey
		if b.kind == sealedKey {
			shown.Kind = KindSealedKey
			shown.Protection = b.scheme.kdf.protection(b.scheme.cipher.name)
			if p == nil {
				break
			}
		}
		if p == nil {
			p = &password{} // which a key in clear does not look at
		}
		key, err := b.key(*p)
		if shown.Fault = err; err == nil {
			shown.Public = key.Public()
		}
	default:
		switch b.oid {
		case "1.2.840.113549.1.12.10.1.4":
			shown.Kind = KindList
		case "1.2.840.113549.1.12.10.1.5":
			shown.Kind = KindSecret
		default:
			shown.Kind = Kind(b.oid)
		}
	}
	return shown
}

func (d derivation) protection(algorithm string) *Protection {
	name := "PKCS #12 "
	if d.pbkdf2 {
		name = "PBKDF2 "
	}
	return &Protection{Algorithm: algorithm, Derivation: name + d.hash.name, Rounds: d.rounds, Salt: len(d.salt)}
}
