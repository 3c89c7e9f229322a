package store_test

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/testpki"
)

// endpointOf carries the endpoint's room of a store to another machine.
func endpointOf(t testing.TB, d *desk) *desk {
	t.Helper()
	away := &desk{t: t, dir: filepath.Join(t.TempDir(), "field"), now: d.now}
	if err := os.CopyFS(filepath.Join(away.dir, "endpoint"), os.DirFS(d.Endpoint())); err != nil {
		t.Fatal(err)
	}
	var err error
	if away.Store, err = store.Open(away.dir, away.options()); err != nil {
		t.Fatal(err)
	}
	return away
}

func (d *desk) put(name string, data []byte) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.Endpoint(), name), data, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) update(u store.Update, preset bool, served ...string) {
	d.t.Helper()
	got, err := d.Update(d.t.Context(), u, preset)
	if err != nil || !slices.Equal(got, served) {
		d.t.Errorf("served is %q, %v; want %q", got, err, served)
	}
}

// names returns the names on the endpoint's list of what was issued.
func (d *desk) names() string {
	d.t.Helper()
	records, err := d.Records(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	var names []string
	for _, r := range records {
		names = append(names, r.Name)
	}
	return strings.Join(names, " ")
}

func TestAnEndpointLearnsWhatWasIssued(t *testing.T) {
	t.Parallel()
	d, _, _ := twoTiers(t)
	d.issue("alice")
	away := endpointOf(t, d)
	early := d.read("endpoint/issued.jsonl")
	d.issue("bob")
	late := d.read("endpoint/issued.jsonl")
	for range 2 {
		away.update(store.Update{Issued: late}, false)
		if got := away.read("endpoint/issued.jsonl"); !bytes.Equal(got, late) {
			t.Errorf("the list is %s\nwant %s", got, late)
		}
	}
	// Neither a repetition nor an older answer takes away or doubles anything.
	away.update(store.Update{Issued: slices.Concat(early, late, late)}, false)
	away.update(store.Update{Issued: early}, false)
	if got := away.read("endpoint/issued.jsonl"); !bytes.Equal(got, late) {
		t.Errorf("the list is %s\nwant %s", got, late)
	}
	// A line that a kill cut short swallows no other.
	away.put("issued.jsonl", early[:len(early)/2])
	away.update(store.Update{Issued: late}, false)
	if got := away.names(); got != "alice bob" {
		t.Errorf("the endpoint knows %q", got)
	}
	_, err := away.Update(t.Context(), store.Update{Issued: []byte("no record\n")}, false)
	if err == nil || !strings.HasPrefix(err.Error(), "what was issued: reading the ledger's index: ") {
		t.Errorf("a line that is no record: %v", err)
	}
	_, err = d.Update(t.Context(), store.Update{}, false)
	mustSay(t, err, "this store has its authority, which publishes by itself")
}

func TestAnEndpointsRevocationsOnlyAdd(t *testing.T) {
	t.Parallel()
	d, issuing, root := twoTiers(t)
	d.revoke(entryOf(1, begun))
	if _, err := d.SignCRL(t.Context(), store.Signing{}, d.authority); err != nil {
		t.Fatal(err)
	}
	away := endpointOf(t, d)
	away.revoke(entryOf(2, begun))
	away.update(store.Update{Revoked: []crl.Entry{entryOf(3, begun)}}, false)
	away.update(store.Update{}, false)
	list, err := crl.Parse(away.read("endpoint/FTS_CRL.json"))
	if err != nil || list.Len() != 3 {
		t.Errorf("%d are revoked, %v", list.Len(), err)
	}
	whole := "Issuing, Root, list of Issuing (1), list of Root (0)"
	away.mustPublish(whole)
	newer := root.list(t, begun.Add(time.Hour), entryOf(0xa, begun))
	// Whatever part of the authority's files comes, no list is lost, and none gives way to an older one.
	for _, u := range []store.Update{
		{Authorities: []*x509.Certificate{issuing.cert, root.cert}},
		{Lists: root.list(t, begun.Add(-time.Hour)).PEM},
		{Authorities: []*x509.Certificate{issuing.cert, root.cert}, Lists: root.list(t, begun.Add(-time.Hour)).PEM},
		{Lists: founded(t, ca.Root, "Root", nil).list(t, begun.Add(time.Hour)).PEM},
	} {
		away.update(u, false)
		away.mustPublish(whole)
	}
	away.update(store.Update{Lists: newer.PEM}, false)
	away.mustPublish("Issuing, Root, list of Issuing (1), list of Root (1)")
	next := founded(t, ca.Issuing, "Next", root)
	renewed := root.renewed(t, begun.AddDate(1, 0, 0))
	away.update(store.Update{Authorities: []*x509.Certificate{next.cert, issuing.cert, renewed.cert, root.cert}, Lists: next.list(t, begun).PEM}, false)
	away.mustPublish("Next, Issuing, Root, Root, list of Next (0), list of Issuing (1), list of Root (1)")
	if n := away.ListNumber(root.cert); n == nil || n.Cmp(d.ListNumber(root.cert)) <= 0 {
		t.Errorf("the root's list has the number %v", n)
	}
}

// serverFor has the authority answer a request of the endpoint's, whose key and request lie there under a stem.
func serverFor(t testing.TB, d, away *desk, purpose ca.Purpose, name, stem string) (store.ServerCertificate, []byte) {
	t.Helper()
	key, file := newKey(t)
	hosts := map[ca.Purpose][]string{ca.Server: {name}}[purpose]
	r, err := csr.New(key.Public(), csr.Subject{CommonName: name}, hosts)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := d.authority.Issue(t.Context(), ca.Order{Purpose: purpose, Request: r, NewGeneration: true})
	if err != nil {
		t.Fatal(err)
	}
	away.put(stem+".key", file)
	return store.ServerCertificate{Stem: stem, Chain: append([]*x509.Certificate{entry.Certificate}, d.authority.Chain()...)}, file
}

func TestACertificateIsServedWhereItIsTheServers(t *testing.T) {
	t.Parallel()
	d, issuing, _ := twoTiers(t)
	away := endpointOf(t, d)
	serves := func(name string, key []byte) {
		t.Helper()
		if got := certificates(t, away.read("endpoint/server.pem")); len(got) != 2 || got[0].Subject.CommonName != name || !got[1].Equal(issuing.cert) {
			t.Errorf("server.pem has %d certificates, the first of %v", len(got), got[0].Subject)
		}
		if !bytes.Equal(away.read("endpoint/server.key"), key) {
			t.Error("server.key is another's")
		}
		if info, err := os.Stat(filepath.Join(away.Endpoint(), "server.key")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("server.key: %v, %v", info.Mode(), err)
		}
	}
	// A client's key may be made in this room; it serves nobody.
	laptop, _ := serverFor(t, d, away, ca.Client, "laptop", "laptop-1")
	away.update(store.Update{Servers: []store.ServerCertificate{laptop}}, false)
	away.update(store.Update{Servers: []store.ServerCertificate{laptop}}, true)
	if slices.Contains(away.files("endpoint"), "server.pem") || !slices.Contains(away.files("endpoint"), "laptop-1.pem") {
		t.Errorf("a client's certificate led to %q", away.files("endpoint"))
	}
	first, firstKey := serverFor(t, d, away, ca.Server, "fts.example.org", "fts-1")
	away.update(store.Update{Servers: []store.ServerCertificate{first}}, false, "fts.example.org")
	serves("fts.example.org", firstKey)
	// Another name's waits beside, until it is chosen; the same name's takes the place at once.
	other, otherKey := serverFor(t, d, away, ca.Server, "relay.example.org", "relay-1")
	away.update(store.Update{Servers: []store.ServerCertificate{other}}, false)
	serves("fts.example.org", firstKey)
	again, againKey := serverFor(t, d, away, ca.Server, "fts.example.org", "fts-2")
	away.update(store.Update{Servers: []store.ServerCertificate{again, other}}, false, "fts.example.org")
	serves("fts.example.org", againKey)
	away.update(store.Update{Servers: []store.ServerCertificate{other}}, true, "relay.example.org")
	serves("relay.example.org", otherKey)
	// Killed between key and certificate: run again, it completes.
	away.put("server.key", againKey)
	away.update(store.Update{Servers: []store.ServerCertificate{other}}, true, "relay.example.org")
	serves("relay.example.org", otherKey)

	_, err := away.Update(t.Context(), store.Update{Servers: []store.ServerCertificate{{Stem: "gone", Chain: first.Chain}}}, true)
	if err == nil || !strings.HasPrefix(err.Error(), "reading the key of the request: ") {
		t.Errorf("without its key: %v", err)
	}
	serves("relay.example.org", otherKey)
}

func certificates(t testing.TB, data []byte) []*x509.Certificate {
	t.Helper()
	var certs []*x509.Certificate
	for _, der := range blocks(data) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, cert)
	}
	return certs
}

func TestALinkInPlaceOfAKeyOrListIsNotFollowed(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		testpki.Lack(t, "symbolic links without a privilege")
	}
	d, _, _ := twoTiers(t)
	away := endpointOf(t, d)
	private := filepath.Join(t.TempDir(), "private")
	if err := os.WriteFile(private, []byte("for root alone\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server, _ := serverFor(t, d, away, ca.Server, "fts.example.org", "fts-1")
	for _, name := range []string{"fts-1.key", "issued.jsonl"} {
		if err := os.Remove(filepath.Join(away.Endpoint(), name)); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(private, filepath.Join(away.Endpoint(), name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, u := range []store.Update{{Servers: []store.ServerCertificate{server}}, {Issued: d.read("endpoint/issued.jsonl"), Revoked: []crl.Entry{entryOf(1, begun)}}} {
		_, err := away.Update(t.Context(), u, true)
		if err == nil || !strings.HasSuffix(err.Error(), "it is no regular file") {
			t.Errorf("through a link: %v", err)
		}
	}
	for _, name := range away.files("endpoint") {
		if info, err := os.Lstat(filepath.Join(away.Endpoint(), name)); err == nil && info.Mode().IsRegular() &&
			bytes.Contains(away.read(filepath.Join("endpoint", name)), []byte("for root alone")) {
			t.Errorf("%s publishes what the link led to", name)
		}
	}
}
