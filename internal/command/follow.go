package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/export"
)

// act is run for a command that changes what others load: the folders that follow the store have it before it ends, also
// where the command ends with an error or is cancelled, since part of its work may be done.
func (g *global) act(work func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := g.run(work)(cmd, args)
		if plan := cmd.Flags().Lookup("dry-run"); !g.running || plan != nil && plan.Value.String() == "true" {
			return err
		}
		failed := g.publish(context.WithoutCancel(cmd.Context()))
		if failed != nil && err != nil {
			g.talk("warning: %v", failed)
			return err
		}
		return errors.Join(err, failed)
	}
}

// publish brings the folders that follow the store up to date. It does so from what the store has now, so that what an
// earlier command could not publish follows too.
func (g *global) publish(ctx context.Context) error {
	s, err := store.Open(g.folder(), g.options())
	if err != nil {
		return nil // there is nothing to follow, and the command has said why
	}
	defer s.Close()
	// Nobody waits for a lock who exports nothing.
	if _, err := os.Lstat(s.ExportsFile()); err != nil {
		return nil
	}
	registry, unlock, err := lockedExports(ctx, s)
	if err != nil {
		return hinted(fmt.Errorf("the folders that follow the store were not brought up to date: %w", err), "%s", publishAnew)
	}
	defer unlock()
	var followed []*export.Export
	for _, e := range registry.Exports {
		if e.Follow {
			followed = append(followed, e)
		}
	}
	if len(followed) == 0 {
		return nil
	}
	var errs []error
	for _, e := range followed {
		if err := g.takeUp(ctx, s, e); err != nil {
			errs = append(errs, fmt.Errorf("reading back what was revoked in %s: %w", e.Folder, err))
		}
	}
	material, broken := g.material(ctx, s)
	for _, e := range followed {
		report, err := export.Report{}, broken
		if err == nil {
			report, err = e.Publish(g.form(e).Files(material), material.Packages, export.Publishing{Now: g.env.Now(), Save: registry.Save})
		}
		if err != nil {
			if e.FailedAt.IsZero() {
				e.FailedAt = g.env.Now().UTC()
			}
			e.Failure = err.Error()
			errs = append(errs, fmt.Errorf("%s was not brought up to date: %w", e.Folder, err), registry.Save())
			continue
		}
		if report.Changes() {
			g.talk("published to %s: %s", e.Folder, strings.Join(append(report.Written, report.Removed...), ", "))
		}
		g.tellKept(e, report)
	}
	if err := errors.Join(errs...); err != nil {
		return hinted(err, "%s", publishAnew)
	}
	return nil
}

const publishAnew = "mend that, then ftsca export fts --to FOLDER; ftsca export --list shows what is up to date"

// takeUp puts on the store's list what another program has revoked with the authority's key in an exported ca.pem.
func (g *global) takeUp(ctx context.Context, s *store.Store, e *export.Export) error {
	changed := e.ChangedAuthorities()
	if changed == nil {
		return nil
	}
	taken, err := s.SignedElsewhere(ctx, changed)
	if err != nil || len(taken) == 0 {
		return err
	}
	outcome, err := s.Import(ctx, taken, map[crl.Serial]string{}, e.Folder)
	if err != nil {
		return err
	}
	for _, entry := range outcome.Added {
		g.talk("warning: %s had been revoked by another program in %s; it is on the list now", entry.Serial, e.Folder)
	}
	g.warnAnew(outcome)
	if err := errors.Join(outcome.Problems...); err != nil {
		return err
	}
	return g.resign(ctx, s, secretSource{descriptor: -1}, nowRevoked.by(outcome))
}

// warnExports tells of folders that follow the store and could not be brought up to date.
func (g *global) warnExports(s *store.Store) {
	registry, err := export.Load(s.ExportsFile())
	if err != nil {
		g.talk("warning: %v", err)
		return
	}
	for _, e := range registry.Exports {
		if e.Follow && !e.FailedAt.IsZero() {
			g.talk("warning: %s follows the store and has not been up to date since %s: %s", e.Folder, stamp(e.FailedAt), e.Failure)
		}
	}
}
