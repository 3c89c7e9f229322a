package main_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRevokeBesideARosterIsInForceBeforeTheRosterEnds(t *testing.T) {
	clients := 1000
	if slowed() || testing.Short() {
		clients = 200
	}
	o := newOperator(t)
	o.must(o.issue("bob")...)
	file := writeRoster(t, t.TempDir(), clients)
	roster := o.command(o.roster(file)...)
	var talk bytes.Buffer
	roster.Stderr = &talk
	if err := roster.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- roster.Wait() }()
	for len(o.list()) < 3 {
		time.Sleep(time.Millisecond)
	}
	out, said, err := o.run("revoke", "bob", "--serial", "AA01", "--lock-wait", "1m")
	select {
	case err := <-ended:
		t.Fatalf("the roster had ended before bob was revoked: %v\n%s", err, talk.String())
	default:
	}
	// Where the roster held the lock for more than a second, revoke went on without it, and says so.
	if !strings.Contains(out, "revoked  bob#1") || err != nil && !strings.Contains(said, "the revocation is in force, but") {
		t.Errorf("revoke beside a roster: %v\n%s%s", err, out, said)
	}
	list, err := os.ReadFile(filepath.Join(o.store, "endpoint", "FTS_CRL.json"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(list, []byte("serial_number")); n != 2 {
		t.Errorf("%d revocations on the list while the roster runs, want 2", n)
	}
	if err := <-ended; err != nil {
		t.Errorf("the roster ended with %v\n%s", err, talk.String())
	}
	o.must("crl", "sign")
	for _, r := range o.whole() {
		if want := map[bool]string{true: "revoked", false: "valid"}[r.Name == "bob"]; r.State != want {
			t.Errorf("%s is %s", r.Name, r.State)
		}
	}
	if n := len(o.list()); n != clients+2 {
		t.Errorf("%d certificates on record, want %d", n, clients+2)
	}
}

func TestAllKindsOfCommandsAtOnceLoseNothing(t *testing.T) {
	o := newOperator(t)
	dir := t.TempDir()
	for i := range 4 {
		o.must(o.issue(fmt.Sprintf("old-%d", i))...)
	}
	o.must("csr", "new", "laptop", "--type", "client", "--key", "ecdsa-p256", "--out", dir)
	request, err := filepath.Glob(filepath.Join(dir, "laptop-*.csr"))
	if err != nil || len(request) != 1 {
		t.Fatalf("%v, %v", request, err)
	}
	file := writeRoster(t, dir, 40)
	commands := [][]string{
		o.issue("alice"),
		{"issue", "server", "h.example.org", "--key", "ecdsa-p256"},
		o.roster(file),
		{"renew", "old-0", "old-1"},
		{"renew", "old-2", "--rekey", "--key", "ecdsa-p256", "--overlap", "1d"},
		{"revoke", "old-3"},
		{"revoke", "--serial", "AA01"},
		{"crl", "sign"},
		{"csr", "sign", request[0], "--yes"},
		{"list", "--json"},
		{"audit"},
		{"show", "old-0"},
	}
	var wg sync.WaitGroup
	for _, args := range commands {
		wg.Go(func() {
			if out, talk, err := o.run(append(args, "--lock-wait", "1m")...); err != nil && !strings.Contains(talk, "the revocation is in force, but") {
				t.Errorf("ftsca %s: %v\n%s%s", strings.Join(args, " "), err, out, talk)
			}
		})
	}
	wg.Wait()
	o.must("crl", "sign")
	rows := o.whole()
	if want := 1 + 4 + 40 + 3 + 3; len(rows) != want {
		t.Errorf("%d certificates on record, want %d", len(rows), want)
	}
	for _, r := range rows {
		if want := map[bool]string{true: "revoked", false: "valid"}[r.Name == "old-3"]; r.State != want {
			t.Errorf("%s#%d is %s", r.Name, r.Generation, r.State)
		}
	}
	if n := len(sheet(t, filepath.Join(dir, "roster.results.csv"))); n != 40 {
		t.Errorf("the result file has %d lines, want 40", n)
	}
}

func TestTwoRostersAtOnceIssueEachRowOnce(t *testing.T) {
	o := newOperator(t)
	file := writeRoster(t, t.TempDir(), 64)
	var wg sync.WaitGroup
	for range 2 {
		// One of them finds names taken, at the latest when it reserves them; which says so.
		wg.Go(func() {
			if out, talk, err := o.run(o.roster(file)...); err != nil && !strings.Contains(talk, "the name ") {
				t.Errorf("%v\n%s%s", err, out, talk)
			}
		})
	}
	wg.Wait()
	o.must(o.roster(file)...)
	o.checkRoster(file, 64)
}
