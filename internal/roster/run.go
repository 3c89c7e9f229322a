package roster

import (
	"context"
	"slices"
	"sync"
)

// Runner issues rows, several groups at a time.
type Runner struct {
	Group int // how many rows become durable in one act; less than 1 is 1
	Lanes int // how many groups are under way at once; less than 1 is 1

	// Issue issues a group and returns its results, in the group's order, when they are durable; beside an error, those
	// that are. It is called from several goroutines.
	Issue func(ctx context.Context, group []Row) ([]Result, error)

	// Done is told how many results a group gave, never from two goroutines at once. May be nil.
	Done func(n int)
}

// Run issues all rows and returns their results in the order of the rows. After an error of Issue, or when the context
// ends, no further group begins; those under way are waited for (it is for Issue to heed the context or not). Then the
// results so far are returned with the first error, as Issue gave it, or the context's cause.
func (r Runner) Run(ctx context.Context, rows []Row) ([]Result, error) {
	groups := slices.Collect(slices.Chunk(rows, max(r.Group, 1)))
	t := &turn{results: make([][]Result, len(groups))}
	var lanes sync.WaitGroup
	for range min(max(r.Lanes, 1), len(groups)) {
		lanes.Go(func() {
			for {
				i, ok := t.take(ctx)
				if !ok {
					return
				}
				results, err := r.Issue(ctx, groups[i])
				t.give(i, results, err, r.Done)
			}
		})
	}
	lanes.Wait()
	return slices.Concat(t.results...), t.err
}

// turn deals the groups out.
type turn struct {
	sync.Mutex
	next    int
	results [][]Result
	err     error // the first
}

// take returns the next group's number, if there is to be one.
func (t *turn) take(ctx context.Context) (int, bool) {
	t.Lock()
	defer t.Unlock()
	if t.err != nil || t.next == len(t.results) {
		return 0, false
	}
	if ctx.Err() != nil {
		t.err = context.Cause(ctx)
		return 0, false
	}
	t.next++
	return t.next - 1, true
}

func (t *turn) give(i int, results []Result, err error, done func(n int)) {
	t.Lock()
	defer t.Unlock()
	t.results[i] = results
	if t.err == nil {
		t.err = err
	}
	if done != nil && len(results) > 0 {
		done(len(results))
	}
}
