package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
)

// BenchmarkRevokeBesideRoster measures how long it takes, beside a running roster of two thousand and with a hundred
// thousand revocations before it, until a revocation is in force: in FTS_CRL.json, which takes its name when it is on the
// disk. The signed list and the audit trail follow.
func BenchmarkRevokeBesideRoster(b *testing.B) {
	w := newWorkbench(b)
	full, roster := w.found("ecdsa-p256"), w.roster(2000)
	w.revokeMany(full, 100_000)
	for b.Loop() {
		store := w.copied(full)
		var inForce, took []usage
		for len(took) < rounds {
			var lost []string
			for range rounds {
				lost = append(lost, w.name())
				w.run(w.ftsca, "issue", "client", lost[len(lost)-1], "--host", "h.example.org", "--key", "ecdsa-p256", "--store", store)
			}
			listed, ended := w.revokeBeside(store, roster, lost)
			inForce, took = append(inForce, listed...), append(took, ended...)
			store = w.copied(full)
		}
		b.Logf("a revocation beside a roster is in force after %s, the slowest of %d after %v; done after %s", spread(inForce, wall),
			len(inForce), rounded(quantile(inForce, wall, 1)), spread(took, wall))
		limit(b, "slowest-s", quantile(inForce, wall, 1).Seconds(), 1)
	}
}

// revokeBeside revokes clients one after the other for as long as a roster runs, and returns how long it took until each
// was on the list, and until the command had ended.
func (w workbench) revokeBeside(store, roster string, lost []string) (inForce, took []usage) {
	w.b.Helper()
	running := exec.Command(w.ftsca, "issue", "client", "--from", roster, "--host", "h.example.org", "--key", "ecdsa-p256",
		"--results", store+".csv", "--store", store)
	if err := running.Start(); err != nil {
		w.b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- running.Wait() }()
	list := filepath.Join(store, "endpoint", "FTS_CRL.json")
	for _, name := range lost {
		time.Sleep(100 * time.Millisecond)
		before := w.read(list)
		listed := w.untilReplaced(list)
		u := w.run(w.ftsca, "revoke", name, "--store", store)
		select {
		case err := <-done:
			if err != nil {
				w.b.Fatal(err)
			}
			return inForce, took // the last was perhaps not beside it
		default:
		}
		if after := w.read(list); bytes.Count(after, []byte("{")) == bytes.Count(before, []byte("{")) {
			w.b.Errorf("%s is not on the list of %d octets", name, len(after))
		}
		inForce, took = append(inForce, <-listed), append(took, u)
	}
	if err := running.Process.Kill(); err != nil {
		w.b.Fatal(err)
	}
	<-done
	return inForce, took
}

// untilReplaced yields how long it is from now until another file has the name.
func (w workbench) untilReplaced(name string) <-chan usage {
	w.b.Helper()
	before, err := os.Stat(name)
	if err != nil {
		w.b.Fatal(err)
	}
	start, replaced := time.Now(), make(chan usage, 1)
	go func() {
		for time.Since(start) < time.Minute {
			if now, err := os.Stat(name); err == nil && !os.SameFile(before, now) {
				break
			}
			time.Sleep(time.Millisecond)
		}
		replaced <- usage{wall: time.Since(start)}
	}()
	return replaced
}

func (w workbench) read(name string) []byte {
	w.b.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		w.b.Fatal(err)
	}
	return data
}

// revokeMany puts a list of so many serials in place, and has it signed.
func (w workbench) revokeMany(store string, n int) {
	w.b.Helper()
	list := crl.NewList()
	for range n {
		list.Add(crl.Entry{Serial: w.serial(), Date: time.Now(), Reason: crl.KeyCompromise})
	}
	if err := os.WriteFile(filepath.Join(store, "endpoint", "FTS_CRL.json"), list.Bytes(), 0o644); err != nil {
		w.b.Fatal(err)
	}
	w.run(w.ftsca, "crl", "sign", "--store", store)
}
