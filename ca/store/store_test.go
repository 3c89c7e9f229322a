package store_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/internal/testpki"
)

// desk is a store under test and its authority.
type desk struct {
	*store.Store
	t         testing.TB
	dir       string
	key       crypto.Signer
	authority *ca.Authority
	now       time.Time
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{t: t, dir: filepath.Join(t.TempDir(), "pki"), now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	key, err := keyfile.Generate(keyfile.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	d.key = key
	cert, err := ca.Found(ca.Foundation{Subject: csr.Subject{CommonName: "Valley Rescue CA"}, Key: key, Now: d.now})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keyfile.NewSealer(1000).Seal(key, secret.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := ca.New(ca.Config{Certificate: cert, Key: key, Clock: ca.Clock{Now: d.clock}})
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := a.SignCRL(d.now, nil, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Create(t.Context(), d.dir, store.Founding{Authorities: []store.Founder{{Certificate: cert, Purpose: ca.Single, Key: sealed, List: list}}}, d.options()); err != nil {
		t.Fatal(err)
	}
	d.reopen()
	return d
}

func (d *desk) clock() time.Time { return d.now }

func (d *desk) options() store.Options {
	return store.Options{LockWait: 5 * time.Second, Now: d.clock, By: "tester"}
}

// reopen opens the store as another process would.
func (d *desk) reopen() {
	d.t.Helper()
	var err error
	if d.Store, err = store.Open(d.dir, d.options()); err != nil {
		d.t.Fatal(err)
	}
	authorities, err := d.Authorities(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	if d.authority, err = d.Authority(authorities, authorities.Current, d.key); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) order(name string, products ...ca.Product) ca.Order {
	d.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := csr.New(key.Public(), csr.Subject{CommonName: name}, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return ca.Order{Purpose: ca.Client, Request: r, NewGeneration: true, Pack: func(ca.Entry) ([]ca.Product, error) { return products, nil }}
}

func (d *desk) issue(name string, products ...ca.Product) ca.Entry {
	d.t.Helper()
	e, err := d.authority.Issue(d.t.Context(), d.order(name, products...))
	if err != nil {
		d.t.Fatal(err)
	}
	return e
}

func zip(name string) ca.Product {
	return ca.Product{Room: ca.Packages, Name: name, Data: []byte("a package"), Mode: 0o600}
}

func (d *desk) files(room string) []string {
	d.t.Helper()
	entries, err := os.ReadDir(filepath.Join(d.dir, room))
	if err != nil {
		d.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (d *desk) read(name string) []byte {
	d.t.Helper()
	data, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		d.t.Fatal(err)
	}
	return data
}

func entryOf(serial int64, at time.Time) crl.Entry {
	return crl.Entry{Serial: crl.SerialOf(big.NewInt(serial)), Date: at, Reason: crl.KeyCompromise}
}

func TestProductsAppearWithTheirCertificateOrNotAtAll(t *testing.T) {
	d := newDesk(t)
	d.issue("alice", zip("alice.zip"))
	if got := d.files("clientPackages"); len(got) != 1 || got[0] != "alice.zip" {
		t.Errorf("clientPackages has %q", got)
	}
	// A product whose name is taken stops the whole issue.
	_, err := d.authority.Issue(t.Context(), d.order("bob", zip("bob.zip"), zip("alice.zip")))
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("overwrote a package: %v", err)
	}
	if got := d.files("clientPackages"); len(got) != 1 {
		t.Errorf("the refused issue left %q", got)
	}
	if _, err := d.Find(t.Context(), "bob"); err == nil {
		t.Error("bob is on record")
	}
	for _, name := range []string{"../x.zip", "", ".hidden", "a/b"} {
		if _, err := d.authority.Issue(t.Context(), d.order("carol", zip(name))); err == nil {
			t.Errorf("a product was called %q", name)
		}
	}
}

func TestWhatADeadProcessStagedIsCompletedOrRemoved(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	// One process reserves a name and dies; its lock is free, as the system leaves it.
	ghost := []ca.Claim{{Name: "ghost"}}
	r, err := d.Reserve(ctx, ghost)
	if err != nil {
		t.Fatal(err)
	}
	runs := d.files("authority/runs")
	if len(runs) != 1 {
		t.Fatalf("runs: %q", runs)
	}
	run := strings.TrimSuffix(runs[0], ".lock")
	staged := filepath.Join(d.dir, "clientPackages", ".ghost.zip."+run+".staged")
	if err := os.WriteFile(staged, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}

	other, err := store.Open(d.dir, d.options())
	if err != nil {
		t.Fatal(err)
	}
	// While it lives, its name is taken and its files are left alone.
	var inUse *ca.NameInUseError
	if _, err := other.Reserve(ctx, ghost); !errors.As(err, &inUse) || !inUse.Reserved {
		t.Errorf("a live process's name was given away: %v", err)
	}
	if _, err := os.Stat(staged); err != nil {
		t.Error("a live process's file was removed")
	}
	d.die(run)
	if err := other.Recover(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(staged); err == nil {
		t.Error("a dead process's file was left")
	}
	if again, err := other.Reserve(ctx, ghost); err != nil || again[0].Generation != r[0].Generation {
		t.Errorf("a dead process's name: %v, %v", again, err)
	}
}

// die lets go of what this process holds, as its death would, and leaves its file.
func (d *desk) die(run string) {
	d.t.Helper()
	name := filepath.Join(d.dir, "authority/runs", run+".lock")
	if err := d.Close(); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func TestLockWaitsForItsLimitAndSaysWhoIsInTheWay(t *testing.T) {
	d := newDesk(t)
	held := flock.New(filepath.Join(d.Endpoint(), "store.lock"))
	if err := held.Lock(); err != nil {
		t.Fatal(err)
	}
	o := d.options()
	o.LockWait = 30 * time.Millisecond
	s, err := store.Open(d.dir, o)
	if err != nil {
		t.Fatal(err)
	}
	var busy *store.BusyError
	if _, err := s.Records(t.Context()); !errors.As(err, &busy) || busy.Waited != o.LockWait {
		t.Errorf("with the lock held: %v", err)
	}
	// A revocation does not wait for ever: it goes on, and says what it could not do.
	out, err := s.Revoke(t.Context(), []crl.Entry{entryOf(0xbeef, d.now)}, nil)
	if err != nil || len(out.Added) != 1 || len(out.Problems) == 0 {
		t.Errorf("revoking with the lock held: %+v, %v", out, err)
	}
	if !bytes.Contains(bytes.ToLower(d.read("endpoint/FTS_CRL.json")), []byte("beef")) {
		t.Error("the serial is not on the list")
	}
	if err := held.Unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Records(t.Context()); err != nil {
		t.Errorf("after it was given back: %v", err)
	}
}

func TestGoroutinesOfOneProcessWaitForTheLockAsProcessesDo(t *testing.T) {
	d := newDesk(t)
	held := flock.New(filepath.Join(d.Endpoint(), "store.lock"))
	if err := held.Lock(); err != nil {
		t.Fatal(err)
	}
	o := d.options()
	o.LockWait = 60 * time.Millisecond
	s, err := store.Open(d.dir, o)
	if err != nil {
		t.Fatal(err)
	}
	// One waits for the system's lock, and the others for their turn.
	errs := make(chan error)
	for range 3 {
		go func() {
			_, err := s.Records(t.Context())
			errs <- err
		}()
	}
	cancelled, cancel := context.WithCancel(t.Context())
	go func() {
		_, err := s.Records(cancelled)
		errs <- err
	}()
	cancel()
	busy, stopped := 0, 0
	for range 4 {
		switch err := <-errs; {
		case errors.As(err, new(*store.BusyError)):
			busy++
		case errors.Is(err, context.Canceled):
			stopped++
		default:
			t.Errorf("with the lock held: %v", err)
		}
	}
	if busy != 3 || stopped != 1 {
		t.Errorf("%d found it busy, %d were stopped", busy, stopped)
	}
	if err := held.Unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Records(t.Context()); err != nil {
		t.Errorf("after it was given back: %v", err)
	}
}

func TestManyGoroutinesIssueAndReadFromOneStore(t *testing.T) {
	d := newDesk(t)
	const many = 6
	var together sync.WaitGroup
	for i := range many {
		orders := []ca.Order{d.order(fmt.Sprintf("a-%d", i)), d.order(fmt.Sprintf("b-%d", i), zip(fmt.Sprintf("b-%d.zip", i)))}
		together.Go(func() {
			for _, o := range orders {
				if _, err := d.authority.Issue(t.Context(), o); err != nil {
					t.Error(err)
				}
				if _, err := d.Records(t.Context()); err != nil {
					t.Error(err)
				}
				if _, err := d.Revoke(t.Context(), []crl.Entry{entryOf(int64(i+1), d.now)}, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	together.Wait()
	records, err := d.Records(t.Context())
	if err != nil || len(records) != 1+2*many {
		t.Errorf("%d certificates are on record, %v", len(records), err)
	}
	if lines := bytes.Count(d.read("endpoint/issued.jsonl"), []byte("\n")); lines != 2*many {
		t.Errorf("%d are listed for the endpoint", lines)
	}
	if _, err := d.Audit(t.Context()); err != nil {
		t.Error(err)
	}
	// Nobody is left with the ledger open.
	db, err := bbolt.Open(filepath.Join(d.dir, "authority/ledger.db"), 0o600, &bbolt.Options{Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestManyRecordsAreReadInTheirOrder(t *testing.T) {
	d := newDesk(t)
	pattern := d.issue("pattern").Certificate
	f := store.Founding{Name: "Valley Rescue CA"}
	const many = 300
	for i := range many {
		cert := *pattern
		cert.SerialNumber = big.NewInt(int64(i + 1))
		f.Issued = append(f.Issued, ca.Entry{Certificate: &cert, Name: fmt.Sprintf("client-%04d", i), Generation: 1, Purpose: ca.Client})
	}
	dir := filepath.Join(t.TempDir(), "many")
	if err := store.Create(t.Context(), dir, f, d.options()); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(dir, d.options())
	if err != nil {
		t.Fatal(err)
	}
	records, err := s.Records(t.Context())
	if err != nil || len(records) != many {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, r := range records {
		if want := fmt.Sprintf("client-%04d", i); r.Name != want || r.Serial != crl.SerialOf(big.NewInt(int64(i+1))).String() {
			t.Fatalf("record %d is %s, %s", i, r.Name, r.Serial)
		}
	}
	if err := spoil(dir, "client-0299"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Records(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "reading the ledger's index: ") {
		t.Errorf("a spoilt record: %v", err)
	}
}

// spoil makes a record of a ledger unreadable.
func spoil(dir, name string) error {
	db, err := bbolt.Open(filepath.Join(dir, "authority/ledger.db"), 0o600, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("index")).Put(append([]byte(name), 0, 0, 0, 0, 1), []byte("{"))
	})
	return errors.Join(err, db.Close())
}

func TestAuditTrailShowsATamperedEntry(t *testing.T) {
	d := newDesk(t)
	d.issue("alice")
	if _, err := d.Revoke(t.Context(), []crl.Entry{entryOf(7, d.now)}, nil); err != nil {
		t.Fatal(err)
	}
	trail, err := d.Audit(t.Context())
	if err != nil || len(trail) != 3 || trail[0].Act != "found" || trail[1].Act != "issue" || trail[2].Act != "revoke" || trail[2].By != "tester" {
		t.Fatalf("the trail is %+v, %v", trail, err)
	}
	tests := []struct {
		name   string
		tamper func(*bbolt.Bucket) error
		want   string
	}{
		{"changed", func(b *bbolt.Bucket) error {
			k, v := b.Cursor().Seek([]byte{0, 0, 0, 0, 0, 0, 0, 2})
			return b.Put(k, bytes.Replace(v, []byte("alice"), []byte("mallo"), 1))
		}, "the audit trail does not hold at entry 3: the entry before it has been changed"},
		{"taken out", func(b *bbolt.Bucket) error { return b.Delete([]byte{0, 0, 0, 0, 0, 0, 0, 2}) },
			"the audit trail does not hold at entry 2: an entry is missing"},
		{"cut off", func(b *bbolt.Bucket) error { return b.Delete([]byte{0, 0, 0, 0, 0, 0, 0, 3}) },
			"the audit trail does not hold at entry 2: it is not the last that was written"},
	}
	ledger := filepath.Join(d.dir, "authority", "ledger.db")
	whole := d.read("authority/ledger.db")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(ledger, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := bbolt.Open(ledger, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Update(func(tx *bbolt.Tx) error { return tt.tamper(tx.Bucket([]byte("audit"))) }); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Audit(t.Context()); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestDamagedLedgerIsAnErrorAndNoCrash(t *testing.T) {
	d := newDesk(t)
	for i := range 20 {
		d.issue(fmt.Sprintf("client-%d", i))
	}
	ledger := filepath.Join(d.dir, "authority", "ledger.db")
	whole := d.read("authority/ledger.db")
	o := d.options()
	damage := map[string][]byte{
		"empty":     {},
		"cut short": whole[:len(whole)/2],
		"one page":  whole[:4096],
		"garbage":   bytes.Repeat([]byte("garbage "), len(whole)/8),
	}
	for seed := range 12 {
		torn := bytes.Clone(whole)
		for i := 4096*seed + 16; i < min(4096*(seed+1), len(torn)); i++ {
			torn[i] ^= 0xa5
		}
		damage[fmt.Sprintf("page %d", seed)] = torn
	}
	for name, data := range damage {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(ledger, data, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := store.Open(d.dir, o)
			if err != nil {
				t.Fatal(err)
			}
			// Whatever reading says, it must come back; and a revocation must succeed.
			_, err = s.Records(t.Context())
			t.Logf("reading: %v", err)
			serial := entryOf(int64(len(name))<<16|int64(len(data)&0xffff), d.now)
			out, err := s.Revoke(t.Context(), []crl.Entry{serial}, nil)
			if err != nil || len(out.Added)+len(out.Already) != 1 {
				t.Errorf("revoking: %+v, %v", out, err)
			}
		})
	}
}

func TestSigningNeverDropsWhatIsInForce(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	if _, err := d.Revoke(ctx, []crl.Entry{entryOf(1, d.now), entryOf(2, d.now)}, nil); err != nil {
		t.Fatal(err)
	}
	first, err := d.SignCRL(ctx, store.Signing{}, d.authority)
	if err != nil {
		t.Fatal(err)
	}
	// Another hand empties the list, and the clock goes back a year.
	if err := os.WriteFile(filepath.Join(d.Endpoint(), "FTS_CRL.json"), []byte(`{"revoked_certificates": []}`), 0o644); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.AddDate(-1, 0, 0).AddDate(0, 0, 365)
	second, err := d.SignCRL(ctx, store.Signing{Days: 30}, d.authority)
	if err != nil {
		t.Fatal(err)
	}
	if one, two := first.Lists[0], second.Lists[0]; two.Number.Cmp(one.Number) <= 0 || two.Entries != 2 {
		t.Errorf("number %s after %s, %d entries", two.Number, one.Number, two.Entries)
	}
	if len(second.Vanished) != 2 {
		t.Errorf("%d vanished", len(second.Vanished))
	}
	list, err := crl.ParseX509(d.read("endpoint/FTS_CRL.pem"))
	if err != nil || len(list.Entries) != 2 {
		t.Errorf("the signed list has %d entries, %v", len(list.Entries), err)
	}
	if !bytes.HasSuffix(d.read("endpoint/ca.pem"), d.read("endpoint/FTS_CRL.pem")) {
		t.Error("ca.pem does not end with the list")
	}
	block, _ := pem.Decode(d.read("endpoint/ca.pem"))
	if cert, err := x509.ParseCertificate(block.Bytes); err != nil || !cert.Equal(d.authority.Certificate()) {
		t.Error("ca.pem does not begin with the authority's certificate")
	}
}

func TestWhatAKillLeftOfAnEditIsTakenUp(t *testing.T) {
	d := newDesk(t)
	displaced := filepath.Join(d.Endpoint(), ".FTS_CRL.json.ABCDEFGHIJ.old")
	list := crl.NewList()
	list.Add(entryOf(0xfeed, d.now))
	if err := os.WriteFile(displaced, list.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Revoke(t.Context(), []crl.Entry{entryOf(1, d.now)}, nil); err != nil {
		t.Fatal(err)
	}
	got, err := crl.Parse(d.read("endpoint/FTS_CRL.json"))
	if err != nil || got.Len() != 2 {
		t.Errorf("the list has %d entries, %v", got.Len(), err)
	}
	if _, err := os.Stat(displaced); err == nil {
		t.Error("the displaced list is still there")
	}
}

func TestReadingNeedsNoMoreThanReading(t *testing.T) {
	d := newDesk(t)
	d.issue("alice")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Records(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled reading: %v", err)
	}
	before := d.read("authority/ledger.db")
	if _, err := d.Records(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, d.read("authority/ledger.db")) {
		t.Error("reading changed the ledger")
	}
}

func TestLinkInPlaceOfTheListPublishesNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		testpki.Lack(t, "symbolic links without a privilege")
	}
	d := newDesk(t)
	if _, err := d.Revoke(t.Context(), []crl.Entry{entryOf(0xbeef, d.now)}, nil); err != nil {
		t.Fatal(err)
	}
	private := filepath.Join(t.TempDir(), "private")
	if err := os.WriteFile(private, []byte("for root alone"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(d.Endpoint(), "FTS_CRL.json")
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(private, list); err != nil {
		t.Fatal(err)
	}
	out, err := d.Revoke(t.Context(), []crl.Entry{entryOf(0xfeed, d.now)}, nil)
	if err != nil || len(out.Added) != 1 {
		t.Fatalf("revoking: %+v, %v", out, err)
	}
	for _, name := range d.files("endpoint") {
		path := filepath.Join(d.Endpoint(), name)
		if slices.Equal(out.SetAside, []string{path}) {
			if to, err := os.Readlink(path); err != nil || to != private {
				t.Errorf("set aside is a link to %q, %v", to, err)
			}
			continue
		}
		if bytes.Contains(d.read(filepath.Join("endpoint", name)), []byte("for root alone")) {
			t.Errorf("%s publishes what the link led to", name)
		}
	}
	got, err := crl.Parse(d.read("endpoint/FTS_CRL.json"))
	if err != nil || got.Len() != 2 {
		t.Errorf("the list has %d entries, %v", got.Len(), err)
	}
	if data, err := os.ReadFile(private); err != nil || string(data) != "for root alone" {
		t.Errorf("what the link led to is now %q, %v", data, err)
	}
}
