package main_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"
)

// incidentPage is what operators print before an incident.
const incidentPage = "../../docs/guide/incident.md"

// cmdPage checks that a text stands on the printed page word for word, so that what a script tries is what people read:
// page TEXT.
func cmdPage(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: page TEXT")
	}
	text, err := os.ReadFile(incidentPage)
	ts.Check(err)
	if !strings.Contains(string(text), args[0]) {
		ts.Fatalf("the page has no %q", args[0])
	}
}

// A command that is put on the page has to be tried by its script.
func TestEveryCommandOfTheIncidentPageIsTried(t *testing.T) {
	text, err := os.ReadFile(incidentPage)
	if err != nil {
		t.Fatal(err)
	}
	script, err := txtar.ParseFile("testdata/incident_page.txtar")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile("(?m)^\\$ (ftsca .*)$|`(ftsca [^`]*)`").FindAllStringSubmatch(string(text), -1)
	if len(commands) < 20 {
		t.Errorf("the page has %d commands", len(commands))
	}
	lines := strings.Split(string(script.Comment), "\n")
	for _, c := range commands {
		if line := "page '" + c[1] + c[2] + "'"; !slices.Contains(lines, line) {
			t.Errorf("the script has no line %s", line)
		}
	}
}
