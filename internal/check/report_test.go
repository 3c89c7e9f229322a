package check_test

import (
	"crypto"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/check"
	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

var update = flag.Bool("update", false, "write the golden files anew")

func look(t testing.TB, data []byte, families ...check.Family) check.Report {
	t.Helper()
	r, err := check.Package(data, check.Options{Families: families, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func lines(r check.Report) string {
	var b strings.Builder
	for _, row := range r.Rows() {
		fmt.Fprintf(&b, "%s: %s [%s]", row.Level, row.Rule, row.Families)
		if row.Where != "" {
			fmt.Fprintf(&b, " %s", row.Where)
		}
		fmt.Fprintf(&b, "\n\t%s\n", row.Text)
	}
	return b.String()
}

func TestWhatEachFamilyMakesOfTheToolsPackages(t *testing.T) {
	p := newPKI(t)
	for name, data := range map[string][]byte{
		"fts-mobile": p.ftsMobile(), "fts-wintak": p.ftsWinTAK(), "ots": p.ots(), "ots-itak": p.otsITAK(),
		"taky": p.taky(), "taky-itak": p.takyITAK(),
		"goatak-soft": p.goatakSoft(), "goatak-enrollment": p.goatakEnrollment(), "cloudrf": p.cloudRF(),
		"by-hand": pack(t, p.byHand().items()...),
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".txt", lines(look(t, data)))
		})
	}
}

// own is alice's package by ftsca itself, in RSA as it is by default.
func own(t *testing.T, f datapackage.Family, client ...testpki.Option) []byte {
	t.Helper()
	root := testpki.NewRoot(t, "Valley Root", lasting(), testpki.RSA(2048))
	issuing := root.Issuing(t, "Valley Issuing", lasting(), testpki.RSA(2048))
	alice := issuing.Client(t, "alice", append([]testpki.Option{lasting(), testpki.RSA(2048)}, client...)...)
	data, err := datapackage.Make(f, datapackage.Contents{
		Name: "alice", Connections: []datapackage.Connection{{Host: "fts.example.org", Description: "Valley Rescue"}}, Key: alice.PrivateKey.(crypto.Signer),
		Certificate: alice.Leaf,
		Authorities: issuing.Chain(), Password: secret.FromString(password), Encoder: pkcs12.NewEncoder(pkcs12.TAK, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestATAKTakesOurOwnPackageWithoutAWord(t *testing.T) {
	r := look(t, own(t, datapackage.ATAK), check.ATAK)
	if r.Level() != check.OK {
		t.Errorf("level %s", r.Level())
	}
	varying := regexp.MustCompile(`[0-9a-f]{8,}`)
	golden(t, "own.txt", varying.ReplaceAllString(lines(r), "TAG"))
	c := r.Verdicts[0].Connections
	if len(c) != 1 || c[0].Host != "fts.example.org" || c[0].Port != 8089 || c[0].Protocol != "ssl" || !c[0].Enabled || c[0].Description != "Valley Rescue" {
		t.Fatalf("connections %+v", c)
	}
	if c[0].Key == nil || c[0].Certificate.Subject.CommonName != "alice" || len(c[0].Authorities) != 2 {
		t.Errorf("the device has certificate %v and %d authorities", c[0].Certificate.Subject, len(c[0].Authorities))
	}
}

func TestEachFamilyTakesItsOwnPackage(t *testing.T) {
	for _, f := range datapackage.Families() {
		t.Run(string(f), func(t *testing.T) {
			family, err := check.ParseFamily(string(f))
			if err != nil {
				t.Fatal(err)
			}
			if r := look(t, own(t, f), family); r.Level() == check.Refusal {
				t.Errorf("refused:\n%s", lines(r))
			}
		})
	}
}

func TestASummaryIsForJSONAndHoldsNoSecret(t *testing.T) {
	p := newPKI(t)
	r := look(t, p.ftsMobile(), check.ATAK, check.ITAK)
	data, err := json.MarshalIndent(r.Summary(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "summary.json", string(data)+"\n")
	if s := string(data) + lines(r); strings.Contains(s, password) {
		t.Error("the password stands in the report")
	}
	// Nor does the report itself, should somebody print that.
	if data, err = json.Marshal(r); err != nil || strings.Contains(string(data),
		`"D":`) || strings.Contains(string(data), "Key") {
		t.Errorf("%v, %.300s", err, data)
	}
	empty, err := json.Marshal(look(t, nil, check.ATAK).Summary())
	if err != nil || strings.Contains(string(empty), "null") {
		t.Errorf("%s, %v", empty, err)
	}
}

func TestRowsJoinFamiliesAndPutTheWorstFirst(t *testing.T) {
	r := look(t, []byte("no zip"))
	rows := r.Rows()
	if len(rows) != 1 || rows[0].Families != "ATAK, WinTAK, iTAK, TAK Aware" || rows[0].Rule != "zip-unreadable" {
		t.Errorf("rows %+v", rows)
	}
	p := newPKI(t)
	rows = look(t, p.ftsMobile()).Rows()
	if !slices.IsSortedFunc(rows, func(a, b check.Row) int { return strings.Compare(order(a.Level), order(b.Level)) }) {
		t.Error("the rows are not in order of gravity")
	}
}

func order(l check.Level) string {
	return map[check.Level]string{check.Refusal: "1", check.Warning: "2", check.OK: "3"}[l]
}

func TestFamiliesAreNamed(t *testing.T) {
	for _, f := range check.Families() {
		if got, err := check.ParseFamily(string(f)); got != f || err != nil {
			t.Errorf("%s gives %s, %v", f, got, err)
		}
	}
	const want = `device family "ATAK" is none of atak, wintak, itak, takaware`
	if _, err := check.ParseFamily("ATAK"); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if _, err := check.Package(nil,
		check.Options{Families: []check.Family{"ATAK"}}); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if r := look(t, nil, check.ITAK, check.ITAK); len(r.Verdicts) != 1 {
		t.Errorf("%d verdicts for a family that was named twice", len(r.Verdicts))
	}
}
