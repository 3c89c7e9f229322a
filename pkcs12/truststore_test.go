package pkcs12_test

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	sslmate "software.sslmate.com/src/go-pkcs12"

	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

func TestTrustStoreHoldsCertificatesAlone(t *testing.T) {
	root := testpki.NewRoot(t, "Valley Root")
	issuing := root.Issuing(t, "Valley Issuing")
	old := testpki.NewRoot(t, "Valley Root", testpki.NoKeyID(), testpki.KeyUsage(0))
	sha1 := testpki.NewRoot(t, "Old Root", testpki.Template(func(c *x509.Certificate) {
		c.SignatureAlgorithm = x509.ECDSAWithSHA1
	}))
	tests := []struct {
		name string
		cas  []*x509.Certificate
		want []*x509.Certificate
	}{
		{"single CA", root.Chain(), root.Chain()},
		{"issuing and root", issuing.Chain(), issuing.Chain()},
		{"root first", []*x509.Certificate{root.Cert, issuing.Cert}, []*x509.Certificate{root.Cert, issuing.Cert}},
		{"three tiers", issuing.Issuing(t, "Third").Chain(), nil},
		{"one given twice", append(issuing.Chain(), issuing.Cert), issuing.Chain()},
		{"two roots of one name", append(issuing.Chain(), old.Cert), append(issuing.Chain(), old.Cert)},
		{"root signed with SHA-1", sha1.Chain(), sha1.Chain()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data, err := pkcs12.NewEncoder(pkcs12.TAK, 0).TrustStore(test.cas, password)
			if err != nil {
				t.Fatal(err)
			}
			// It fails on anything that is not a certificate with Java's attribute.
			got, err := sslmate.DecodeTrustStore(data, password)
			if err != nil {
				t.Fatal(err)
			}
			if test.want == nil {
				test.want = test.cas
			}
			if !slices.EqualFunc(got, test.want, (*x509.Certificate).Equal) {
				t.Errorf("got %d certificates, want %d", len(got), len(test.want))
			}
		})
	}
}

func TestTrustStoreRefusesWhatADeviceCouldNotVerifyWith(t *testing.T) {
	root := testpki.NewRoot(t, "Valley Root")
	issuing := root.Issuing(t, "Valley Issuing")
	third := issuing.Issuing(t, "Third")
	impostor := testpki.NewRoot(t, "Valley Root")
	alice := issuing.Client(t, "alice")
	shy := testpki.NewRoot(t, "Shy Root", testpki.KeyUsage(x509.KeyUsageCRLSign))
	// Two that signed each other, and no root.
	east, west := testpki.NewRoot(t, "East"), testpki.NewRoot(t, "West")
	eastByWest := west.Issuing(t, "East", testpki.Key(east.Key))
	westByEast := east.Issuing(t, "West", testpki.Key(west.Key))

	tests := []struct {
		name string
		cas  []*x509.Certificate
		want string
	}{
		{"nothing", nil, `a trust store needs at least one certificate`},
		{"nil", []*x509.Certificate{nil}, `trust store: a certificate is missing`},
		{"a client", []*x509.Certificate{root.Cert, alice.Leaf}, `trust store: "alice" is no certificate of a CA`},
		{"no certSign", shy.Chain(), `trust store: the key usage of "Shy Root" does not allow it to sign certificates`},
		{"issuing alone", []*x509.Certificate{issuing.Cert}, lacksWay("Valley Issuing", "Valley Root")},
		{"gap", []*x509.Certificate{third.Cert, root.Cert}, lacksWay("Third", "Valley Issuing")},
		{"root's namesake", []*x509.Certificate{issuing.Cert, impostor.Cert}, lacksWay("Valley Issuing", "Valley Root")},
		{"circle", []*x509.Certificate{eastByWest.Cert, westByEast.Cert, root.Cert}, lacksWay("East", "West")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := pkcs12.Encoder{}.TrustStore(test.cas, password)
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
	_, err := pkcs12.Encoder{}.TrustStore(root.Chain(), "")
	if want := "trust store: the password is empty, and ATAK connects with none of that"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func lacksWay(from, issuer string) string {
	return `the trust store does not reach a root: it lacks a way from "` + from + `" to a self-signed certificate (issuer "CN=` +
		issuer + `"), and ATAK takes no CA from the server itself`
}

func TestFriendlyNamesDifferForEveryReader(t *testing.T) {
	noName := testpki.Template(func(c *x509.Certificate) { c.Subject.CommonName, c.Subject.Organization = "", []string{"Valley"} })
	nothing := testpki.Template(func(c *x509.Certificate) { c.Subject.CommonName = "" })
	var certs []*x509.Certificate
	for _, cn := range []string{"Valley CA", "VALLEY ca", "valley ca", "STRASSE ſ", "strasse S", "ΣΑΣ", "σας", "σασ", "Kelvin", "\u212Aelvin",
		"Base 😀", "Base 🚑", " spaced ", "two\nlines", strings.Repeat("x", 200), strings.Repeat("x", 201)} {
		certs = append(certs, testpki.NewRoot(t, cn).Cert)
	}
	certs = append(certs, testpki.NewRoot(t, "", noName).Cert, testpki.NewRoot(t, "", nothing).Cert, testpki.NewRoot(t, "", nothing).Cert)
	names := pkcs12.FriendlyNames(certs)
	for i, name := range names {
		for j, other := range names[:i] {
			if strings.EqualFold(name, other) {
				t.Errorf("%d and %d are called %q and %q", j, i, other, name)
			}
		}
		for _, r := range name {
			if r > 0xffff || r < ' ' {
				t.Errorf("%q has %U", name, r)
			}
		}
		if name == "" || len([]rune(name)) > 170 {
			t.Errorf("%d is called %q", i, name)
		}
	}
	for i, want := range map[int]string{0: "Valley CA", 10: "Base \uFFFD", 12: "spaced", 13: "two lines", 14: strings.Repeat("x", 100), 16: "O=Valley"} {
		if names[i] != want {
			t.Errorf("%d: got %q, want %q", i, names[i], want)
		}
	}
	if !strings.HasPrefix(names[1], "VALLEY ca (") || !strings.HasPrefix(names[17], "CA ") {
		t.Errorf("got %q and %q", names[1], names[17])
	}
	if again := pkcs12.FriendlyNames(certs); !slices.Equal(again, names) {
		t.Error("the names change from one time to the next")
	}
	if _, err := (pkcs12.Encoder{}).TrustStore(certs, password); err != nil {
		t.Error(err)
	}
}
