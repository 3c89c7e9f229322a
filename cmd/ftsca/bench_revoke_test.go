package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkRevokeBesideRoster measures how long it takes, beside a running roster of two thousand, until a revocation is
// in force, in FTS_CRL.json, and announced.
func BenchmarkRevokeBesideRoster(b *testing.B) {
	w := newWorkbench(b)
	empty, roster := w.found("ecdsa-p256"), w.roster(2000)
	for b.Loop() {
		store := w.copied(empty)
		var took []usage
		for len(took) < rounds {
			var lost []string
			for range rounds {
				lost = append(lost, w.name())
				w.run(w.ftsca, "issue", "client", lost[len(lost)-1], "--host", "h.example.org", "--key", "ecdsa-p256", "--store", store)
			}
			took = append(took, w.revokeBeside(store, roster, lost)...)
			store = w.copied(empty)
		}
		b.Logf("a revocation beside a roster: wall %s, the slowest of %d %v", spread(took, wall), len(took), rounded(quantile(took, wall, 1)))
		limit(b, "slowest-s", quantile(took, wall, 1).Seconds(), 1)
	}
}

// revokeBeside revokes clients one after the other for as long as a roster runs, and returns what each took.
func (w workbench) revokeBeside(store, roster string, lost []string) []usage {
	w.b.Helper()
	running := exec.Command(w.ftsca, "issue", "client", "--from", roster, "--host", "h.example.org", "--key", "ecdsa-p256",
		"--results", store+".csv", "--store", store)
	if err := running.Start(); err != nil {
		w.b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- running.Wait() }()
	list := filepath.Join(store, "endpoint", "FTS_CRL.json")
	var took []usage
	for _, name := range lost {
		time.Sleep(100 * time.Millisecond)
		before := w.read(list)
		u := w.run(w.ftsca, "revoke", name, "--store", store)
		select {
		case err := <-done:
			if err != nil {
				w.b.Fatal(err)
			}
			return took // the last was perhaps not beside it
		default:
		}
		if after := w.read(list); bytes.Count(after, []byte("{")) == bytes.Count(before, []byte("{")) {
			w.b.Errorf("%s is not on the list:\n%s", name, after)
		}
		took = append(took, u)
	}
	if err := running.Process.Kill(); err != nil {
		w.b.Fatal(err)
	}
	<-done
	return took
}

func (w workbench) read(name string) []byte {
	w.b.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		w.b.Fatal(err)
	}
	return data
}
