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
	store := w.found("pki", "ecdsa-p256")
	once(b, func() {
		r := race(4*rounds,
			contestant{"bare", func(int) usage { return w.run(bare, "-store", store, "-out", w.path("out")) }},
			contestant{"ftsca", func(i int) usage {
				return w.run(w.ftsca, "issue", "client", fmt.Sprintf("client-%d", i), "--host", "h.example.org", "--key", "ecdsa-p256", "--store", store)
			}})
		b.Logf("CPU of a client: bare %s, ftsca %s", spread(r[0], cpu), spread(r[1], cpu))
		limit(b, "x-bare", float64(median(r[1], cpu))/float64(median(r[0], cpu)), 2.5)
	})
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
		// A key takes 60 ms, give or take 40: there are 2000 in ten rounds, and so 1 % of noise is left in their sum.
		{"rsa-2048", "rsa-4096", 200, 1.15},
	} {
		b.Run(fmt.Sprintf("key=%s/authority=%s", tt.key, tt.authority), func(b *testing.B) {
			w := workbench{b: b, folder: b.TempDir(), ftsca: w.ftsca}
			empty := w.found("empty", tt.authority)
			roster := w.roster(tt.clients)
			once(b, func() {
				r := race(rounds,
					contestant{"bare", func(int) usage {
						return w.run(bare, "-store", empty, "-out", w.path("out"), "-key", tt.key, "-count", fmt.Sprint(tt.clients))
					}},
					contestant{"ftsca", func(i int) usage {
						store := w.copied(empty, fmt.Sprintf("pki-%d", i))
						return w.run(w.ftsca, "issue", "client", "--from", roster, "--host", "h.example.org", "--key", tt.key,
							"--results", store+".csv", "--store", store)
					}})
				b.Logf("CPU of %d clients: bare %s, ftsca %s", tt.clients, spread(r[0], cpu), spread(r[1], cpu))
				b.Logf("wall: bare %s, ftsca %s", spread(r[0], wall), spread(r[1], wall))
				b.ReportMetric(float64(sum(r[1], cpu))/float64(sum(r[1], wall)), "cores")
				ratio := float64(median(r[1], cpu)) / float64(median(r[0], cpu))
				if strings.HasPrefix(tt.key, "rsa") {
					ratio = float64(sum(r[1], cpu)) / float64(sum(r[0], cpu))
				}
				limit(b, "x-bare", ratio, tt.most)
			})
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

func sum(all []usage, of func(usage) time.Duration) time.Duration {
	var total time.Duration
	for _, u := range all {
		total += of(u)
	}
	return total
}
