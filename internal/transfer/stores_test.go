package transfer_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/internal/transfer"
)

// party is an authority: its certificate, its key, and where it has one its store.
type party struct {
	*store.Store
	t    testing.TB
	cert *x509.Certificate
	key  crypto.Signer
	file []byte
}

func founded(t testing.TB, purpose ca.Purpose, name string, above *party) *party {
	t.Helper()
	p := &party{t: t}
	var err error
	if p.key, err = keyfile.Generate(keyfile.ECDSAP256); err != nil {
		t.Fatal(err)
	}
	if p.file, err = keyfile.NewSealer(1000).Seal(p.key, secret.Secret{}); err != nil {
		t.Fatal(err)
	}
	f := ca.Foundation{Purpose: purpose, Subject: csr.Subject{CommonName: name}, Key: p.key, Now: made}
	if above == nil {
		p.cert, err = ca.Found(f)
	} else {
		p.cert, err = ca.FoundBelow(f, above.cert, above.key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// list is the party's revocation list as of a time, in PEM.
func (p *party) list(at time.Time, entries ...crl.Entry) []byte {
	p.t.Helper()
	a, err := ca.New(ca.Config{Certificate: p.cert, Key: p.key})
	if err != nil {
		p.t.Fatal(err)
	}
	text, _, err := a.SignCRL(at, entries, nil, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

func (p *party) founder(purpose ca.Purpose) store.Founder {
	return store.Founder{Certificate: p.cert, Purpose: purpose, Key: p.file, List: p.list(made)}
}

func (p *party) pem() []byte { return certPEM(p.cert) }

func certPEM(certs ...*x509.Certificate) (text []byte) {
	for _, c := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text
}

func storeOptions() store.Options {
	return store.Options{LockWait: 5 * time.Second, Now: func() time.Time { return made }}
}

// open opens a store for the party.
func (p *party) open(dir string) *party {
	p.t.Helper()
	s, err := store.Open(dir, storeOptions())
	if err != nil {
		p.t.Fatal(err)
	}
	opened := *p
	opened.Store = s
	p.t.Cleanup(func() { _ = s.Close() })
	return &opened
}

// house founds a store for the party.
func (p *party) house(f store.Founding) *party {
	p.t.Helper()
	dir := filepath.Join(p.t.TempDir(), "pki")
	if err := store.Create(p.t.Context(), dir, f, storeOptions()); err != nil {
		p.t.Fatal(err)
	}
	return p.open(dir)
}

// signer opens the party's authority in its store.
func (p *party) signer() *ca.Authority {
	p.t.Helper()
	a, err := p.Authorities(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	authority, err := p.Authority(a, p.cert, p.key)
	if err != nil {
		p.t.Fatal(err)
	}
	return authority
}

func (p *party) revoke(entries ...crl.Entry) {
	p.t.Helper()
	if out, err := p.Revoke(p.t.Context(), entries, nil); err != nil || len(out.Problems) > 0 {
		p.t.Fatalf("%+v, %v", out, err)
	}
}

// entry revokes a certificate in the name of who issued it.
func entry(cert *x509.Certificate) crl.Entry {
	return crl.Entry{Serial: crl.SerialOf(cert.SerialNumber), Issuer: fmt.Sprintf("%x", cert.AuthorityKeyId), Date: made, Reason: crl.KeyCompromise}
}

// ask has the party's store ask what waits there.
func (p *party) ask() (transfer.Manifest, [][]byte) {
	p.t.Helper()
	m, contents, err := transfer.Collect(p.t.Context(), p.Store, made)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := transfer.Remember(p.Store, m); err != nil {
		p.t.Fatal(err)
	}
	return m, contents
}

// review has the party's store judge a request.
func (p *party) review(m transfer.Manifest, contents [][]byte, o transfer.Options) *transfer.Review {
	p.t.Helper()
	sum, err := m.Sum()
	if err != nil {
		p.t.Fatal(err)
	}
	o.Now = made
	r, err := transfer.NewReview(p.t.Context(), p.Store, m, contents, sum, o)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// answer has the party's store grant all of a request that is not refused.
func (p *party) answer(m transfer.Manifest, contents [][]byte) (transfer.Manifest, [][]byte) {
	p.t.Helper()
	r := p.review(m, contents, transfer.Options{})
	if _, err := r.Revoke(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.SignCRL(p.t.Context(), store.Signing{}, p.signer()); err != nil {
		p.t.Fatal(err)
	}
	answer, parts, err := r.Grant(p.t.Context(), p.signer(), made)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer, parts
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := keyfile.Generate(keyfile.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func plainRequest(t testing.TB, key crypto.Signer, name string, hosts ...string) []byte {
	t.Helper()
	r, err := csr.New(key.Public(), csr.Subject{CommonName: name}, hosts)
	if err != nil {
		t.Fatal(err)
	}
	text, err := csr.Create(key, r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func authorityRequest(t testing.TB, key crypto.Signer, name string) []byte {
	t.Helper()
	r, err := csr.New(key.Public(), csr.Subject{CommonName: name}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := csr.CreateAuthority(key, r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func pendingOf(t testing.TB, p *party, name string) store.Pending {
	t.Helper()
	block, _ := pem.Decode(authorityRequest(t, p.key, name))
	id, err := ca.KeyID(p.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return store.Pending{Request: block.Bytes, KeyID: id}
}

// wants puts a key and a request into an endpoint's room.
func (p *party) wants(stem, name string) crypto.Signer {
	p.t.Helper()
	key := newKey(p.t)
	file, err := keyfile.NewSealer(1000).Seal(key, secret.Secret{})
	if err != nil {
		p.t.Fatal(err)
	}
	for ending, data := range map[string][]byte{".key": file, ".csr": plainRequest(p.t, key, name, name)} {
		if err := os.WriteFile(filepath.Join(p.Endpoint(), stem+ending), data, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	return key
}

// region is a root on a machine of its own, an office below it, and an endpoint of that in the field.
type region struct{ root, office, field *party }

func newRegion(t testing.TB) region {
	t.Helper()
	root := founded(t, ca.Root, "Root", nil)
	office := founded(t, ca.Issuing, "Office", root)
	r := region{}
	r.root = root.house(store.Founding{Authorities: []store.Founder{root.founder(ca.Root)},
		Issued: []ca.Entry{{Certificate: office.cert, Name: "Office", Generation: 1, Purpose: ca.Issuing, IssuedAt: made}}})
	pending := pendingOf(t, office, "Office")
	r.office = office.house(store.Founding{Name: "Office", Pending: &pending, PendingKey: office.file})
	err := r.office.Install(t.Context(), store.Installation{Certificate: office.cert, Purpose: ca.Issuing, Above: []*x509.Certificate{root.cert},
		Lists: []store.SignedList{{Authority: office.cert, PEM: office.list(made)}, {Authority: root.cert, PEM: root.list(made)}}})
	if err != nil {
		t.Fatal(err)
	}
	r.field = r.office.carried()
	return r
}

// carried brings the endpoint's room to another machine.
func (p *party) carried() *party {
	p.t.Helper()
	dir := filepath.Join(p.t.TempDir(), "field [1]") // a name that is no pattern
	if err := os.CopyFS(filepath.Join(dir, "endpoint"), os.DirFS(p.Endpoint())); err != nil {
		p.t.Fatal(err)
	}
	return p.open(dir)
}

// issue has the office issue to a client.
func (p *party) issue(name string, key crypto.Signer) *x509.Certificate {
	p.t.Helper()
	r, err := csr.New(key.Public(), csr.Subject{CommonName: name}, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	e, err := p.signer().Issue(p.t.Context(), ca.Order{Purpose: ca.Client, Request: r})
	if err != nil {
		p.t.Fatal(err)
	}
	return e.Certificate
}

// forged is a certificate like another, for a key, that a stranger has signed.
func forged(t testing.TB, like *x509.Certificate, public crypto.PublicKey, by *party, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	c := *like
	c.SignatureAlgorithm, c.AuthorityKeyId = x509.ECDSAWithSHA256, nil
	if change != nil {
		change(&c)
	}
	der, err := x509.CreateCertificate(rand.Reader, &c, by.cert, public, by.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// item finds the item of a kind; there must be one.
func item(t testing.TB, m transfer.Manifest, kind string) int {
	t.Helper()
	i := slices.IndexFunc(m.Items, func(it transfer.Item) bool { return it.Kind == kind })
	if i < 0 {
		t.Fatalf("there is no %s among %+v", kind, m.Items)
	}
	return i
}

// changed is a transfer that somebody changed on the way, who knows how to make it whole again.
func changed(t testing.TB, m transfer.Manifest, contents [][]byte, change func(items []transfer.Item, contents [][]byte)) (transfer.Manifest, [][]byte) {
	t.Helper()
	m.Items, contents = slices.Clone(m.Items), slices.Clone(contents)
	change(m.Items, contents)
	for i := range m.Items {
		m.Items[i].File, m.Items[i].SHA256, m.Items[i].Size = "", "", 0
	}
	return complete(t, m, contents), contents
}

// reply is an answer with items of a signer's own choice to a request.
func reply(t testing.TB, to transfer.Manifest, items []transfer.Item, contents [][]byte) (transfer.Manifest, [][]byte) {
	t.Helper()
	sum, err := to.Sum()
	if err != nil {
		t.Fatal(err)
	}
	m := transfer.Manifest{Kind: transfer.Answer, ID: transfer.NewID(), From: to.From, Made: made, InReplyTo: hex.EncodeToString(sum[:]), Items: items}
	return complete(t, m, contents), contents
}

// blocks returns the content of every block of a file in PEM.
func blocks(data []byte) (contents [][]byte) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		contents = append(contents, block.Bytes)
	}
	return contents
}
