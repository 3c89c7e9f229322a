package pkcs12_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"

	sslmate "software.sslmate.com/src/go-pkcs12"

	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

const password = "river-stone-4417"

func key(c tls.Certificate) crypto.Signer { return c.PrivateKey.(crypto.Signer) }

func TestIdentityHoldsKeyLeafAndChain(t *testing.T) {
	root := testpki.NewRoot(t, "Valley Root")
	issuing := root.Issuing(t, "Valley Issuing")
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		encoder pkcs12.Encoder
		option  testpki.Option
		chain   []*x509.Certificate
	}{
		{"P-256", pkcs12.NewEncoder(pkcs12.TAK, 0), testpki.Units(), issuing.Chain()},
		{"P-384", pkcs12.NewEncoder(pkcs12.TAK, 1), testpki.Key(p384), issuing.Chain()},
		{"RSA", pkcs12.NewEncoder(pkcs12.TAK, 0), testpki.RSA(2048), issuing.Chain()},
		{"modern", pkcs12.NewEncoder(pkcs12.Modern, 0), testpki.Units(), issuing.Chain()},
		{"zero encoder", pkcs12.Encoder{}, testpki.Units(), issuing.Chain()},
		{"without the root", pkcs12.Encoder{}, testpki.Units(), issuing.Chain()[:1]},
		{"without a chain", pkcs12.Encoder{}, testpki.Units(), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client := issuing.Client(t, "alice", test.option)
			data, err := test.encoder.Identity(key(client), client.Leaf, test.chain, password)
			if err != nil {
				t.Fatal(err)
			}
			gotKey, leaf, chain, err := sslmate.DecodeChain(data, password)
			if err != nil {
				t.Fatal(err)
			}
			if !gotKey.(interface{ Equal(crypto.PrivateKey) bool }).Equal(client.PrivateKey) {
				t.Error("the key is another")
			}
			if !leaf.Equal(client.Leaf) || len(chain) != len(test.chain) {
				t.Fatalf("got %s and %d certificates above it", leaf.Subject, len(chain))
			}
			for i := range chain {
				if !chain[i].Equal(test.chain[i]) {
					t.Errorf("certificate %d of the chain is %s", i, chain[i].Subject)
				}
			}
			if _, _, _, err := sslmate.DecodeChain(data, "Xiver-stone-4417"); err == nil {
				t.Error("another password opens it")
			}
		})
	}
}

func TestIdentityRefusesWhatADeviceWouldFailWith(t *testing.T) {
	root := testpki.NewRoot(t, "Valley Root")
	issuing, sister := root.Issuing(t, "Valley Issuing"), root.Issuing(t, "Sister Issuing")
	impostor := root.Issuing(t, "Valley Issuing")
	alice, bob := issuing.Client(t, "alice"), issuing.Client(t, "bob")
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	usual := pkcs12.Encoder{}
	tests := []struct {
		name     string
		encoder  pkcs12.Encoder
		key      crypto.Signer
		leaf     *x509.Certificate
		chain    []*x509.Certificate
		password string
		want     string
	}{
		{"no certificate", usual, key(alice), nil, nil, password, `an identity needs a certificate`},
		{"no key", usual, nil, alice.Leaf, nil, password, `identity of "alice": the key is missing`},
		{"another's key", usual, key(bob), alice.Leaf, nil, password, `identity of "alice": the key is not that of the certificate`},
		{"Ed25519", usual, edwards, alice.Leaf, nil, password,
			`identity of "alice": its key is a ed25519.PrivateKey: devices read RSA and ECDSA keys`},
		{"chain of a sister", usual, key(alice), alice.Leaf, sister.Chain(), password,
			`identity of "alice": "Sister Issuing" does not follow "alice", whose issuer is "CN=Valley Issuing"`},
		{"chain in reverse", usual, key(alice), alice.Leaf, []*x509.Certificate{root.Cert, issuing.Cert}, password,
			`identity of "alice": "Valley Root" does not follow "alice", whose issuer is "CN=Valley Issuing"`},
		{"chain of a namesake", usual, key(alice), alice.Leaf, impostor.Chain(), password,
			`identity of "alice": "alice" was not signed by "Valley Issuing": x509: ECDSA verification failure`},
		{"gap in the chain", usual, key(alice), alice.Leaf, []*x509.Certificate{issuing.Cert, nil}, password,
			`identity of "alice": a certificate of its chain is missing`},
		{"empty password", usual, key(alice), alice.Leaf, issuing.Chain(), "",
			`identity of "alice": the password is empty, and ATAK connects with none of that`},
		{"too many rounds", pkcs12.NewEncoder(pkcs12.TAK, 5_000_001), key(alice), alice.Leaf, nil, password,
			`5000001 rounds of key derivation: 1 to 5000000 can be read by devices`},
		{"negative rounds", pkcs12.NewEncoder(pkcs12.TAK, -1), key(alice), alice.Leaf, nil, password,
			`-1 rounds of key derivation: 1 to 5000000 can be read by devices`},
		{"unknown profile", pkcs12.NewEncoder("rc2", 0), key(alice), alice.Leaf, nil, password,
			`p12 profile "rc2" is none of tak, modern`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.encoder.Identity(test.key, test.leaf, test.chain, test.password)
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestPasswordIsRefusedWithoutBeingTold(t *testing.T) {
	tests := []struct{ name, password, want string }{
		{"random", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", ""},
		{"accents and CJK", "Zürich 山田", ""},
		{"quotes and blanks", ` &<>"' `, ""},
		{"very long", strings.Repeat("x", 5000), ""},
		{"empty", "", "the password is empty, and ATAK connects with none of that"},
		{"newline", "hidden\n", "the password has a control character at place 7"},
		{"nul", "hid\x00den", "the password has a control character at place 4"},
		{"emoji", "hidden😀", "the password has a character at place 7 that the PKCS #12 format cannot hold (such as an emoji)"},
		{"not UTF-8", "hidden\xff", "the password is not UTF-8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if err := pkcs12.CheckPassword(test.password); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if strings.Contains(got, "hidden") {
				t.Errorf("%q tells the password", got)
			}
		})
	}
}

func TestProfilesAreKnownByName(t *testing.T) {
	for _, p := range pkcs12.Profiles() {
		if got, err := pkcs12.ParseProfile(string(p)); got != p || err != nil {
			t.Errorf("%s: got %q, %v", p, got, err)
		}
	}
	_, err := pkcs12.ParseProfile("TAK")
	if err == nil || err.Error() != `p12 profile "TAK" is none of tak, modern` {
		t.Errorf("got %v", err)
	}
}
