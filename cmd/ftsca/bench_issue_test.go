package main_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// BenchmarkIssueClient holds one ftsca issue client, a whole process, against a bare one that makes the same key, signs
// and encodes the same files, and writes them to disk in one.
func BenchmarkIssueClient(b *testing.B) {
	w := newWorkbench(b)
	bare := w.build("./testdata/bare")
	store := w.found("ecdsa-p256")
	for b.Loop() {
		r := race(4*rounds,
			contestant{"bare", func() usage { return w.run(bare, "-store", store, "-out", w.path("out")) }},
			contestant{"ftsca", func() usage { return w.issue(store) }})
		b.Logf("CPU of a client: bare %s, ftsca %s", spread(r[0], cpu), spread(r[1], cpu))
		limit(b, "x-bare", ratio(r[1], r[0]), 2.5)
	}
}

// BenchmarkRoster holds ftsca issue client --from against a bare program that makes as many keys, signs them, and
// encodes as many files, on as many cores.
func BenchmarkRoster(b *testing.B) {
	w := newWorkbench(b)
	bare := w.build("./testdata/bare")
	for _, tt := range []struct {
		key, authority string
		clients        int
		most           float64
	}{
		{"ecdsa-p256", "ecdsa-p256", 1000, 1.6},
		{"ecdsa-p256", "rsa-4096", 1000, 1.3},
		{"rsa-2048", "rsa-4096", 200, 1.15},
	} {
		b.Run(fmt.Sprintf("key=%s/authority=%s", tt.key, tt.authority), func(b *testing.B) {
			w := w.sub(b)
			empty, roster := w.found(tt.authority), w.roster(tt.clients)
			for b.Loop() {
				r := race(rounds,
					contestant{"bare", func() usage {
						return w.run(bare, "-store", empty, "-out", w.path("out"), "-key", tt.key, "-count", fmt.Sprint(tt.clients))
					}},
					contestant{"ftsca", func() usage {
						store := w.copied(empty)
						return w.run(w.ftsca, "issue", "client", "--from", roster, "--host", "h.example.org", "--key", tt.key,
							"--results", store+".csv", "--store", store)
					}})
				b.Logf("CPU of %d clients: bare %s, ftsca %s", tt.clients, spread(r[0], cpu), spread(r[1], cpu))
				b.Logf("wall: bare %s, ftsca %s", spread(r[0], wall), spread(r[1], wall))
				b.ReportMetric(float64(sum(r[0], cpu))/float64(sum(r[0], wall)), "bare-cores")
				b.ReportMetric(float64(sum(r[1], cpu))/float64(sum(r[1], wall)), "cores")
				times := ratio(r[1], r[0])
				if tt.key == "rsa-2048" {
					// An RSA key takes 60 ms, give or take 40: of the two thousand in ten rounds, 2 % of that are left.
					times = float64(sum(r[1], cpu)) / float64(sum(r[0], cpu))
				}
				limit(b, "x-bare", times, tt.most)
			}
		})
	}
}

// roster writes a roster of so many clients.
func (w workbench) roster(clients int) string {
	w.b.Helper()
	var rows strings.Builder
	rows.WriteString("name\n")
	for i := range clients {
		fmt.Fprintf(&rows, "client-%d\n", i)
	}
	name := w.path(fmt.Sprintf("roster-%d.csv", clients))
	if err := os.WriteFile(name, []byte(rows.String()), 0o600); err != nil {
		w.b.Fatal(err)
	}
	return name
}

// ratio of the CPU times of two programs.
func ratio(one, other []usage) float64 {
	return float64(median(one, cpu)) / float64(median(other, cpu))
}

func sum(all []usage, of func(usage) time.Duration) time.Duration {
	var total time.Duration
	for _, u := range all {
		total += of(u)
	}
	return total
}
