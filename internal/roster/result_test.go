package roster_test

import (
	"reflect"
	"testing"

	"github.com/ftsca/ftsca/internal/roster"
)

func TestResultsAreASheet(t *testing.T) {
	header, rows := roster.Sheet([]roster.Result{
		{Name: "alice", Generation: 1, Serial: "0a", Package: "alice.zip", PasswordFile: "alice.txt", Contact: "+49", State: roster.Issued},
		{Name: "bob", State: roster.Missing}})
	want := [][]string{
		{"name", "generation", "serial", "package", "password_file", "contact", "state"},
		{"alice", "1", "0a", "alice.zip", "alice.txt", "+49", "issued"},
		{"bob", "", "", "", "", "", "not issued"}}
	if got := append([][]string{header}, rows...); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}
