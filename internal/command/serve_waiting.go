package command

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/reload"
)

// waiting is what the X.509 list for other servers lacks of what is in force here. It is counted beside all else: that
// takes longer than a revocation may take to be in force.
type waiting struct {
	store  *store.Store
	log    *slog.Logger
	beside sync.WaitGroup // what is being counted

	mu    sync.Mutex
	turn  int
	count int
	first time.Time // when the first of them was revoked; zero where none tells
}

// look counts anew, and tells the log where that is not what it told before.
func (w *waiting) look(ctx context.Context, r reload.Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn++
	turn := w.turn
	w.beside.Go(func() {
		made := map[string]time.Time{}
		for _, l := range r.Lists {
			if l.Made.After(made[l.Issuer]) {
				made[l.Issuer] = l.Made
			}
		}
		lacks := w.store.Unlapsed(ctx, r.Unsigned(), made)
		if ctx.Err() == nil {
			w.tell(turn, len(lacks), firstOf(lacks))
		}
	})
}

func (w *waiting) tell(turn, count int, first time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if turn != w.turn || count == w.count && first.Equal(w.first) {
		return
	}
	w.count, w.first = count, first
	if count == 0 {
		w.log.Info("the X.509 list for other servers has all that is revoked")
		return
	}
	attributes := []any{slog.Int("number", count)}
	if !first.IsZero() {
		attributes = append(attributes, slog.String("since", stamp(first)))
	}
	w.log.Info("the X.509 list for other servers lacks revocations: ftsca crl sign, where the authority is", attributes...)
}

// now returns how many the list lacks, and since when.
func (w *waiting) now() (count int, first time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count, w.first
}
