package store_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
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
)

// listed returns the serials on each authority's list in FTS_CRL.pem, by the authority's name.
func (d *desk) listed() map[string][]string {
	d.t.Helper()
	all := map[string][]string{}
	for _, der := range blocks(d.read("endpoint/FTS_CRL.pem")) {
		list, err := crl.ParseX509(der)
		if err != nil {
			d.t.Fatal(err)
		}
		serials := []string{}
		for _, e := range list.Entries {
			serials = append(serials, e.Serial.String())
		}
		slices.Sort(serials)
		all[issuerOf(d.t, der)] = serials
	}
	return all
}

func serialOf(cert *x509.Certificate) crl.Serial { return crl.SerialOf(cert.SerialNumber) }

func sorted(serials ...crl.Serial) []string {
	words := []string{}
	for _, s := range serials {
		words = append(words, s.String())
	}
	slices.Sort(words)
	return words
}

// earlierBelow has the root of a store issue to an authority of another key, which is the store's current one then.
func (d *desk) rollOver(root *party, name string) *party {
	d.t.Helper()
	p := &party{}
	p.key, p.file = newKey(d.t)
	entry, err := d.signer(root).Issue(d.t.Context(), ca.Order{Purpose: ca.Issuing, Request: must(d.t)(csr.New(p.key.Public(), csr.Subject{CommonName: name}, nil)),
		Pack: func(e ca.Entry) ([]ca.Product, error) {
			return []ca.Product{{Room: ca.Keys, Name: store.KeyFileName(crl.KeyID(e.Certificate)), Data: p.file, Mode: 0o600}}, nil
		}})
	if err != nil {
		d.t.Fatal(err)
	}
	p.cert, d.key = entry.Certificate, p.key
	d.reopen()
	return p
}

func TestEachRevocationStandsOnItsIssuersListAlone(t *testing.T) {
	t.Parallel()
	d, issuing, root := twoTiers(t)
	alice := d.issue("alice").Certificate
	next := d.rollOver(root, "Next")
	bob := d.issue("bob").Certificate
	unknown, named, foreign := entryOf(0xabc, begun), entryOf(0xdef, begun), entryOf(0x123, begun)
	named.Issuer = next.id()
	foreign.Issuer = strings.Repeat("ee", 20)
	d.revoke(crl.Entry{Serial: serialOf(alice), Date: begun}, crl.Entry{Serial: serialOf(bob), Date: begun},
		crl.Entry{Serial: serialOf(issuing.cert), Issuer: root.id(), Date: begun}, unknown, named, foreign)
	p, err := d.SignCRL(t.Context(), store.Signing{}, d.signer(next), d.signer(issuing), d.signer(root))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"Next":    sorted(serialOf(bob), unknown.Serial, named.Serial),
		"Issuing": sorted(serialOf(alice), unknown.Serial),
		"Root":    sorted(serialOf(issuing.cert), unknown.Serial),
	}
	if got := d.listed(); !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the lists are %v\nwant          %v", got, want)
	}
	if len(p.Lists) != 3 || p.Lists[0].Authority != "Next" || p.Lists[0].Entries != 3 || p.Lists[2].Entries != 2 {
		t.Errorf("told is %+v", p.Lists)
	}
	d.mustPublish("Next, Issuing, Root, list of Next (3), list of Issuing (2), list of Root (2)")
	of, nobodys, err := d.RevokedOf(t.Context(), issuing.cert)
	if err != nil || len(of) != 1 || of[0].Serial != serialOf(alice) || len(nobodys) != 1 || nobodys[0].Serial != unknown.Serial {
		t.Errorf("of Issuing %v, of nobody %v, %v", of, nobodys, err)
	}
}

func TestNumbersRiseForEachAuthorityAndAlsoForOneThatSignsSeldom(t *testing.T) {
	t.Parallel()
	d, issuing, root := twoTiers(t)
	last := map[string]*big.Int{}
	sign := func(by ...*party) {
		t.Helper()
		var signers []*ca.Authority
		for _, p := range by {
			signers = append(signers, d.signer(p))
		}
		p, err := d.SignCRL(t.Context(), store.Signing{}, signers...)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range p.Lists {
			if before := last[l.Authority]; before != nil && l.Number.Cmp(before) <= 0 {
				t.Errorf("the list of %s has the number %s after %s", l.Authority, l.Number, before)
			}
			last[l.Authority] = l.Number
		}
	}
	sign(issuing, root)
	sign(issuing)
	d.now = d.now.Add(-9 * time.Minute)
	sign(issuing, root)
	d.now = d.now.Add(time.Hour)
	sign(root)
	// A list that was signed elsewhere counts, too.
	ahead := root.list(t, d.now.AddDate(1, 0, 0), entryOf(5, begun))
	if err := d.TakeLists(t.Context(), []store.SignedList{ahead}); err != nil {
		t.Fatal(err)
	}
	parsed, err := crl.ParseX509(ahead.PEM)
	if err != nil {
		t.Fatal(err)
	}
	last["Root"] = parsed.Number
	sign(root)
	d.reopen()
	sign(issuing, root)
}

func TestOnlyNewerListsOfTheirAuthoritiesAreTaken(t *testing.T) {
	t.Parallel()
	d, issuing, root := twoTiers(t)
	ctx := t.Context()
	newer, older := root.list(t, begun.Add(time.Hour), entryOf(5, begun)), root.list(t, begun.Add(-time.Hour))
	if err := d.TakeLists(ctx, []store.SignedList{newer}); err != nil {
		t.Fatal(err)
	}
	d.mustPublish("Issuing, Root, list of Issuing (0), list of Root (1)")
	if err := d.TakeLists(ctx, []store.SignedList{older}); err != nil {
		t.Fatal(err)
	}
	d.mustPublish("Issuing, Root, list of Issuing (0), list of Root (1)")
	if got, err := d.SignedList(ctx, root.cert); err != nil || !bytes.Equal(got, newer.PEM) {
		t.Errorf("the list that is kept is %q, %v", got, err)
	}
	stranger := founded(t, ca.Root, "Root", nil).list(t, begun.Add(2*time.Hour))
	stranger.Authority = root.cert
	mustSay(t, d.TakeLists(ctx, []store.SignedList{stranger}),
		`the revocation list of "Root": the revocation list is not signed by "CN=Root": x509: ECDSA verification failure`)
	swapped := issuing.list(t, begun.Add(2*time.Hour))
	swapped.Authority = root.cert
	mustSay(t, d.TakeLists(ctx, []store.SignedList{swapped}), `the revocation list of "Root": the revocation list is that of "CN=Issuing", not of "CN=Root"`)
	d.mustPublish("Issuing, Root, list of Issuing (0), list of Root (1)")
}

func TestAWrongClockStopsSigningButNoUrgentList(t *testing.T) {
	t.Parallel()
	d, issuing, root := twoTiers(t)
	ctx := t.Context()
	d.now = begun.AddDate(0, 1, 0)
	d.issue("alice")
	right := d.now
	d.now = begun.AddDate(-2, 0, 0)
	d.revoke(entryOf(9, begun))
	_, err := d.SignCRL(ctx, store.Signing{}, d.signer(issuing), d.signer(root))
	mustSay(t, err, "the clock shows 2024-06-01T12:00:00Z, and the ledger's last entry is of 2026-07-01T12:00:00Z")
	var wrong *ca.ClockError
	if !errors.As(err, &wrong) {
		t.Errorf("it is a %T", err)
	}
	mustSay(t, d.CheckClock(ctx), "the clock shows 2024-06-01T12:00:00Z, and the ledger's last entry is of 2026-07-01T12:00:00Z")
	d.mustPublish("Issuing, Root, list of Issuing (0), list of Root (0)")

	if _, err := d.SignCRL(ctx, store.Signing{Urgent: true}, d.signer(issuing)); err != nil {
		t.Fatal(err)
	}
	list, err := crl.ParseX509(d.read("endpoint/FTS_CRL.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if want := right.AddDate(0, 0, ca.DefaultCRLDays); !list.NextUpdate.Equal(want) || list.ThisUpdate.After(right) || len(list.Entries) != 1 {
		t.Errorf("the urgent list is of %s, until %s, with %d entries; want until %s", list.ThisUpdate, list.NextUpdate, len(list.Entries), want)
	}
	trail, err := d.Audit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if e := trail[len(trail)-1]; e.Act != "sign-crl" || !strings.HasSuffix(e.Detail, "; the clock shows 2024-06-01T12:00:00Z, and the ledger's last entry is of 2026-07-01T12:00:00Z") {
		t.Errorf("the audit trail says %+v", e)
	}

	// A clock before the program was built is as wrong; with the clock ignored all is signed, and said.
	o := d.options()
	d.now, o.Built = right, right.AddDate(1, 0, 0)
	built, err := store.Open(d.dir, o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = built.SignCRL(ctx, store.Signing{}, d.signer(issuing))
	mustSay(t, err, "the clock shows 2026-07-01T12:00:00Z, and this program was built on 2027-07-01T12:00:00Z")
	if _, err := built.SignCRL(ctx, store.Signing{Urgent: true}, d.signer(issuing)); err != nil {
		t.Fatal(err)
	}
	if list, err = crl.ParseX509(d.read("endpoint/FTS_CRL.pem")); err != nil || !list.NextUpdate.Equal(o.Built.AddDate(0, 0, ca.DefaultCRLDays)) {
		t.Errorf("until %s, %v", list.NextUpdate, err)
	}
	o.IgnoreClock = true
	if built, err = store.Open(d.dir, o); err != nil {
		t.Fatal(err)
	}
	if err := built.CheckClock(ctx); err != nil {
		t.Error(err)
	}
	if _, err := built.SignCRL(ctx, store.Signing{}, d.signer(issuing)); err != nil {
		t.Error(err)
	}
	if said := d.said(); said[len(said)-1] != "sign-crl Issuing" {
		t.Errorf("the audit trail says %q", said)
	}
}

func TestWhatAnotherProgramRevokedIsReadBackFromEveryAuthoritysList(t *testing.T) {
	t.Parallel()
	d, issuing, root := twoTiers(t)
	next := d.rollOver(root, "Next")
	if _, err := d.SignCRL(t.Context(), store.Signing{}, d.signer(next), d.signer(issuing), d.signer(root)); err != nil {
		t.Fatal(err)
	}
	clean := d.read("endpoint/ca.pem")
	write := func(parts ...[]byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(d.Endpoint(), "ca.pem"), bytes.Join(parts, nil), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sign := func() store.Publication {
		t.Helper()
		p, err := d.SignCRL(t.Context(), store.Signing{}, d.signer(next), d.signer(issuing), d.signer(root))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	// As a FreeTAKServer does: the same number, one entry more, of the authority that it knows.
	write(clean, issuing.list(t, begun, entryOf(0xa1, begun)).PEM, next.list(t, begun, entryOf(0xa2, begun)).PEM)
	p := sign()
	if len(p.Taken) != 2 || p.SetAside != "" {
		t.Errorf("taken %v, set aside %q", p.Taken, p.SetAside)
	}
	for _, serial := range []int64{0xa1, 0xa2} {
		if list, err := crl.Parse(d.read("endpoint/FTS_CRL.json")); err != nil || !list.Contains(entryOf(serial, begun).Serial, "") {
			t.Errorf("%x is not on the list, %v", serial, err)
		}
	}
	if got := d.listed(); len(got["Next"]) != 2 || len(got["Issuing"]) != 2 || len(got["Root"]) != 2 {
		t.Errorf("the lists are %v", got)
	}
	// What a stranger signed is kept apart, and revokes nobody.
	theirs := founded(t, ca.Root, "Root", nil).list(t, begun, entryOf(0xa3, begun)).PEM
	write(d.read("endpoint/ca.pem"), theirs)
	p = sign()
	if len(p.Taken) != 0 || p.SetAside == "" || !bytes.Contains(d.read(filepath.Join("endpoint", filepath.Base(p.SetAside))), theirs) {
		t.Errorf("taken %v, set aside %q", p.Taken, p.SetAside)
	}
	d.mustPublish("Next, Issuing, Root, list of Next (2), list of Issuing (2), list of Root (2)")
}

func TestARootMovesToAStoreOfItsOwnWithAllItNeeds(t *testing.T) {
	t.Parallel()
	d, issuing, root := twoTiers(t)
	ctx := t.Context()
	next := d.rollOver(root, "Next")
	d.issue("alice")
	// One names the root; one does not, as the documents' form has it; one is nobody's.
	d.revoke(crl.Entry{Serial: serialOf(issuing.cert), Date: begun}, entryOf(0xabc, begun),
		crl.Entry{Serial: entryOf(0xdef, begun).Serial, Issuer: root.id(), Date: begun}, crl.Entry{Serial: entryOf(0x111, begun).Serial, Issuer: next.id(), Date: begun})
	if _, err := d.SignCRL(ctx, store.Signing{}, d.signer(next), d.signer(issuing), d.signer(root)); err != nil {
		t.Fatal(err)
	}
	before := d.listed()["Root"]
	f, err := d.Split(ctx, root.cert)
	if err != nil {
		t.Fatal(err)
	}
	f.Authorities[0].Key = root.file
	card := newHouse(t, root.key, f)
	card.mustPublish("Root, list of Root (3)")
	records, err := card.Records(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range records {
		names = append(names, fmt.Sprintf("%s#%d %s", r.Name, r.Generation, r.Purpose))
	}
	if want := []string{"Issuing#1 issuing", "Next#1 issuing", "Root#1 root"}; !slices.Equal(names, want) {
		t.Errorf("the root's store has %q, want %q", names, want)
	}
	if !slices.Contains(card.files("authority/issued"), serialOf(issuing.cert).String()+".pem") {
		t.Errorf("issued/ has %q", card.files("authority/issued"))
	}
	// The root's next list takes nothing back, and its number is above.
	p, err := card.SignCRL(ctx, store.Signing{}, card.authority)
	if err != nil {
		t.Fatal(err)
	}
	if got := card.listed()["Root"]; !slices.Equal(got, before) || len(got) != 3 {
		t.Errorf("the root's list has %q, before the move %q", got, before)
	}
	if have := d.ListNumber(root.cert); p.Lists[0].Number.Cmp(have) <= 0 {
		t.Errorf("number %s after %s", p.Lists[0].Number, have)
	}

	if err := d.Detach(ctx, root.cert); err != nil {
		t.Fatal(err)
	}
	if a := d.authorities(); a.HasKey(root.cert) || len(a.Roots) != 1 || d.KeyFile(a, root.cert) != "" {
		t.Errorf("after the move: %+v", a)
	}
	if slices.Contains(d.files("authority"), "root.key") {
		t.Error("the root's key is still there")
	}
	mustSay(t, d.Detach(ctx, root.cert), "the root's key is not in this store")
	if said := d.said(); said[len(said)-1] != "detach Root" {
		t.Errorf("the audit trail says %q", said)
	}
	d.mustPublish("Next, Issuing, Root, list of Next (2), list of Issuing (1), list of Root (3)")
}

func TestAKillWhileTheRootMovesLeavesItsKeyOrCanBeRepeated(t *testing.T) {
	t.Parallel()
	d, _, root := twoTiers(t)
	ctx := t.Context()
	// Killed before: two stores have the key, and the one that is to lose it works on.
	f, err := d.Split(ctx, root.cert)
	if err != nil {
		t.Fatal(err)
	}
	f.Authorities[0].Key = root.file
	newHouse(t, root.key, f)
	if a := d.authorities(); !a.HasKey(root.cert) {
		t.Error("the key is gone before it was told to go")
	}
	// Killed between the file and the ledger: the key counts as gone, so that nothing waits for it.
	if err := os.Remove(filepath.Join(d.dir, "authority/root.key")); err != nil {
		t.Fatal(err)
	}
	d.reopen()
	a := d.authorities()
	if a.HasKey(root.cert) || d.KeyFile(a, root.cert) != "" || !a.HasKey(a.Current) {
		t.Errorf("the authorities are %+v", a)
	}
	if _, err := d.SignCRL(ctx, store.Signing{}, d.authority); err != nil {
		t.Error(err)
	}
	if err := d.Detach(ctx, root.cert); err != nil {
		t.Errorf("again: %v", err)
	}
	if said := d.said(); said[len(said)-1] != "detach Root" {
		t.Errorf("the audit trail says %q", said)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := d.Detach(cancelled, root.cert); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// blocks returns the content of every block of a file in PEM.
func blocks(data []byte) (contents [][]byte) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		contents = append(contents, block.Bytes)
	}
	return contents
}
