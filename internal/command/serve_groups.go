package command

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/ftsca/ftsca/ca/store"
)

// rollCall tells the log how many are in groups by groups.yaml, and which names in it nobody has. It reads what was issued
// beside all else: with a hundred thousand certificates that takes longer than serve may take to start, or a revocation to
// be in force.
type rollCall struct {
	register *store.Register
	log      *slog.Logger
	groups   map[string][]string // as last told; nil when none were
	beside   sync.WaitGroup      // what goes on beside all else, until its context is done
}

func newRollCall(ctx context.Context, register *store.Register, log *slog.Logger) *rollCall {
	r := &rollCall{register: register, log: log}
	r.beside.Go(func() {
		if err := register.Load(ctx); err != nil && ctx.Err() == nil {
			log.Warn("the log will not tell generations of certificates", slog.Any("error", err))
		}
	})
	return r
}

// tell says how many are in groups, where that is not what it said before.
func (r *rollCall) tell(ctx context.Context, groups map[string][]string) {
	if groups == nil || r.groups != nil && maps.EqualFunc(groups, r.groups, slices.Equal) {
		return
	}
	r.groups = groups
	all := map[string]bool{}
	for _, of := range groups {
		for _, group := range of {
			all[group] = true
		}
	}
	r.log.Info("groups", slog.Int("names", len(groups)), slog.Int("groups", len(all)))
	names := slices.Sorted(maps.Keys(groups))
	r.beside.Go(func() { r.compare(ctx, names) })
}

// compare warns of names to whom no certificate was issued: most are typos, and whoever was meant is in the groups of his
// certificate.
func (r *rollCall) compare(ctx context.Context, names []string) {
	if r.register.Load(ctx) != nil {
		return
	}
	const most = 10
	if unknown := r.register.Unknown(names); len(unknown) > 0 {
		r.log.Warn("groups.yaml has names that issued.jsonl has not: perhaps they are misspelt", slog.Int("number", len(unknown)),
			slog.Any("names", unknown[:min(len(unknown), most)]))
	}
}
