package transfer_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/transfer"
)

// asking is a request of a party, of items and contents in turn.
func asking(t testing.TB, from *party, pairs ...any) (transfer.Manifest, [][]byte) {
	t.Helper()
	m := transfer.Manifest{Kind: transfer.Request, ID: transfer.NewID(), Made: made,
		From: transfer.Party{Name: from.cert.Subject.CommonName, Key: keySum(from.key)}}
	var contents [][]byte
	for i := 0; i < len(pairs); i += 2 {
		m.Items = append(m.Items, transfer.Item{Kind: pairs[i].(string)})
		contents = append(contents, pairs[i+1].([]byte))
	}
	return complete(t, m, contents), contents
}

// rows tells what a signer sees of a case under a label.
func rows(c *transfer.Case, label string) (found []string) {
	for _, row := range c.Rows {
		if row[0] == label {
			found = append(found, row[1])
		}
	}
	return found
}

func listOf(entries ...crl.Entry) []byte {
	l := crl.NewList()
	for _, e := range entries {
		l.Add(e)
	}
	return l.Bytes()
}

func TestWhatASignerMayNotGrantIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	stranger := founded(t, ca.Single, "Stranger", nil)
	aliceKey, bobKey := newKey(t), newKey(t)
	r.office.issue("alice", aliceKey)
	r.office.revoke(entry(r.office.issue("bob", bobKey)))
	// Somebody had a name that is the authority's serial.
	serial := crl.SerialOf(r.office.cert.SerialNumber).String()
	r.office.issue(serial, newKey(t))
	anyone := entry(r.office.cert)
	anyone.Issuer = ""
	unknown := crl.Entry{Serial: crl.SerialOf(big.NewInt(0xabc)), Date: made}
	fts := plainRequest(t, newKey(t), "fts.example.org", "fts.example.org")
	broken := bytes.Replace(fts, []byte("\nMI"), []byte("\nMA"), 1)
	block, _ := pem.Decode(fts)
	block.Bytes[len(block.Bytes)-1] ^= 1
	unsigned := pem.EncodeToMemory(block)
	tests := []struct {
		name   string
		signer *party
		from   *party
		kind   string
		text   []byte
		want   string
	}{
		{"a foreign store's request", r.office, stranger, transfer.CertificateRequest, fts, "it does not come from an endpoint of this authority"},
		{"a foreign store's revocations", r.office, stranger, transfer.Revocations, listOf(unknown), "it does not come from an endpoint of this authority"},
		{"foreign revocations at a root", r.root, stranger, transfer.Revocations, listOf(entry(r.office.cert)), "it does not come from an authority below this root"},
		{"an endpoint at a root", r.root, r.office, transfer.CertificateRequest, fts, "this authority is a root: it issues to no server or client of its own"},
		{"an authority in a server's clothes", r.office, r.office, transfer.CertificateRequest, authorityRequest(t, newKey(t), "Mallory"),
			"it asks for the powers of an authority, and is not said to be an authority's"},
		{"an authority below one that may have none", r.office, r.office, transfer.AuthorityRequest, authorityRequest(t, newKey(t), "Mallory"),
			`"Office" may have no authority below it: its path length does not allow one`},
		{"an authority that asks for no powers", r.root, r.office, transfer.AuthorityRequest, fts,
			"it is said to be an authority's request, and does not ask for an authority's powers"},
		{"the root's own key", r.root, r.office, transfer.AuthorityRequest, authorityRequest(t, r.root.key, "Mallory"),
			"the request asks for the authority's own key to be certified"},
		{"the root's own name", r.root, r.office, transfer.AuthorityRequest, authorityRequest(t, newKey(t), "Root"), `the name "Root" is in use (generation 1)`},
		{"a name with another key", r.office, r.office, transfer.CertificateRequest, plainRequest(t, newKey(t), "alice"), `the name "alice" is in use (generation 1)`},
		{"a key that was revoked", r.office, r.office, transfer.CertificateRequest, plainRequest(t, bobKey, "bob"),
			`its key was revoked as that of "bob", generation 1: a new key has to be made`},
		{"two requests in one", r.office, r.office, transfer.CertificateRequest, append(bytes.Clone(fts), fts...), "the request: it holds 2 requests"},
		{"a request that its key did not sign", r.office, r.office, transfer.CertificateRequest, unsigned, "the request: it is not signed by its own key: x509: ECDSA verification failure"},
		{"a request that is none", r.office, r.office, transfer.CertificateRequest, broken, "the request: it is no certificate request (RFC 2986)"},
		{"a kind that nobody knows", r.office, r.office, "keys", []byte("x"), `this ftsca does not know items of the kind "keys"`},
		{"the end of the authority", r.office, r.office, transfer.Revocations, listOf(unknown, entry(r.office.cert)), `it revokes the authority "Office" of this store`},
		{"the end of whoever has its serial", r.office, r.office, transfer.Revocations, listOf(anyone), `it revokes the authority "Office" of this store`},
		{"the end of the root above it", r.office, r.office, transfer.Revocations, listOf(entry(r.root.cert)), `it revokes the authority "Root" of this store`},
		{"the end of the root", r.root, r.office, transfer.Revocations, listOf(entry(r.root.cert)), `it revokes the authority "Root" of this store`},
		{"what a root has not issued", r.root, r.office, transfer.Revocations, listOf(unknown), "it revokes 0abc, which this root has not issued"},
		{"a list that is none", r.office, r.office, transfer.Revocations, []byte("[]"),
			`the revocation list: line 1, column 1: the list must be an object that has "revoked_certificates", not an array`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, contents := asking(t, tt.from, tt.kind, tt.text, transfer.News, []byte("x"))
			review := tt.signer.review(m, contents, transfer.Options{})
			if got := review.Cases[0].Refused; got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			// It is neither signed nor revoked, and the answer says why.
			before := standing(t, tt.signer)
			if _, err := review.Revoke(t.Context()); err != nil {
				t.Fatal(err)
			}
			answer, _, err := review.Grant(t.Context(), nil, made)
			if err != nil {
				t.Fatal(err)
			}
			if it := answer.Items[0]; it.Refused != tt.want || it.File != "" || review.Orders() || standing(t, tt.signer) != before {
				t.Errorf("the answer is %+v, and %d are revoked after %d", it, standing(t, tt.signer), before)
			}
		})
	}
}

func standing(t testing.TB, p *party) int {
	t.Helper()
	s, err := p.Standing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(s.InForce)
}

func TestASignerSeesWhatItGrants(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	key := newKey(t)
	alice := r.office.issue("alice", key)
	unknown := crl.Entry{Serial: crl.SerialOf(big.NewInt(0xabc)), Date: made, Reason: crl.Superseded}
	m, contents := asking(t, r.office, transfer.CertificateRequest, plainRequest(t, key, "alice"), transfer.Revocations, listOf(unknown, entry(alice)), transfer.News, []byte("x"))
	review := r.office.review(m, contents, transfer.Options{Days: 10})
	first, second, third := review.Cases[0], review.Cases[1], review.Cases[2]
	if first.Refused != "" || first.Grave || first.Quiet || !slices.Equal(rows(first, "renews"), []string{"generation 1, the same key"}) ||
		!slices.Equal(rows(first, "would be"), []string{"client, until 2026-12-04T09:27:04Z"}) {
		t.Errorf("the first is %+v", first)
	}
	want := []string{"0abc, superseded", fmt.Sprintf("%s (alice#1), key_compromise", crl.SerialOf(alice.SerialNumber))}
	if second.Refused != "" || second.Grave || second.Quiet || !slices.Equal(rows(second, "revoke"), want) || !slices.Equal(rows(second, "revocations"), []string{"2, of them 2 new"}) {
		t.Errorf("the second is %+v", second)
	}
	if !third.Quiet {
		t.Errorf("the third is %+v", third)
	}
	// Asked again when all is granted, the revocations are no news; the name is renewed once more, unless its key is revoked.
	if _, err := review.Revoke(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := review.Grant(t.Context(), r.office.signer(), made); err != nil {
		t.Fatal(err)
	}
	again := r.office.review(m, contents, transfer.Options{})
	if !again.Cases[1].Quiet || again.Cases[0].Refused != `its key was revoked as that of "alice", generation 1: a new key has to be made` {
		t.Errorf("again: %+v, %+v", again.Cases[0], again.Cases[1])
	}
	// Not even who insists has a revoked key signed.
	if forced := r.office.review(m, contents, transfer.Options{NewGeneration: true}); forced.Cases[0].Refused == "" {
		t.Error("a revoked key is signed under a new generation")
	}
	trail, err := r.office.Audit(t.Context())
	if err != nil || !slices.ContainsFunc(trail, func(e store.AuditEntry) bool { return e.Act == "revoke" && e.Name == "alice" }) {
		t.Errorf("the audit trail does not say who was revoked: %v", err)
	}

	// The powers of an authority are grave, given and taken.
	m, contents = asking(t, r.office, transfer.AuthorityRequest, authorityRequest(t, r.office.key, "Office"), transfer.Revocations, listOf(entry(r.office.cert)))
	review = r.root.review(m, contents, transfer.Options{})
	want = []string{crl.SerialOf(r.office.cert.SerialNumber).String() + " (Office#1), key_compromise, an authority"}
	if c := review.Cases[0]; c.Refused != "" || !c.Grave || len(rows(c, "asks for")) != 1 {
		t.Errorf("a renewal of the authority is %+v", c)
	}
	if c := review.Cases[1]; c.Refused != "" || !c.Grave || !slices.Equal(rows(c, "revoke"), want) {
		t.Errorf("its end is %+v", c)
	}
}

func TestANameIsGivenOnceInARequest(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	one, two := newKey(t), newKey(t)
	m, contents := asking(t, r.office, transfer.CertificateRequest, plainRequest(t, one, "carol"), transfer.CertificateRequest, plainRequest(t, two, "carol"),
		transfer.CertificateRequest, plainRequest(t, two, "dave"))
	answer, parts := r.office.answer(m, contents)
	if answer.Items[0].Kind != transfer.Certificate || answer.Items[2].Kind != transfer.Certificate || answer.Items[1].Refused != `item 1 asks for the name "carol" already` {
		t.Errorf("the answer is %+v", answer.Items)
	}
	if !certificates(t, parts[0])[0].PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(one.Public()) {
		t.Error("another's key is in the first certificate")
	}
}

func TestAReasonIsOneLineThatAManifestMayHold(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		strings.Repeat("a reason of eighty characters and more ", 4): strings.Repeat("a reason of eighty characters and more ", 4),
		"two\nlines\x1b[31m\xff":                                     "two lines [31m?",
		strings.Repeat("ü", 300):                                     strings.Repeat("ü", 248) + "…",
		"x" + strings.Repeat("ü", 300):                               "x" + strings.Repeat("ü", 248) + "…",
	} {
		if got := transfer.Line(given); got != want || len(got) > transfer.MaxText {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}

func keySum(key crypto.Signer) string {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		panic(err)
	}
	return transfer.KeySum(der)
}
