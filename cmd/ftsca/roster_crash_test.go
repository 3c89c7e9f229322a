package main_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/secret"
)

// slowed tells whether the race detector runs, under which all takes several times as long.
func slowed() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}

// writeRoster writes a roster of clients and returns its path.
func writeRoster(t testing.TB, dir string, clients int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("name,groups,contact\n")
	for i := range clients {
		fmt.Fprintf(&b, "client-%d,blue|red,client-%d@example.org\n", i, i)
	}
	name := filepath.Join(dir, "roster.csv")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func (o operator) roster(file string) []string {
	return []string{"issue", "client", "--from", file, "--host", "h.example.org", "--key", "ecdsa-p256", "--lock-wait", "1m"}
}

// sheet reads a result file, without its header.
func sheet(t testing.TB, name string) [][]string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		t.Fatalf("%s is empty", name)
	}
	return rows[1:]
}

// checkRoster checks that each client of a roster has one certificate, one package that the password beside it opens, and
// one line of the result file.
func (o operator) checkRoster(file string, clients int) {
	o.t.Helper()
	byName := map[string]row{}
	for _, r := range o.whole() {
		if !strings.HasPrefix(r.Name, "client-") {
			continue
		}
		if _, twice := byName[r.Name]; twice {
			o.t.Errorf("%s was issued twice", r.Name)
		}
		byName[r.Name] = r
	}
	if len(byName) != clients {
		o.t.Errorf("%d clients are on record, want %d", len(byName), clients)
	}
	results := sheet(o.t, strings.TrimSuffix(file, ".csv")+".results.csv")
	if len(results) != clients {
		o.t.Errorf("the result file has %d lines, want %d", len(results), clients)
	}
	for i, cells := range results {
		name, serial, pkg, note := cells[0], cells[2], cells[3], cells[4]
		if want := fmt.Sprintf("client-%d", i); name != want || serial != byName[want].Serial || !strings.HasPrefix(cells[6], "issued") {
			o.t.Errorf("line %d of the results is %q, and the client's serial is %s", i, cells, byName[want].Serial)
			continue
		}
		data, err := os.ReadFile(pkg)
		if err != nil {
			o.t.Error(err)
			continue
		}
		password, err := os.ReadFile(note)
		if err != nil {
			o.t.Error(err)
			continue
		}
		opened, err := datapackage.Open(data, secret.New(bytes.TrimSpace(password)))
		if err != nil {
			o.t.Errorf("%s: %v", pkg, err)
			continue
		}
		if got := fmt.Sprintf("%x", opened.Certificate.SerialNumber); strings.TrimLeft(serial, "0") != got {
			o.t.Errorf("%s holds the certificate %s, want %s", pkg, got, serial)
		}
	}
	if n := strings.Count(o.must("audit", "--json"), `"act": "issue"`); n != clients {
		o.t.Errorf("the audit trail has %d issues, want %d", n, clients)
	}
}

func TestRosterKilledAtAnyMomentIssuesEachRowOnce(t *testing.T) {
	clients := 2000
	if slowed() || testing.Short() {
		clients = 300
	}
	o := newOperator(t)
	file := writeRoster(t, t.TempDir(), clients)
	var done []int
	for range 8 {
		o.killed(500*time.Millisecond, o.roster(file)...)
		done = append(done, len(o.list())-1)
	}
	out := o.must(o.roster(file)...)
	o.checkRoster(file, clients)
	t.Logf("at the kills %d clients were issued; then %s", done, strings.ReplaceAll(out, "\n", "; "))

	// Once more, there is nothing to do, and the result file says the same but who issued.
	before := sheet(t, strings.TrimSuffix(file, ".csv")+".results.csv")
	if out := o.must(o.roster(file)...); !strings.HasPrefix(out, "issued   0 clients\n") {
		t.Errorf("run again, the roster says %s", out)
	}
	for i, cells := range sheet(t, strings.TrimSuffix(file, ".csv")+".results.csv") {
		if before[i][6] = "issued earlier"; strings.Join(cells, ",") != strings.Join(before[i], ",") {
			t.Errorf("line %d of the results was %q and is %q", i, before[i], cells)
		}
	}
}
