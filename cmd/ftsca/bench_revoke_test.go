package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkRevokeBesideRoster measures how long it takes, beside a running roster of two thousand, until a revocation is
// in force: in FTS_CRL.json, and the command done.
func BenchmarkRevokeBesideRoster(b *testing.B) {
	w := newWorkbench(b)
	empty := w.found("empty", "ecdsa-p256")
	var lost []string
	for i := range rounds {
		name := "lost-" + string(rune('a'+i))
		w.run(w.ftsca, "issue", "client", name, "--host", "h.example.org", "--key", "ecdsa-p256", "--store", empty)
		lost = append(lost, name)
	}
	roster := w.roster(2000)
	once(b, func() {
		store := w.copied(empty, "pki")
		list := filepath.Join(store, "endpoint", "FTS_CRL.json")
		var took []usage
		for len(took) < rounds {
			running := exec.Command(w.ftsca, "issue", "client", "--from", roster, "--host", "h.example.org", "--key", "ecdsa-p256",
				"--results", store+".csv", "--store", store)
			if err := running.Start(); err != nil {
				b.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- running.Wait() }()
			for beside := true; beside && len(took) < rounds; {
				before := len(read(b, list))
				var out bytes.Buffer
				u := w.runTo(&out, w.ftsca, "revoke", lost[len(took)], "--store", store)
				select {
				case err := <-done:
					if err != nil {
						b.Fatal(err)
					}
					beside = false // and this one was perhaps not beside it
					continue
				default:
				}
				if len(read(b, list)) <= before || !strings.Contains(out.String(), "revoked") {
					b.Errorf("not in force: %s", out.String())
				}
				took = append(took, u)
				time.Sleep(50 * time.Millisecond)
			}
			if len(took) == rounds {
				running.Process.Kill()
				<-done
			}
		}
		b.Logf("a revocation beside a roster: wall %s", spread(took, wall))
		limit(b, "slowest-s", quantile(took, wall, 1).Seconds(), 1)
	})
}

func read(b *testing.B, name string) []byte {
	b.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	return data
}
