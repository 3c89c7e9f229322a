package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/secret"
)

func TestRenewKilledAtAnyMomentLosesNobody(t *testing.T) {
	o := newOperator(t)
	clients := 60
	if slowed() || testing.Short() {
		clients = 20
	}
	o.must("issue", "server", "h.example.org", "--key", "ecdsa-p256")
	o.must(o.roster(writeRoster(t, t.TempDir(), clients))...)
	first := o.list()
	start := time.Now()
	o.must("renew", "--all")
	took := time.Since(start)
	for range kills(t) {
		o.killed(took, "renew", "--all", "--overlap", "1d")
		o.must("list")
	}
	out := o.must("renew", "--all", "--revoke-old")
	if n := strings.Count(out, "renewed "); n != clients+1 {
		t.Errorf("%d were renewed at last, want %d", n, clients+1)
	}
	latest := map[string]row{}
	for _, r := range o.whole() {
		if before, ok := latest[r.Name]; ok && before.State != "revoked" {
			t.Errorf("%s#%d is %s", before.Name, before.Generation, before.State)
		}
		latest[r.Name] = r
	}
	for _, r := range first {
		if r.Purpose != "client" {
			continue
		}
		now := latest[r.Name]
		one, two := o.open(r.Packages[0]), o.open(now.Packages[0])
		if one.Password.Reveal() != two.Password.Reveal() {
			t.Errorf("the password of %s is another one now", r.Name)
		}
		if fmt.Sprint(one.Key.Public()) != fmt.Sprint(two.Key.Public()) {
			t.Errorf("the key of %s is another one now", r.Name)
		}
		if got := fmt.Sprintf("%032x", two.Certificate.SerialNumber); got != now.Serial {
			t.Errorf("the package of %s holds %s, want %s", r.Name, got, now.Serial)
		}
	}
	t.Logf("after %d kills, each client has %d generations", kills(t), latest["client-0"].Generation)
}

func TestRenewKilledBeforeItRevokesIsDueThen(t *testing.T) {
	o := newOperator(t)
	clients := 40
	if slowed() || testing.Short() {
		clients = 10
	}
	o.must(o.roster(writeRoster(t, t.TempDir(), clients))...)
	start := time.Now()
	o.must("renew", "--all", "--revoke-old")
	took := time.Since(start)
	for range kills(t) {
		o.killed(took, "renew", "--all", "--revoke-old")
	}
	o.must("revoke", "--due")
	o.must("crl", "sign")
	valid := map[string]int{}
	for _, r := range o.whole() {
		if r.State == "valid" {
			valid[r.Name]++
		}
	}
	for name, n := range valid {
		if n != 1 {
			t.Errorf("%s has %d valid certificates", name, n)
		}
	}
	if len(valid) != clients+1 {
		t.Errorf("%d names are valid, want %d", len(valid), clients+1)
	}
}

func (o operator) open(pkg string) datapackage.Opened {
	o.t.Helper()
	data, err := os.ReadFile(filepath.Join(o.store, "clientPackages", pkg))
	if err != nil {
		o.t.Fatal(err)
	}
	opened, err := datapackage.Open(data, secret.Secret{})
	if err != nil {
		o.t.Fatal(err)
	}
	return opened
}
