package store_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/secret"
)

var begun = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// party is an authority outside of any store.
type party struct {
	cert *x509.Certificate
	key  crypto.Signer
	file []byte // the key, in PEM
}

func newKey(t testing.TB) (crypto.Signer, []byte) {
	t.Helper()
	key, err := keyfile.Generate(keyfile.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	file, err := keyfile.NewSealer(1000).Seal(key, secret.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	return key, file
}

// founded is one that is its own root, or one below another.
func founded(t testing.TB, purpose ca.Purpose, name string, above *party) *party {
	t.Helper()
	p := &party{}
	p.key, p.file = newKey(t)
	f := ca.Foundation{Purpose: purpose, Subject: csr.Subject{CommonName: name}, Key: p.key, Now: begun}
	var err error
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

func (p *party) renewed(t testing.TB, at time.Time) *party {
	t.Helper()
	cert, err := ca.Renew(p.cert, p.key, 0, at)
	if err != nil {
		t.Fatal(err)
	}
	return &party{cert: cert, key: p.key, file: p.file}
}

func (p *party) id() string { return crl.KeyID(p.cert) }

func (p *party) serial() string { return crl.SerialOf(p.cert.SerialNumber).String() }

// list is the party's revocation list as of a time, in PEM.
func (p *party) list(t testing.TB, at time.Time, entries ...crl.Entry) store.SignedList {
	t.Helper()
	a, err := ca.New(ca.Config{Certificate: p.cert, Key: p.key})
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := a.SignCRL(at, entries, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return store.SignedList{Authority: p.cert, PEM: text}
}

func (p *party) founder(t testing.TB, purpose ca.Purpose) store.Founder {
	return store.Founder{Certificate: p.cert, Purpose: purpose, Key: p.file, List: p.list(t, begun).PEM}
}

// request is the party's request for a certificate of its key.
func (p *party) request(t testing.TB, name string) store.Pending {
	t.Helper()
	r, err := csr.New(p.key.Public(), csr.Subject{CommonName: name}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := csr.CreateAuthority(p.key, r)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	id, err := ca.KeyID(p.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return store.Pending{Request: block.Bytes, KeyID: id}
}

// newHouse founds a store, whose current authority has the key.
func newHouse(t testing.TB, key crypto.Signer, f store.Founding) *desk {
	t.Helper()
	d := &desk{t: t, dir: filepath.Join(t.TempDir(), "pki"), now: begun, key: key}
	if err := store.Create(t.Context(), d.dir, f, d.options()); err != nil {
		t.Fatal(err)
	}
	var err error
	if d.Store, err = store.Open(d.dir, d.options()); err != nil {
		t.Fatal(err)
	}
	if key != nil {
		d.reopen()
	}
	return d
}

// twoTiers founds a store with an issuing authority and the root above it.
func twoTiers(t testing.TB) (d *desk, issuing, root *party) {
	t.Helper()
	root = founded(t, ca.Root, "Root", nil)
	issuing = founded(t, ca.Issuing, "Issuing", root)
	d = newHouse(t, issuing.key, store.Founding{Authorities: []store.Founder{issuing.founder(t, ca.Issuing), root.founder(t, ca.Root)}})
	return d, issuing, root
}

func (d *desk) authorities() store.Authorities {
	d.t.Helper()
	a, err := d.Authorities(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// signer opens an authority of the store.
func (d *desk) signer(p *party) *ca.Authority {
	d.t.Helper()
	a, err := d.Authority(d.authorities(), p.cert, p.key)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

func (d *desk) install(i store.Installation) {
	d.t.Helper()
	if err := d.Install(d.t.Context(), i); err != nil {
		d.t.Fatal(err)
	}
}

// published tells in words what ca.pem has, in its order, and checks that FTS_CRL.pem has the same lists.
func (d *desk) published() string {
	d.t.Helper()
	var words, lists []string
	for block, rest := pem.Decode(d.read("endpoint/ca.pem")); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				d.t.Fatal(err)
			}
			words = append(words, cert.Subject.CommonName)
		case "X509 CRL":
			list, err := crl.ParseX509(block.Bytes)
			if err != nil {
				d.t.Fatal(err)
			}
			lists = append(lists, "list of "+issuerOf(d.t, block.Bytes)+fmt.Sprintf(" (%d)", len(list.Entries)))
			words = append(words, lists[len(lists)-1])
		}
	}
	if n := len(blocks(d.read("endpoint/FTS_CRL.pem"))); n != len(lists) {
		d.t.Errorf("FTS_CRL.pem has %d lists, ca.pem %d", n, len(lists))
	}
	return strings.Join(words, ", ")
}

func issuerOf(t testing.TB, der []byte) string {
	t.Helper()
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	return list.Issuer.CommonName
}

// said tells the audit trail in words.
func (d *desk) said() []string {
	d.t.Helper()
	trail, err := d.Audit(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	var acts []string
	for _, e := range trail {
		acts = append(acts, strings.TrimSpace(e.Act+" "+e.Name))
	}
	return acts
}

func (d *desk) mustPublish(want string) {
	d.t.Helper()
	if got := d.published(); got != want {
		d.t.Errorf("ca.pem has %s\nwant        %s", got, want)
	}
}

func (d *desk) mustHaveSaid(want ...string) {
	d.t.Helper()
	if got := d.said(); !slices.Equal(got, want) {
		d.t.Errorf("the audit trail says %q\nwant                 %q", got, want)
	}
}

func mustSay(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestAStoreBeginsWithWhatItIsFoundedWith(t *testing.T) {
	t.Parallel()
	single, root := founded(t, ca.Single, "Single", nil), founded(t, ca.Root, "Root", nil)
	issuing := founded(t, ca.Issuing, "Issuing", root)
	pending := issuing.request(t, "Issuing")
	tests := []struct {
		name      string
		founding  store.Founding
		published string
		said      []string
		keys      []string
		called    string
		check     func(store.Authorities) bool
	}{
		{"a single authority", store.Founding{Authorities: []store.Founder{single.founder(t, ca.Single)}},
			"Single, list of Single (0)", []string{"found Single"}, []string{"ca.key"}, "Single",
			func(a store.Authorities) bool {
				return a.Current.Equal(single.cert) && a.HasKey(single.cert) && !a.IsRoot() && len(a.Roots)+len(a.Earlier) == 0 && len(a.ChainOf(a.Current)) == 1
			}},
		{"two tiers", store.Founding{Authorities: []store.Founder{issuing.founder(t, ca.Issuing), root.founder(t, ca.Root)}},
			"Issuing, Root, list of Issuing (0), list of Root (0)", []string{"found Issuing", "found Root"}, []string{"ca.key", "root.key"}, "Issuing",
			func(a store.Authorities) bool {
				chain := a.ChainOf(a.Current)
				return a.Current.Equal(issuing.cert) && a.HasKey(root.cert) && !a.IsRoot() && len(chain) == 2 && chain[1].Equal(root.cert)
			}},
		{"an offline root", store.Founding{Authorities: []store.Founder{root.founder(t, ca.Root)}},
			"Root, list of Root (0)", []string{"found Root"}, []string{"root.key"}, "Root",
			func(a store.Authorities) bool { return a.Current.Equal(root.cert) && a.IsRoot() && len(a.Roots) == 0 }},
		{"a pending authority", store.Founding{Name: "Issuing", Pending: &pending, PendingKey: issuing.file},
			"", []string{"request Issuing"}, []string{"ca.key"}, "Issuing",
			func(a store.Authorities) bool {
				return a.Current == nil && a.Trust() == nil && a.Pending != nil && a.Pending.IsAnsweredBy(issuing.cert) && a.Pending.Since.Equal(begun) && !a.IsRoot()
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newHouse(t, nil, tt.founding)
			d.mustPublish(tt.published)
			d.mustHaveSaid(tt.said...)
			if !tt.check(d.authorities()) {
				t.Errorf("the authorities are %+v", d.authorities())
			}
			if d.Name() != tt.called {
				t.Errorf("the store is called %q", d.Name())
			}
			var keys []string
			for _, name := range d.files("authority") {
				info, err := os.Stat(filepath.Join(d.dir, "authority", name))
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasSuffix(name, ".key") {
					keys = append(keys, name)
					if info.Mode().Perm() != 0o600 {
						t.Errorf("%s has the mode %v", name, info.Mode())
					}
				}
			}
			if !slices.Equal(keys, tt.keys) {
				t.Errorf("the keys are %q", keys)
			}
			if tt.founding.Pending != nil {
				block, _ := pem.Decode(d.read("authority/ca.csr"))
				if block == nil || string(block.Bytes) != string(pending.Request) {
					t.Error("ca.csr is not the request")
				}
				if _, err := d.Revoke(t.Context(), []crl.Entry{entryOf(7, begun)}, nil); err != nil {
					t.Errorf("revoking while pending: %v", err)
				}
			}
		})
	}
}

func TestTheRootsAnswerMakesAPendingAuthorityIssue(t *testing.T) {
	t.Parallel()
	root := founded(t, ca.Root, "Root", nil)
	issuing := founded(t, ca.Issuing, "Issuing", root)
	pending := issuing.request(t, "Issuing")
	d := newHouse(t, nil, store.Founding{Name: "Issuing", Pending: &pending, PendingKey: issuing.file})
	answer := store.Installation{Certificate: issuing.cert, Purpose: ca.Issuing, Above: []*x509.Certificate{root.cert},
		Lists: []store.SignedList{issuing.list(t, begun), root.list(t, begun)}}
	d.install(answer)
	d.mustPublish("Issuing, Root, list of Issuing (0), list of Root (0)")
	d.mustHaveSaid("request Issuing", "install Root", "install Issuing")
	a := d.authorities()
	if a.Pending != nil || !a.HasKey(issuing.cert) || a.HasKey(root.cert) {
		t.Errorf("the authorities are %+v", a)
	}
	if _, err := os.Stat(filepath.Join(d.dir, "authority/ca.csr")); err == nil {
		t.Error("the request that was answered is still there, to be signed again")
	}
	d.key = issuing.key
	d.reopen()
	d.issue("alice")
	mustSay(t, d.Install(t.Context(), answer), "this certificate is in the store already")
}

func TestARolloverKeepsTheEarlierAuthorityUntilItRetires(t *testing.T) {
	t.Parallel()
	one, two := founded(t, ca.Single, "One", nil), founded(t, ca.Single, "Two", nil)
	d := newHouse(t, one.key, store.Founding{Authorities: []store.Founder{one.founder(t, ca.Single)}})
	alice := d.issue("alice")
	d.install(store.Installation{Certificate: two.cert, Purpose: ca.Single, Key: two.file, Lists: []store.SignedList{two.list(t, begun)}})
	d.mustPublish("Two, One, list of Two (0), list of One (0)")
	a := d.authorities()
	if !a.Current.Equal(two.cert) || !a.HasKey(one.cert) || !a.HasKey(two.cert) || len(a.Trust()) != 2 || !a.Trust()[0].Equal(two.cert) {
		t.Errorf("the authorities are %+v", a)
	}
	if got := d.KeyFile(a, two.cert); filepath.Base(got) != store.KeyFileName(two.id()) {
		t.Errorf("the key lies in %s", got)
	}
	d.key = two.key
	d.reopen()
	bob := d.issue("bob")
	if alice.Certificate.CheckSignatureFrom(one.cert) != nil || bob.Certificate.CheckSignatureFrom(two.cert) != nil {
		t.Error("the wrong authority signed")
	}
	mustSay(t, d.Retire(t.Context(), two.cert), `"Two" is not one of the store's earlier authorities`)
	if err := d.Retire(t.Context(), one.cert); err != nil {
		t.Fatal(err)
	}
	d.mustPublish("Two, list of Two (0)")
	mustSay(t, d.Retire(t.Context(), one.cert), `"One" is not one of the store's earlier authorities`)
	d.mustHaveSaid("found One", "issue alice", "install Two", "issue bob", "retire One")
}

func TestARenewedAuthorityTakesThePlaceOfItsEarlierCertificate(t *testing.T) {
	t.Parallel()
	d, issuing, root := twoTiers(t)
	later := begun.AddDate(1, 0, 0)
	again := root.renewed(t, later)
	if !d.authorities().Renews(again.cert) || d.authorities().Renews(root.cert) {
		t.Error("a renewal of the root is not known as one")
	}
	d.install(store.Installation{Above: []*x509.Certificate{again.cert}})
	a := d.authorities()
	if len(a.Roots) != 1 || !a.Roots[0].Equal(again.cert) || !a.HasKey(again.cert) || !a.ChainOf(a.Current)[1].Equal(again.cert) {
		t.Errorf("the roots are %v", a.Roots)
	}
	d.mustPublish("Issuing, Root, list of Issuing (0), list of Root (0)")

	// The root renews the authority below it: the same key.
	d.now = later
	request, err := csr.FromCertificate(issuing.cert)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := d.signer(again).Issue(t.Context(), ca.Order{Purpose: ca.Issuing, Request: request, NewGeneration: true})
	if err != nil {
		t.Fatal(err)
	}
	a = d.authorities()
	if !a.Current.Equal(entry.Certificate) || len(a.Earlier) != 0 || !a.HasKey(entry.Certificate) {
		t.Errorf("the authorities are %+v", a)
	}
	d.mustPublish("Issuing, Root, list of Issuing (0), list of Root (0)")

	// And a new key below it: the earlier one stays.
	next := founded(t, ca.Issuing, "Next", root)
	request, err = csr.New(next.key.Public(), csr.Subject{CommonName: "Next"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	entry, err = d.signer(again).Issue(t.Context(), ca.Order{Purpose: ca.Issuing, Request: request, Pack: func(e ca.Entry) ([]ca.Product, error) {
		return []ca.Product{{Room: ca.Keys, Name: store.KeyFileName(crl.KeyID(e.Certificate)), Data: next.file, Mode: 0o600}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if a = d.authorities(); !a.Current.Equal(entry.Certificate) || len(a.Earlier) != 1 || len(a.Roots) != 1 || !a.HasKey(a.Current) {
		t.Errorf("the authorities are %+v", a)
	}
	d.mustPublish("Next, Issuing, Root, list of Issuing (0), list of Root (0)")
}

func TestARootsStoreDoesNotTakeOthersAuthoritiesForItsOwn(t *testing.T) {
	t.Parallel()
	root := founded(t, ca.Root, "Root", nil)
	d := newHouse(t, root.key, store.Founding{Authorities: []store.Founder{root.founder(t, ca.Root)}})
	request, err := csr.New(founded(t, ca.Single, "x", nil).key.Public(), csr.Subject{CommonName: "Office"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.authority.Issue(t.Context(), ca.Order{Purpose: ca.Issuing, Request: request}); err != nil {
		t.Fatal(err)
	}
	if a := d.authorities(); !a.Current.Equal(root.cert) || len(a.All()) != 1 {
		t.Errorf("the authorities are %+v", a)
	}
	d.mustPublish("Root, list of Root (0)")
}

func TestWhatNobodyVouchesForIsNotInstalled(t *testing.T) {
	t.Parallel()
	d, issuing, root := twoTiers(t)
	stranger := founded(t, ca.Root, "Root", nil)
	below := founded(t, ca.Issuing, "Issuing", stranger)
	// forged is a certificate for a key under a name, which another key has signed.
	forged := func(p *party, name string, signer *party, id []byte) *x509.Certificate {
		subject := *p.cert
		subject.RawSubject, subject.SubjectKeyId, subject.SignatureAlgorithm = nil, id, x509.ECDSAWithSHA256
		subject.Subject.CommonName = name
		subject.Subject.Names = nil
		issuer := *signer.cert
		der, err := x509.CreateCertificate(rand.Reader, &subject, &issuer, p.key.Public(), signer.key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	other := founded(t, ca.Issuing, "Other", root)
	later := root.renewed(t, begun.AddDate(1, 0, 0))
	falseRoot := forged(&party{cert: later.cert, key: root.key}, "Root", stranger, root.cert.SubjectKeyId)
	if d.authorities().Renews(falseRoot) {
		t.Error("a certificate of the root's key that a stranger signed counts as its renewal")
	}
	tests := []struct {
		name string
		i    store.Installation
		want string
	}{
		{"below a root that does not come with it", store.Installation{Certificate: below.cert, Purpose: ca.Issuing},
			`the certificate of "Issuing" is signed neither with its own key nor by a root that is known or comes with it`},
		{"below another root than the one that comes with it", store.Installation{Certificate: below.cert, Purpose: ca.Issuing, Above: []*x509.Certificate{root.cert}},
			`the certificate of "Issuing" is signed neither with its own key nor by a root that is known or comes with it`},
		{"a root that is none", store.Installation{Above: []*x509.Certificate{other.cert}},
			`the certificate of the root "Other" is not signed with its own key`},
		{"a renewed root that a stranger signed", store.Installation{Above: []*x509.Certificate{falseRoot}},
			`the certificate of the root "Root" is not signed with its own key`},
		{"another's key identifier", store.Installation{Certificate: forged(other, "Other", root, issuing.cert.SubjectKeyId), Purpose: ca.Issuing},
			`the certificate of "Other" has the key identifier of "Issuing", and another key`},
		{"another key identifier", store.Installation{Certificate: forged(issuing, "Issuing", root, []byte("01234567890123456789")), Purpose: ca.Issuing},
			`the certificate of "Issuing" is for the key of "Issuing", and has another key identifier: its issuer has to keep that`},
		{"another name", store.Installation{Certificate: forged(issuing, "Somebody", root, issuing.cert.SubjectKeyId), Purpose: ca.Issuing},
			`the certificate of "Somebody" is for the key of "Issuing", and has another name`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mustSay(t, d.Install(t.Context(), tt.i), tt.want)
			d.mustPublish("Issuing, Root, list of Issuing (0), list of Root (0)")
			d.mustHaveSaid("found Issuing", "found Root")
		})
	}
}

func TestWhatIsAskedOfTheRootIsKeptUntilItIsAnswered(t *testing.T) {
	t.Parallel()
	d, issuing, root := twoTiers(t)
	ctx := t.Context()
	next, third := founded(t, ca.Issuing, "Next", root), founded(t, ca.Issuing, "Third", root)

	// A renewal needs no other key; asked twice it is the last that counts.
	mustSay(t, d.Await(ctx, next.request(t, "Next"), nil), "the request is not for the key of the store's authority")
	for range 2 {
		if err := d.Await(ctx, issuing.request(t, "Issuing"), nil); err != nil {
			t.Fatal(err)
		}
	}
	a := d.authorities()
	if a.Pending == nil || !a.Pending.IsAnsweredBy(issuing.cert) || filepath.Base(d.PendingKeyFile(a.Pending)) != "ca.key" {
		t.Errorf("pending is %+v", a.Pending)
	}
	mustSay(t, d.Await(ctx, next.request(t, "Next"), next.file), "another request of this authority awaits its answer: complete or cancel that one first")
	if got := d.files("authority"); slices.Contains(got, store.KeyFileName(next.id())) || slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, ".staged") }) {
		t.Errorf("the refused request left %q", got)
	}
	request := *issuing.cert
	renewed, err := d.signer(root).Issue(ctx, ca.Order{Purpose: ca.Issuing, NewGeneration: true, Request: must(t)(csr.FromCertificate(&request))})
	if err != nil {
		t.Fatal(err)
	}
	if a = d.authorities(); a.Pending != nil || !a.Current.Equal(renewed.Certificate) || !a.HasKey(a.Current) {
		t.Errorf("after the answer: %+v", a)
	}

	// A new key waits in a file of its own, and is the authority's from the answer on.
	if err := d.Await(ctx, next.request(t, "Next"), next.file); err != nil {
		t.Fatal(err)
	}
	if err := d.Await(ctx, third.request(t, "Third"), third.file); err == nil {
		t.Error("a second key is awaited")
	}
	a = d.authorities()
	if got, err := os.ReadFile(d.PendingKeyFile(a.Pending)); err != nil || string(got) != string(next.file) {
		t.Errorf("the key that waits is %q, %v", got, err)
	}
	d.install(store.Installation{Certificate: next.cert, Purpose: ca.Issuing, Above: []*x509.Certificate{root.cert}, Lists: []store.SignedList{next.list(t, begun)}})
	a = d.authorities()
	if a.Pending != nil || !a.Current.Equal(next.cert) || len(a.Earlier) != 1 || filepath.Base(d.KeyFile(a, next.cert)) != store.KeyFileName(next.id()) {
		t.Errorf("after the second answer: %+v", a)
	}
	if slices.Contains(d.files("authority"), "ca.csr") {
		t.Error("the request that was answered is still there")
	}
	d.mustPublish("Next, Issuing, Root, list of Next (0), list of Issuing (0), list of Root (0)")
}

func must(t testing.TB) func(csr.Request, error) csr.Request {
	return func(r csr.Request, err error) csr.Request {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
}

func TestARootRetiresWithTheLastAuthorityBelowIt(t *testing.T) {
	t.Parallel()
	root, second := founded(t, ca.Root, "Root", nil), founded(t, ca.Root, "Second Root", nil)
	one, two := founded(t, ca.Issuing, "One", root), founded(t, ca.Issuing, "Two", second)
	pending := one.request(t, "One")
	d := newHouse(t, nil, store.Founding{Name: "One", Pending: &pending, PendingKey: one.file})
	d.install(store.Installation{Certificate: one.cert, Purpose: ca.Issuing, Above: []*x509.Certificate{root.cert}, Lists: []store.SignedList{one.list(t, begun), root.list(t, begun)}})
	if err := d.Await(t.Context(), two.request(t, "Two"), two.file); err != nil {
		t.Fatal(err)
	}
	d.install(store.Installation{Certificate: two.cert, Purpose: ca.Issuing, Above: []*x509.Certificate{second.cert}, Lists: []store.SignedList{two.list(t, begun), second.list(t, begun)}})
	d.mustPublish("Two, One, Root, Second Root, list of Two (0), list of One (0), list of Root (0), list of Second Root (0)")
	if err := d.Retire(t.Context(), one.cert); err != nil {
		t.Fatal(err)
	}
	d.mustPublish("Two, Second Root, list of Two (0), list of Second Root (0)")

	// A root whose key is here stays: it is somebody's to use.
	house, issuing, _ := twoTiers(t)
	lone := founded(t, ca.Single, "Lone", nil)
	house.install(store.Installation{Certificate: lone.cert, Purpose: ca.Single, Key: lone.file, Lists: []store.SignedList{lone.list(t, begun)}})
	if err := house.Retire(t.Context(), issuing.cert); err != nil {
		t.Fatal(err)
	}
	house.mustPublish("Lone, Root, list of Lone (0), list of Root (0)")
}
