package pkcs12_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

// sketch writes an outline in a few lines.
func sketch(o pkcs12.Outline) string {
	var b strings.Builder
	protection := func(p *pkcs12.Protection) string {
		if p == nil {
			return "clear"
		}
		return fmt.Sprintf("%s by %s, %d rounds, %d salt", p.Algorithm, p.Derivation, p.Rounds, p.Salt)
	}
	if o.MAC != nil {
		fmt.Fprintf(&b, "MAC %s\n", protection(o.MAC))
	}
	for _, part := range o.Parts {
		fmt.Fprintf(&b, "part %s, open %t", protection(part.Protection), part.Open)
		if part.Fault != nil {
			fmt.Fprintf(&b, ", %v", part.Fault)
		}
		b.WriteString("\n")
		for _, bag := range part.Bags {
			fmt.Fprintf(&b, "  %s", bag.Kind)
			if bag.Protection != nil {
				fmt.Fprintf(&b, " in %s", protection(bag.Protection))
			}
			if bag.Name != "" {
				fmt.Fprintf(&b, " %q", bag.Name)
			}
			if bag.LocalKeyID != nil {
				b.WriteString(", id")
			}
			if bag.Java {
				b.WriteString(", Java's")
			}
			if bag.Certificate != nil {
				fmt.Fprintf(&b, ", of %s", pkcs12.Describe(bag.Certificate))
			}
			if bag.Public != nil {
				b.WriteString(", read")
			}
			if bag.Fault != nil {
				fmt.Fprintf(&b, ", %v", bag.Fault)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func TestAFileIsTakenApart(t *testing.T) {
	issuing := testpki.NewRoot(t, "Valley Root").Issuing(t, "Valley Issuing")
	alice := issuing.Client(t, "alice")
	own, err := pkcs12.NewEncoder(pkcs12.TAK, 100).Identity(key(alice), alice.Leaf, issuing.Chain(), password)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := pkcs12.NewEncoder(pkcs12.Modern, 100).TrustStore(issuing.Chain(), password)
	if err != nil {
		t.Fatal(err)
	}
	f := newForge(t)
	odd := f.file(f.clear(f.bag(4, f.der(1)), f.bag(5, f.der(1)), f.bag(99, f.der(1)), f.clearKey(alice.PrivateKey), f.bag(1, f.seq()),
		f.bag(3, f.seq(f.oid(1, 2, 840, 113549, 1, 9, 22, 1), f.explicit(f.der([]byte("x")))))))
	for _, tt := range []struct {
		name         string
		data         []byte
		closed, open string
	}{
		{"an identity of ours", own, `MAC SHA-1 by PKCS #12 SHA-1, 100 rounds, 8 salt
part 3DES by PKCS #12 SHA-1, 100 rounds, 8 salt, open false
part clear, open true
  sealed key in 3DES by PKCS #12 SHA-1, 100 rounds, 8 salt "alice", id
`, `MAC SHA-1 by PKCS #12 SHA-1, 100 rounds, 8 salt
part 3DES by PKCS #12 SHA-1, 100 rounds, 8 salt, open true
  certificate, id, of "alice"
  certificate, of "Valley Issuing"
  certificate, of "Valley Root"
part clear, open true
  sealed key in 3DES by PKCS #12 SHA-1, 100 rounds, 8 salt "alice", id, read
`},
		{"a trust store of ours", trust, `MAC SHA-256 by PKCS #12 SHA-256, 100 rounds, 16 salt
part AES-256 by PBKDF2 SHA-256, 100 rounds, 16 salt, open false
`, `MAC SHA-256 by PKCS #12 SHA-256, 100 rounds, 16 salt
part AES-256 by PBKDF2 SHA-256, 100 rounds, 16 salt, open true
  certificate "Valley Issuing", Java's, of "Valley Issuing"
  certificate "Valley Root", Java's, of "Valley Root"
`},
		{"OpenSSL's of old", sample(t, "openssl3-legacy.p12"), `MAC SHA-1 by PKCS #12 SHA-1, 2048 rounds, 8 salt
part RC2-40 by PKCS #12 SHA-1, 2048 rounds, 8 salt, open false
part clear, open true
  sealed key in 3DES by PKCS #12 SHA-1, 2048 rounds, 8 salt "alice", id
`, `MAC SHA-1 by PKCS #12 SHA-1, 2048 rounds, 8 salt
part RC2-40 by PKCS #12 SHA-1, 2048 rounds, 8 salt, open true
  certificate "alice", id, of "alice"
  certificate, of "Valley Root"
part clear, open true
  sealed key in 3DES by PKCS #12 SHA-1, 2048 rounds, 8 salt "alice", id, read
`},
		{"Java's", sample(t, "java17-trust.p12"), `MAC SHA-256 by PKCS #12 SHA-256, 10000 rounds, 20 salt
part AES-256 by PBKDF2 SHA-256, 10000 rounds, 20 salt, open false
`, `MAC SHA-256 by PKCS #12 SHA-256, 10000 rounds, 20 salt
part AES-256 by PBKDF2 SHA-256, 10000 rounds, 20 salt, open true
  certificate "valley", Java's, of "Valley Root"
`},
		{"odd things", odd, `MAC PBMAC1 SHA-256 by PBKDF2 SHA-256, 1 rounds, 8 salt
part clear, open true
  revocation list
  secret
  1.2.840.113549.1.12.10.1.99
  key, read
  key, its private key is damaged, or of a kind that is not known: RSA and ECDSA are read
  certificate, a certificate in it cannot be read: x509: malformed certificate
`, ""},
		{"no MAC", f.macless(f.sealed(f.cert(alice.Leaf))), `part AES-256 by PBKDF2 SHA-256, 1 rounds, 8 salt, open false
`, `part AES-256 by PBKDF2 SHA-256, 1 rounds, 8 salt, open true
  certificate, of "alice"
`},
		{"a part with another password", f.file(f.sealed(f.cert(alice.Leaf)), f.with(2).rekeyed(f.seq())),
			`MAC PBMAC1 SHA-256 by PBKDF2 SHA-256, 1 rounds, 8 salt
part AES-256 by PBKDF2 SHA-256, 1 rounds, 8 salt, open false
part AES-256 by PBKDF2 SHA-256, 2 rounds, 8 salt, open false
`, `MAC PBMAC1 SHA-256 by PBKDF2 SHA-256, 1 rounds, 8 salt
part AES-256 by PBKDF2 SHA-256, 1 rounds, 8 salt, open true
  certificate, of "alice"
part AES-256 by PBKDF2 SHA-256, 2 rounds, 8 salt, open false, wrong password for an encrypted part, though it is that of the file
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			closed, err := pkcs12.Examine(tt.data)
			if err != nil {
				t.Fatal(err)
			}
			if got := sketch(closed); got != tt.closed {
				t.Errorf("without the password\n%s\nwant\n%s", got, tt.closed)
			}
			if tt.open == "" {
				tt.open = tt.closed
			}
			open, err := pkcs12.ExamineOpen(tt.data, password)
			if err != nil {
				t.Fatal(err)
			}
			if got := sketch(open); got != tt.open {
				t.Errorf("with the password\n%s\nwant\n%s", got, tt.open)
			}
		})
	}
}

// rekeyed is a part whose rounds are not those that it was encrypted with.
func (f *forge) rekeyed(content []byte) []byte {
	ciphertext := f.implicit(string(f.with(1).encrypt(content)))
	info := f.seq(f.oid(1, 2, 840, 113549, 1, 7, 1), f.pbes2(), ciphertext)
	return f.seq(f.oid(1, 2, 840, 113549, 1, 7, 6), f.explicit(f.seq(f.der(0), info)))
}

func TestAWrongPasswordAndAnAlteredFileAreToldApart(t *testing.T) {
	issuing := testpki.NewRoot(t, "Valley Root").Issuing(t, "Valley Issuing")
	alice := issuing.Client(t, "alice")
	for _, profile := range pkcs12.Profiles() {
		e := pkcs12.NewEncoder(profile, 10)
		identity, err := e.Identity(key(alice), alice.Leaf, issuing.Chain(), password)
		if err != nil {
			t.Fatal(err)
		}
		trust, err := e.TrustStore(issuing.Chain(), password)
		if err != nil {
			t.Fatal(err)
		}
		closed, err := pkcs12.Examine(identity)
		if err != nil {
			t.Fatal(err)
		}
		const vague = "wrong password, or the file was altered since it was made"
		if o, err := pkcs12.ExamineOpen(identity, "x"); !errors.Is(err, pkcs12.ErrPassword) || err.Error() != vague || sketch(o) != sketch(closed) {
			t.Errorf("%s, a wrong password: %v, and\n%s", profile, err, sketch(o))
		}
		// The MAC stands at the end, its salt last; what is encrypted comes first.
		for name, altered := range map[string][]byte{
			"another salt of the MAC": flipped(identity, len(identity)-5), "the key's name": bytes.Replace(identity, []byte("\x00a\x00l\x00i\x00c\x00e"), []byte("\x00a\x00l\x00i\x00c\x00a"), 1),
			"a part of a certificate": flipped(identity, 300), "in a trust store": flipped(trust, 300),
		} {
			o, err := pkcs12.ExamineOpen(altered, password)
			if !errors.Is(err, pkcs12.ErrAltered) || errors.Is(err, pkcs12.ErrPassword) {
				t.Errorf("%s, %s: %v", profile, name, err)
			}
			if !strings.Contains(sketch(o), "  certificate") {
				t.Errorf("%s, %s: nothing is shown of what opens:\n%s", profile, name, sketch(o))
			}
			if _, err := pkcs12.ReadIdentity(altered, password); !errors.Is(err, pkcs12.ErrAltered) {
				t.Errorf("%s, %s, read as an identity: %v", profile, name, err)
			}
			if _, err := pkcs12.ReadTrustStore(altered, password); !errors.Is(err, pkcs12.ErrAltered) {
				t.Errorf("%s, %s, read as a trust store: %v", profile, name, err)
			}
			if _, err := pkcs12.ExamineOpen(altered, "x"); !errors.Is(err, pkcs12.ErrPassword) {
				t.Errorf("%s, %s, with a wrong password: %v", profile, name, err)
			}
		}
		// With another salt of its one part, nothing shows any more that the password is right.
		salt := bytes.Index(trust, map[pkcs12.Profile][]byte{pkcs12.TAK: {4, 8}, pkcs12.Modern: {4, 16}}[profile]) + 2
		if _, err := pkcs12.ExamineOpen(flipped(trust, salt), password); !errors.Is(err, pkcs12.ErrPassword) || err.Error() != vague {
			t.Errorf("%s, another salt of the encryption: %v", profile, err)
		}
	}
}

func flipped(data []byte, at int) []byte {
	data = bytes.Clone(data)
	data[at] ^= 1
	return data
}

func TestAnOutlineHasItsBounds(t *testing.T) {
	f := newForge(t)
	var many [][]byte
	for range 1001 {
		many = append(many, f.bag(4, f.der(1)))
	}
	for _, tt := range []struct {
		name, want string
		data       []byte
	}{
		{"nothing", "it is no PKCS #12 file, or is damaged", nil},
		{"many bags", "it holds more than 1000 things", f.file(f.clear(many...))},
		{"many bags, encrypted", "it holds more than 1000 things", f.file(f.sealed(many[:600]...), f.sealed(many[:600]...))},
		{"rounds", "it asks for 5000001 rounds of key derivation: 1 to 5000000 are taken", f.with(5_000_001).file(f.clear())},
		{"rounds of the key", "it asks for 5000001 rounds of key derivation: 1 to 5000000 are taken",
			f.file(f.clear(f.with(5_000_001).sealedKey(testpki.NewKey(t))))},
	} {
		if _, err := pkcs12.ExamineOpen(tt.data, password); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	if _, err := pkcs12.Examine(f.file(f.clear(many...))); err == nil {
		t.Error("without a password, many bags are shown")
	}
}
