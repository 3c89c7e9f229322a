package roster_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/ftsca/ftsca/internal/roster"
)

// ledger is a lookup of what it holds.
type ledger map[string][]roster.Existing

func (l ledger) lookup(name string) ([]roster.Existing, error) { return l[name], nil }

const four = "name,groups,contact\nalice,blue,a@b\nbob,red,\ncarol,,\ndave,,d@e\n"

func TestPlanIssuesWhatIsNewAndPassesOverWhatIsDone(t *testing.T) {
	rows := read(t, four)
	alice := roster.Existing{Generation: 1, Serial: "0a", Digest: rows[0].Digest(), Package: "alice.zip", PasswordFile: "alice.txt"}
	carol := []roster.Existing{
		{Generation: 1, Serial: "0c", Digest: rows[2].Digest()},
		{Generation: 2, Serial: "0d"}, // renewed by hand since
	}
	plan, err := roster.NewPlan([]byte(four), forAll(), ledger{"alice": {alice}, "carol": carol}.lookup)
	if err != nil {
		t.Fatal(err)
	}
	if want := []roster.Row{rows[1], rows[3]}; !slices.EqualFunc(plan.Issue, want, same) {
		t.Errorf("to be issued are %+v, want %+v", plan.Issue, want)
	}
	done := []roster.Result{
		{Name: "alice", Generation: 1, Serial: "0a", Package: "alice.zip", PasswordFile: "alice.txt", Contact: "a@b", State: roster.Earlier},
		{Name: "carol", Generation: 1, Serial: "0c", State: roster.Earlier},
	}
	if !slices.Equal(plan.Done, done) {
		t.Errorf("done are %+v, want %+v", plan.Done, done)
	}

	dave := roster.Result{Name: "dave", Generation: 1, Serial: "0e", Package: "dave.zip", Contact: "d@e", State: roster.Issued}
	want := []roster.Result{done[0], {Name: "bob", State: roster.Missing}, done[1], dave}
	if got := plan.Results([]roster.Result{dave}); !slices.Equal(got, want) {
		t.Errorf("results of a run that was cut short are\n%+v, want\n%+v", got, want)
	}
}

func TestPlanOfAFreshRosterIsTheRoster(t *testing.T) {
	plan, err := roster.NewPlan([]byte(four), forAll(), ledger{}.lookup)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(plan.Issue, read(t, four)) || len(plan.Done) != 0 {
		t.Errorf("to be issued are %+v, done %+v", plan.Issue, plan.Done)
	}
}

func TestPlanTellsNamesInUseWithTheFaultsOfTheFile(t *testing.T) {
	l := ledger{
		"alice": {{Generation: 1, Digest: "of another row"}},
		"bob":   {{Generation: 1, Digest: "of another row"}, {Generation: 2}},
		"dave":  {{Generation: 1}},
	}
	plan, err := roster.NewPlan([]byte(four+"alice,,\n,,\n"), forAll(), l.lookup)
	var faults *roster.Faults
	if !errors.As(err, &faults) || plan != nil {
		t.Fatalf("got %v, %v", plan, err)
	}
	checkFaults(t, faults, []string{
		`line 2: name "alice": the name is in use (generation 1), and the row, or what is given for all rows, was another when that certificate was issued`,
		`line 3: name "bob": the name is in use (generation 2), and that certificate did not come of a roster`,
		`line 5: name "dave": the name is in use (generation 1), and that certificate did not come of a roster`,
		`line 6: name "alice": the row in line 2 has this name too`,
	})
}

func TestPlanEndsWhereTheLedgerCannotBeRead(t *testing.T) {
	broken := errors.New("no ledger")
	_, err := roster.NewPlan([]byte(four), forAll(), func(name string) ([]roster.Existing, error) {
		if name == "bob" {
			return nil, broken
		}
		return nil, nil
	})
	if want := `looking up the name "bob" of line 3: no ledger`; err == nil || err.Error() != want || !errors.Is(err, broken) {
		t.Errorf("error is %v, want %s", err, want)
	}
}
