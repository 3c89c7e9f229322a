package ca_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/testpki"
)

// family has a certificate of every profile, with keys of one algorithm, and the revocation lists of its authorities.
type family struct {
	single, root, issuing member
	leaves                []member
}

// member is a certificate of a family.
type member struct {
	name    string
	cert    *x509.Certificate
	above   []*x509.Certificate // up to the root
	list    []byte              // an authority's, in DER
	purpose string              // a leaf's, as openssl calls it
}

// leafOrders are servers and clients with everything that their profiles can have.
func leafOrders(t *testing.T, public crypto.PublicKey) map[string]ca.Order {
	full := csr.Subject{CommonName: "alice", Organization: "Valley Rescue", Unit: "Field", Locality: "Chur", Province: "Grisons",
		Country: "CH", Groups: []string{"blue", "medics"}}
	order := func(o ca.Order, s csr.Subject, names ...string) ca.Order {
		o.Request = request(t, public, s, names...)
		return o
	}
	server := csr.Subject{CommonName: "fts.example.org"}
	return map[string]ca.Order{
		"server":                   order(ca.Order{Purpose: ca.Server}, server, "fts.example.org"),
		"server with addresses":    order(ca.Order{Purpose: ca.Server}, server, "fts.example.org", "*.field.example.org", "10.0.0.5", "2001:db8::1"),
		"server with a local name": order(ca.Order{Purpose: ca.Server}, csr.Subject{CommonName: "fts", Organization: "Bergwacht Zürich"}, "fts"),
		"server by address":        order(ca.Order{Purpose: ca.Server}, csr.Subject{CommonName: "10.0.0.5"}, "10.0.0.5"),
		"server, also client":      order(ca.Order{Purpose: ca.Server, AlsoClient: true}, server, "fts.example.org"),
		"server for long":          order(ca.Order{Purpose: ca.Server, Days: 1500, AllowLong: true}, server, "fts.example.org"),
		"client":                   order(ca.Order{Purpose: ca.Client}, csr.Subject{CommonName: "Zoë Müller 7"}),
		"client in full":           order(ca.Order{Purpose: ca.Client, Channels: true}, full),
		"client with a name":       order(ca.Order{Purpose: ca.Client}, csr.Subject{CommonName: "drone-7"}, "drone-7.example.org", "10.0.0.9"),
		"client to the end":        order(ca.Order{Purpose: ca.Client, Days: 36500}, csr.Subject{CommonName: "to the end"}),
	}
}

// newFamily founds one as of now, and renews whatever is of the profiles single and root when renewed says so.
func newFamily(t *testing.T, algorithm keyfile.Algorithm, now time.Time, renewed bool) family {
	t.Helper()
	key := func() crypto.Signer {
		k, err := keyfile.Generate(algorithm)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	subject := func(name string) csr.Subject {
		return csr.Subject{CommonName: name, Organization: "Valley Rescue", Country: "CH"}
	}
	clock := ca.Clock{Now: func() time.Time { return now }}
	must := func(cert *x509.Certificate, err error) *x509.Certificate {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	sign := func(cert *x509.Certificate, k crypto.Signer) (*ca.Authority, []byte) {
		a, err := ca.New(ca.Config{Certificate: cert, Key: k, Ledger: newMemory(), Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		text, _, err := a.SignCRL(now, []crl.Entry{
			{Serial: crl.SerialOf(big.NewInt(1)), Issuer: strings.Repeat("00", 20), Date: now}, // another's, and on no list of ours
			{Serial: crl.SerialOf(big.NewInt(0xabcdef)), Date: now, Reason: crl.KeyCompromise},
			{Serial: crl.SerialOf(big.NewInt(0xfedcba)), Date: now},
		}, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(text)
		return a, block.Bytes
	}
	singleKey, rootKey, issuingKey := key(), key(), key()
	single := must(ca.Found(ca.Foundation{Subject: subject("Single CA"), Names: []string{"ca.example.org"}, Key: singleKey, Now: now}))
	root := must(ca.Found(ca.Foundation{Purpose: ca.Root, Subject: subject("Root CA"), Key: rootKey, Now: now}))
	if renewed {
		single, root = must(ca.Renew(single, singleKey, 0, now)), must(ca.Renew(root, rootKey, 0, now))
	}
	below := must(ca.FoundBelow(ca.Foundation{Subject: subject("Issuing CA"), Names: []string{"issuing.example.org"}, Key: issuingKey, Now: now}, root, rootKey))
	f := family{}
	a, list := sign(single, singleKey)
	_, rootList := sign(root, rootKey)
	i, issuingList := sign(below, issuingKey)
	f.single = member{name: "single", cert: single, list: list}
	f.root = member{name: "root", cert: root, list: rootList}
	f.issuing = member{name: "issuing", cert: below, above: []*x509.Certificate{root}, list: issuingList}
	public := key().Public()
	for name, o := range leafOrders(t, public) {
		for _, by := range []struct {
			of        member
			authority *ca.Authority
		}{{f.single, a}, {f.issuing, i}} {
			o.NewGeneration = true
			entry, err := by.authority.Issue(t.Context(), o)
			if err != nil {
				t.Fatal(name, err)
			}
			m := member{name: name + " of " + by.of.name, cert: entry.Certificate, purpose: "sslclient",
				above: append([]*x509.Certificate{by.of.cert}, by.of.above...)}
			if o.Purpose == ca.Server {
				m.purpose = "sslserver"
			}
			f.leaves = append(f.leaves, m)
		}
	}
	return f
}

func algorithms() []keyfile.Algorithm {
	return []keyfile.Algorithm{keyfile.RSA2048, keyfile.ECDSAP256, keyfile.ECDSAP384}
}

// rfcs are the sources of lints that hold outside the public web, too.
var rfcs = lint.SourceList{lint.RFC3279, lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC6960, lint.RFC6962, lint.RFC8813}

func TestEveryCertificateAndListPassesTheLintsOfTheRFCs(t *testing.T) {
	registry, err := lint.GlobalRegistry().Filter(lint.FilterOptions{IncludeSources: rfcs})
	if err != nil {
		t.Fatal(err)
	}
	applied := 0
	judge := func(t *testing.T, name string, results *zlint.ResultSet) {
		for rule, result := range results.Results {
			switch result.Status {
			case lint.NA, lint.NE:
			case lint.Pass, lint.Notice:
				applied++
			default:
				t.Errorf("%s: %s: %s %s", name, rule, result.Status, result.Details)
			}
		}
	}
	for _, algorithm := range algorithms() {
		for _, renewed := range []bool{false, true} {
			t.Run(string(algorithm)+map[bool]string{true: " renewed"}[renewed], func(t *testing.T) {
				f := newFamily(t, algorithm, founded, renewed)
				for _, m := range append(f.leaves, f.single, f.root, f.issuing) {
					cert, err := zx509.ParseCertificate(m.cert.Raw)
					if err != nil {
						t.Fatal(m.name, err)
					}
					judge(t, m.name, zlint.LintCertificateEx(cert, registry))
					if m.list == nil {
						continue
					}
					list, err := zx509.ParseRevocationList(m.list)
					if err != nil {
						t.Fatal(m.name, err)
					}
					judge(t, "the list of "+m.name, zlint.LintRevocationListEx(list, registry))
				}
			})
		}
	}
	if applied < 1000 {
		t.Errorf("only %d lints had something to judge", applied)
	}
}

func TestOpensslFollowsEveryCertificateAndListStrictly(t *testing.T) {
	openssl := testpki.Need(t, "openssl")
	// As of now, since openssl judges by its own clock.
	now := time.Now()
	for _, algorithm := range algorithms() {
		for _, renewed := range []bool{false, true} {
			t.Run(string(algorithm)+map[bool]string{true: " renewed"}[renewed], func(t *testing.T) {
				f := newFamily(t, algorithm, now, renewed)
				dir := t.TempDir()
				var lists bytes.Buffer
				for _, m := range []member{f.single, f.root, f.issuing} {
					lists.Write(crl.EncodePEM(m.list))
				}
				write := func(name string, data []byte) string {
					name = filepath.Join(dir, name)
					if err := os.WriteFile(name, data, 0o600); err != nil {
						t.Fatal(err)
					}
					return name
				}
				roots := write("roots.pem", testpki.CertPEM(f.single.cert, f.root.cert))
				crls := write("lists.pem", lists.Bytes())
				below := write("below.pem", testpki.CertPEM(f.issuing.cert))
				verify := func(m member, options ...string) (string, bool) {
					args := append([]string{"verify", "-x509_strict", "-crl_check_all", "-CAfile", roots, "-CRLfile", crls, "-untrusted", below}, options...)
					out, err := exec.Command(openssl, append(args, write("it.pem", testpki.CertPEM(m.cert)))...).CombinedOutput()
					return string(out), err == nil
				}
				for _, m := range f.leaves {
					if out, ok := verify(m, "-purpose", m.purpose); !ok {
						t.Errorf("%s: %s", m.name, out)
					}
				}
				if out, ok := verify(f.issuing); !ok {
					t.Errorf("issuing: %s", out)
				}
				// Each is good for its own purpose alone.
				for _, m := range f.leaves {
					other, allowed := "sslserver", false
					if m.purpose == other {
						other, allowed = "sslclient", slices.Contains(m.cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
					}
					if out, ok := verify(m, "-purpose", other); ok != allowed {
						t.Errorf("%s as %s: %v: %s", m.name, other, ok, out)
					}
				}
			})
		}
	}
}
