package roster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftsca/ftsca/internal/roster"
)

// crowd is so many rows, named n0, n1 and so on.
func crowd(n int) []roster.Row {
	rows := make([]roster.Row, n)
	for i := range rows {
		rows[i] = named(i+2, fmt.Sprintf("n%d", i))
	}
	return rows
}

func resultsOf(rows []roster.Row) []roster.Result {
	results := []roster.Result{}
	for _, r := range rows {
		results = append(results, roster.Result{Name: r.Name, State: roster.Issued})
	}
	return results
}

// slow issues each group in as many seconds as its first row's line has, so that groups end in another order than they
// began.
func slow(group []roster.Row) []roster.Result {
	time.Sleep(time.Duration(100-group[0].Line) * time.Second)
	return resultsOf(group)
}

func TestRunIssuesAllRowsInOrder(t *testing.T) {
	rows := crowd(23)
	for _, group := range []int{-1, 1, 5, 23, 100} {
		for _, lanes := range []int{0, 1, 2, 7, 100} {
			synctest.Test(t, func(t *testing.T) {
				done := 0
				r := roster.Runner{Group: group, Lanes: lanes, Done: func(n int) { done += n },
					Issue: func(_ context.Context, g []roster.Row) ([]roster.Result, error) {
						if len(g) > max(group, 1) {
							t.Errorf("a group of %d", len(g))
						}
						return slow(g), nil
					}}
				got, err := r.Run(t.Context(), rows)
				if err != nil || !slices.Equal(got, resultsOf(rows)) {
					t.Errorf("group %d, lanes %d: got %v, %v", group, lanes, got, err)
				}
				if done != len(rows) {
					t.Errorf("group %d, lanes %d: %d rows were told as done", group, lanes, done)
				}
			})
		}
	}
}

func TestRunOfNothing(t *testing.T) {
	got, err := roster.Runner{Group: 5, Lanes: 2}.Run(t.Context(), nil)
	if len(got) != 0 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestRunUsesItsLanesAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var busy, most atomic.Int32
		r := roster.Runner{Group: 2, Lanes: 3, Issue: func(_ context.Context, g []roster.Row) ([]roster.Result, error) {
			if now := busy.Add(1); now > most.Load() {
				most.Store(now)
			}
			time.Sleep(time.Second)
			busy.Add(-1)
			return resultsOf(g), nil
		}}
		begin := time.Now()
		if _, err := r.Run(t.Context(), crowd(12)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 2*time.Second || most.Load() != 3 {
			t.Errorf("6 groups of a second took %v in 3 lanes, of which %d were busy at once", took, most.Load())
		}
	})
}

func TestRunEndsAfterTheFirstErrorWithWhatIsUnderWay(t *testing.T) {
	full, later := errors.New("disk full"), errors.New("later")
	rows := crowd(12) // in groups of 2: n2 fails after a second, n0 succeeds and n4 fails after two
	synctest.Test(t, func(t *testing.T) {
		var told []int
		var begun atomic.Int32
		r := roster.Runner{Group: 2, Lanes: 3, Done: func(n int) { told = append(told, n) },
			Issue: func(ctx context.Context, g []roster.Row) ([]roster.Result, error) {
				begun.Add(1)
				switch g[0].Name {
				case "n2":
					time.Sleep(time.Second)
					return resultsOf(g[:1]), full // one was durable
				case "n4":
					time.Sleep(2 * time.Second)
					return nil, later
				}
				time.Sleep(2 * time.Second)
				return resultsOf(g), ctx.Err() // an error elsewhere is no reason to stop halfway
			}}
		got, err := r.Run(t.Context(), rows)
		if !errors.Is(err, full) || !slices.Equal(got, resultsOf(rows[:3])) {
			t.Errorf("got %v, %v", got, err)
		}
		if begun.Load() != 3 || !slices.Equal(told, []int{1, 2}) {
			t.Errorf("%d groups began, %v rows were told as done", begun.Load(), told)
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	rows := crowd(12)
	enough := errors.New("enough")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 1500*time.Millisecond, enough)
		defer cancel()
		r := roster.Runner{Group: 2, Lanes: 2, Issue: func(_ context.Context, g []roster.Row) ([]roster.Result, error) {
			time.Sleep(time.Second)
			return resultsOf(g), nil
		}}
		begin := time.Now()
		got, err := r.Run(ctx, rows)
		if !errors.Is(err, enough) || !slices.Equal(got, resultsOf(rows[:8])) {
			t.Errorf("got %v, %v", got, err)
		}
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("it ended after %v", took)
		}
	})
}

func TestRunThatIsCancelledWhenAllIsDoneIsDone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := roster.Runner{Issue: func(_ context.Context, g []roster.Row) ([]roster.Result, error) { return resultsOf(g), nil },
		Done: func(int) { cancel() }}
	if got, err := r.Run(ctx, crowd(1)); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := r.Run(ctx, crowd(1)); !errors.Is(err, context.Canceled) || len(got) != 0 {
		t.Errorf("of a context that has ended, got %v, %v", got, err)
	}
}
