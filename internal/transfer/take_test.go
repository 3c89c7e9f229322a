package transfer_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/transfer"
)

// names returns the common names of certificates.
func names(certs []*x509.Certificate) string {
	var all []string
	for _, c := range certs {
		all = append(all, c.Subject.CommonName)
	}
	return strings.Join(all, ", ")
}

func TestAnAnswerBringsAllThatWasAskedHome(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	ctx := t.Context()
	r.field.wants("fts-1", "fts.example.org")
	alice := r.office.issue("alice", newKey(t))
	r.field.revoke(entry(alice))
	m, contents := r.field.ask()
	answer, parts := r.office.answer(m, contents)
	// Taken in again, as after a kill, it is the same.
	for range 2 {
		d, err := transfer.Open(ctx, r.field.Store, answer, parts)
		if err != nil {
			t.Fatal(err)
		}
		if d.IsGrave() || len(d.Refused) > 0 || names(d.Authorities) != "Office, Root" || len(d.Lists) != 2 || len(d.Update.Servers) != 1 || d.Update.Servers[0].Stem != "fts-1" {
			t.Errorf("the answer brings %+v", d)
		}
		served, err := r.field.Update(ctx, d.Update, false)
		if err != nil || !slices.Equal(served, []string{"fts.example.org"}) {
			t.Errorf("served is %q, %v", served, err)
		}
	}
	if records, err := r.field.Records(ctx); err != nil || len(records) != 2 {
		t.Errorf("the endpoint knows %v, %v", records, err)
	}
	standing, err := r.office.Standing(ctx)
	if err != nil || len(standing.InForce) != 1 {
		t.Errorf("at the office %v are revoked, %v", standing.InForce, err)
	}
	if m, _ := r.field.ask(); len(m.Items) != 2 || m.Items[1].Kind != transfer.News {
		t.Errorf("what was answered is asked again: %+v", m.Items)
	}
}

func TestHostileAnswersToAnEndpointAreRefused(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	r.field.wants("fts-1", "fts.example.org")
	r.field.wants("relay-1", "relay.example.org")
	m, contents := r.field.ask()
	answer, parts := r.office.answer(m, contents)
	// What is in force at the endpoint is as new as the answer.
	if _, err := r.field.Update(t.Context(), store.Update{Lists: parts[item(t, answer, transfer.Lists)]}, false); err != nil {
		t.Fatal(err)
	}
	stranger := founded(t, ca.Root, "Root", nil)
	other := founded(t, ca.Issuing, "Office", stranger)
	servers := []int{}
	for i, it := range answer.Items {
		if it.Kind == transfer.Certificate {
			servers = append(servers, i)
		}
	}
	first, second, authorities, lists := servers[0], servers[1], item(t, answer, transfer.Authorities), item(t, answer, transfer.Lists)
	chain := certificates(t, parts[first])
	rings := func() []byte {
		// Two that signed each other stand on nothing.
		one, two := founded(t, ca.Issuing, "One", stranger), founded(t, ca.Issuing, "Two", stranger)
		onesCert := forged(t, one.cert, one.key.Public(), two, nil)
		return certPEM(onesCert, forged(t, two.cert, two.key.Public(), &party{cert: onesCert, key: one.key}, nil))
	}
	set := func(i int, content []byte) func([]transfer.Item, [][]byte) {
		return func(_ []transfer.Item, contents [][]byte) { contents[i] = content }
	}
	tests := []struct {
		name   string
		change func(items []transfer.Item, contents [][]byte)
		want   string
	}{
		{"a certificate for another key", set(first, certPEM(r.office.issue("mallory", newKey(t)), r.office.cert, r.root.cert)),
			`item 1, certificate: the certificate of "mallory" is not for the key of the request fts-1.csr`},
		{"certificates that were swapped", func(_ []transfer.Item, contents [][]byte) {
			contents[first], contents[second] = contents[second], contents[first]
		},
			`item 1, certificate: the certificate of "relay.example.org" is not for the key of the request fts-1.csr`},
		{"the certificate of an authority", set(first, certPEM(forged(t, other.cert, chain[0].PublicKey, r.office, nil))),
			`item 1, certificate: the certificate of "Office" is an authority's, and fts-1.csr does not ask for that`},
		{"a certificate that a stranger signed", set(first, certPEM(forged(t, chain[0], chain[0].PublicKey, other, nil), r.office.cert, r.root.cert)),
			`the certificate of "fts.example.org" is not signed by an authority of this endpoint`},
		{"a stranger behind the certificate", set(first, certPEM(chain[0], other.cert, stranger.cert)),
			`the certificate of "fts.example.org" comes with that of "Office", which is no authority of this endpoint`},
		{"a certificate that is none", set(first, []byte("no certificate")), `item 1, certificate: it is not a file of certificates alone`},
		{"a list in the place of a certificate", set(first, r.office.list(made)), `item 1, certificate: it holds a block "X509 CRL" that is no certificate`},
		{"a certificate in the place of news", func(items []transfer.Item, _ [][]byte) { items[lists].Kind = transfer.Certificate },
			`item 4, certificate: it does not answer an item of the kind "news"`},
		{"lists in the place of a certificate", func(items []transfer.Item, _ [][]byte) { items[first].Kind = transfer.Lists },
			`item 1, lists: it does not answer an item of the kind "request"`},
		{"an authority's certificate for a server", func(items []transfer.Item, _ [][]byte) { items[first].Kind = transfer.AuthorityCertificate },
			`item 1, ca-certificate: it does not answer an item of the kind "request"`},
		{"a kind that nobody knows", func(items []transfer.Item, _ [][]byte) { items[first].Kind = "keys" },
			`item 1, keys: it does not answer an item of the kind "request"`},
		{"an older list", set(lists, r.office.list(made.Add(-time.Hour))),
			fmt.Sprintf(`the revocation list of "Office" has the number %d, and the one in force is newer (NUMBER)`, made.Add(-time.Hour).UnixNano())},
		{"a stranger's list", set(lists, other.list(made.Add(time.Hour))), `the revocation lists: there is one that none of the authorities has signed`},
		{"a stranger's list behind a good one", set(lists, append(bytes.Clone(parts[lists]), other.list(made.Add(time.Hour))...)),
			`the revocation lists: there is one that none of the authorities has signed`},
		{"a list under another name", set(lists, bytes.ReplaceAll(parts[lists], []byte("X509 CRL"), []byte("CERTIFICATE"))),
			`the revocation lists: they are not a file of revocation lists alone`},
		{"something behind the lists", set(lists, append(bytes.Clone(parts[lists]), "and more"...)), `the revocation lists: they are not a file of revocation lists alone`},
		{"a list that is none", set(lists, certPEM(r.office.cert)), `the revocation lists: they are not a file of revocation lists alone`},
		{"none of the known authorities", set(authorities, certPEM(other.cert, stranger.cert)),
			"none of the authorities in the answer is one that this store knows: it comes from elsewhere"},
		{"an authority whose root is not there", set(authorities, certPEM(r.office.cert, r.root.cert, other.cert)), `nobody here has signed the certificate of the authority "Office"`},
		{"authorities that signed each other", set(authorities, append(certPEM(r.office.cert, r.root.cert), rings()...)),
			`nobody here has signed the certificate of the authority "One"`},
		{"a certificate for a known key that a stranger signed", set(authorities, certPEM(forged(t, r.office.cert, r.office.key.Public(), other, nil), r.root.cert)),
			`nobody here has signed the certificate of the authority "Office"`},
		{"a root's certificate that its key did not sign", set(authorities, certPEM(r.office.cert, forged(t, r.root.cert, r.root.key.Public(), other, func(c *x509.Certificate) {
			c.NotAfter = c.NotAfter.AddDate(1, 0, 0)
		}))), `nobody here has signed the certificate of the authority "Root"`},
		{"the root alone", set(authorities, certPEM(r.root.cert)),
			`it comes from the root "Root", and an endpoint asks the authority that issues to its clients`},
		{"a client among the authorities", set(authorities, certPEM(r.office.cert, r.root.cert, r.office.issue("trudy", newKey(t)))),
			`the certificate of "trudy" is no authority's`},
		{"broken revocations", func(items []transfer.Item, contents [][]byte) {
			items[lists].Kind, contents[lists] = transfer.Revoked, []byte(`{"revoked_certificate": []}`)
		}, `item 4, revoked: line 1, column 1: the list has no "revoked_certificates", and may not be taken for an empty one`},
		{"an answer to nothing", func(items []transfer.Item, _ [][]byte) {
			items[first].Answers = "request-00009-request-0123456789abcdef"
		},
			"item 1 was not asked for: it answers request-00009-request-0123456789abcdef, which the request does not have"},
	}
	number := regexp.MustCompile(`newer \(\d+\)`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hostile, contents := changed(t, answer, parts, tt.change)
			d, err := transfer.Open(t.Context(), r.field.Store, hostile, contents)
			if err == nil {
				t.Fatalf("it is taken: %+v", d)
			}
			if got := number.ReplaceAllString(err.Error(), "newer (NUMBER)"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if d != nil {
				t.Error("something comes with the error")
			}
		})
	}
}

// certificates reads certificates in PEM.
func certificates(t testing.TB, data []byte) []*x509.Certificate {
	t.Helper()
	var all []*x509.Certificate
	for _, der := range blocks(data) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, cert)
	}
	return all
}

func TestOnlyThePersonWithTheWordsCanVouchForAStrangerOrTheEndOfAnAuthority(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	m, contents := r.field.ask()
	answer, parts := r.office.answer(m, contents)
	authorities, lists := item(t, answer, transfer.Authorities), item(t, answer, transfer.Lists)
	next := founded(t, ca.Single, "Next", nil)
	stranger := founded(t, ca.Root, "New Root", nil)
	below := founded(t, ca.Issuing, "New Office", stranger)
	sister := founded(t, ca.Issuing, "Sister", r.root)
	with := func(text []byte) func([]transfer.Item, [][]byte) {
		return func(_ []transfer.Item, contents [][]byte) {
			contents[authorities] = append(certPEM(r.office.cert, r.root.cert), text...)
		}
	}
	revoked := func(e crl.Entry) func([]transfer.Item, [][]byte) {
		return func(items []transfer.Item, contents [][]byte) {
			l := crl.NewList()
			l.Add(e)
			items[lists].Kind, contents[lists] = transfer.Revoked, l.Bytes()
		}
	}
	anyone := entry(r.office.cert)
	anyone.Issuer = ""
	foreign := entry(r.office.cert)
	foreign.Issuer = strings.Repeat("ee", 20)
	rootRenewed, err := ca.Renew(r.root.cert, r.root.key, 0, made.AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name                 string
		change               func([]transfer.Item, [][]byte)
		strangers, condemned string
	}{
		{"nothing new", func([]transfer.Item, [][]byte) {}, "", ""},
		{"a root renewed with its key", with(certPEM(rootRenewed)), "", ""},
		{"another authority of the known root", with(sister.pem()), "", ""},
		{"another authority that is its own root", with(next.pem()), "Next", ""},
		{"another root and one below", with(certPEM(below.cert, stranger.cert)), "New Office, New Root", ""},
		{"a namesake of the root", with(founded(t, ca.Root, "Root", nil).pem()), "Root", ""},
		{"a list that revokes the endpoint's authority", revoked(entry(r.office.cert)), "", "Office"},
		{"whoever issued it", revoked(anyone), "", "Office"},
		{"one that another authority issued", revoked(foreign), "", ""},
		{"a list that revokes the root", revoked(entry(r.root.cert)), "", "Root"},
		{"the root's signed list", func(_ []transfer.Item, contents [][]byte) {
			contents[lists] = r.root.list(made.Add(time.Hour), entry(r.office.cert))
		}, "", "Office"},
		{"a signed list that cannot speak for the root", func(_ []transfer.Item, contents [][]byte) {
			e := entry(r.office.cert)
			e.Issuer = ""
			contents[lists] = r.office.list(made.Add(time.Hour), e)
		}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			other, contents := changed(t, answer, parts, tt.change)
			d, err := transfer.Open(t.Context(), r.field.Store, other, contents)
			if err != nil {
				t.Fatal(err)
			}
			if names(d.Strangers) != tt.strangers || names(d.Condemned) != tt.condemned || d.IsGrave() != (tt.strangers+tt.condemned != "") {
				t.Errorf("strangers are %q, condemned %q, grave %v", names(d.Strangers), names(d.Condemned), d.IsGrave())
			}
		})
	}
	// What was in force before is no news.
	r.field.revoke(entry(r.office.cert))
	other, contents := changed(t, answer, parts, revoked(entry(r.office.cert)))
	if d, err := transfer.Open(t.Context(), r.field.Store, other, contents); err != nil || d.IsGrave() {
		t.Errorf("revoked before: %+v, %v", d, err)
	}
}

func TestAnAnswerCountsForTheLastRequestAlone(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	ctx := t.Context()
	m, contents := r.field.ask()
	if again, _ := r.field.ask(); text(t, again) != text(t, m) {
		t.Error("the same asked again is another request")
	}
	answer, parts := r.office.answer(m, contents)
	r.field.wants("fts-1", "fts.example.org")
	later, _ := r.field.ask()
	if text(t, later) == text(t, m) {
		t.Fatal("the request is the same")
	}
	_, err := transfer.Open(ctx, r.field.Store, answer, parts)
	asked, err1 := m.Sum()
	waits, err2 := later.Sum()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("it answers another request (%x…) than the one that waits (%x…)", asked[:8], waits[:8]); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, ok := errors.AsType[*transfer.StaleError](err); !ok {
		t.Errorf("it is a %T", err)
	}
	// Nor for a store that asked nothing, or whose memory was replaced.
	elsewhere := r.office.carried()
	if err := os.Remove(elsewhere.TransferFile()); err == nil {
		t.Error("the memory of a request was carried with the room")
	}
	if _, err := transfer.Open(ctx, elsewhere.Store, answer, parts); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "looking for what was asked: ") {
		t.Errorf("a store that asked nothing: %v", err)
	}
	if err := os.WriteFile(r.field.TransferFile(), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = transfer.Open(ctx, r.field.Store, answer, parts)
	if want := "what was asked, in " + r.field.TransferFile() + ": it has no array of items"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, contents, err := transfer.Collect(ctx, r.field.Store, made); err != nil || len(contents) != 2 {
		t.Errorf("a memory that cannot be read stops the next request: %v", err)
	}
	// A request that is gone is answered by nothing.
	r.field.ask()
	m, contents = r.field.ask()
	answer, parts = r.office.answer(m, contents)
	if err := os.Remove(filepath.Join(r.field.Endpoint(), "fts-1.csr")); err != nil {
		t.Fatal(err)
	}
	_, err = transfer.Open(ctx, r.field.Store, answer, parts)
	if want := `item 1, certificate: the request that the certificate of "fts.example.org" answers is no longer in ` + r.field.Endpoint(); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestAPendingAuthorityIsToldWhoseAnswerItGets(t *testing.T) {
	t.Parallel()
	root, stranger := founded(t, ca.Root, "Root", nil), founded(t, ca.Root, "Root", nil)
	office := founded(t, ca.Issuing, "Office", root)
	pending := pendingOf(t, office, "Office")
	waiting := office.house(store.Founding{Name: "Office", Pending: &pending, PendingKey: office.file})
	root = root.house(store.Founding{Authorities: []store.Founder{root.founder(ca.Root)}})
	m, contents := waiting.ask()
	answer, parts := root.answer(m, contents)
	d, err := transfer.Open(t.Context(), waiting.Store, answer, parts)
	if err != nil || names(d.Strangers) != "Root" || !d.Strangers[0].Equal(root.cert) {
		t.Errorf("the first root is %+v, %v", d, err)
	}
	// Also where nothing but the certificate itself comes.
	at := item(t, answer, transfer.AuthorityCertificate)
	signed, err := x509.ParseCertificate(blocks(parts[at])[0])
	if err != nil {
		t.Fatal(err)
	}
	alone, parts := reply(t, m, answer.Items[at:at+1], [][]byte{append(certPEM(forged(t, signed, office.key.Public(), stranger, nil)), stranger.pem()...)})
	d, err = transfer.Open(t.Context(), waiting.Store, alone, parts)
	if err != nil || len(d.Strangers) != 1 || !d.Strangers[0].Equal(stranger.cert) || !d.IsGrave() {
		t.Errorf("the strange root is %+v, %v", d, err)
	}

	// Below a root that is known, the root's own is no stranger, and what it revokes is shown.
	r := newRegion(t)
	m, contents = r.office.ask()
	answer, parts = r.root.answer(m, contents)
	if d, err = transfer.Open(t.Context(), r.office.Store, answer, parts); err != nil || d.IsGrave() || len(d.Lists) != 1 {
		t.Errorf("the root's news are %+v, %v", d, err)
	}
	lists := item(t, answer, transfer.Lists)
	answer, parts = changed(t, answer, parts, func(_ []transfer.Item, contents [][]byte) {
		contents[lists] = r.root.list(made.Add(time.Hour), entry(r.office.cert))
	})
	if d, err = transfer.Open(t.Context(), r.office.Store, answer, parts); err != nil || names(d.Condemned) != "Office" {
		t.Errorf("the end of the office is %+v, %v", d, err)
	}
}

func TestARootIsAskedOnlyAboutWhatItIssued(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	alice := r.office.issue("alice", newKey(t))
	unnamed := entry(r.office.cert)
	unnamed.Issuer = ""
	r.office.revoke(entry(alice), unnamed, crl.Entry{Serial: crl.SerialOf(big.NewInt(0xabc)), Date: made})
	m, contents := r.office.ask()
	if got, err := crl.Parse(contents[item(t, m, transfer.Revocations)]); err != nil || got.Len() != 1 || got.Entries()[0].Serial != unnamed.Serial {
		t.Errorf("asked is %s, %v", contents[0], err)
	}
	single := founded(t, ca.Single, "Single", nil)
	single = single.house(store.Founding{Authorities: []store.Founder{single.founder(ca.Single)}})
	_, _, err := transfer.Collect(t.Context(), single.Store, made)
	if want := "this store's authority is its own root: it has nobody to ask"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
