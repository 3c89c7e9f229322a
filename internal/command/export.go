package command

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/export"
	"github.com/ftsca/ftsca/internal/output"
)

type exportOptions struct {
	g      *global
	list   bool
	forget string
	json   bool
}

func newExportCommand(g *global, runF func(context.Context, *exportOptions) error) *cobra.Command {
	o := &exportOptions{g: g}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Put the store's material where other servers load it",
		Long: `Put the store's material where other servers load it, in the form that they load.

--list shows every folder that was exported to, whether it follows the store, and whether it is up to date: it
ends with 3 where one that follows is not. --forget takes a folder off that list, and leaves the folder as it is.`,
		Example: `  ftsca export fts --to /opt/fts/certs --follow
  ftsca export --list
  ftsca export --forget /mnt/old/certs`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !o.list && o.forget == "" {
			return cmd.Help()
		}
		return g.run(func(ctx context.Context, _ []string) error { return runF(ctx, o) })(cmd, args)
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.list, "list", false, "show what was exported")
	flags.StringVar(&o.forget, "forget", "", "take a `folder` off the list")
	flags.BoolVar(&o.json, "json", false, "with --list, print it as JSON")
	cmd.MarkFlagsMutuallyExclusive("list", "forget")
	cmd.AddCommand(newExportFTSCommand(g, runExportFTS))
	return cmd
}

func runExport(ctx context.Context, o *exportOptions) error {
	s, _, err := o.g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if o.forget != "" {
		return o.runForget(ctx, s)
	}
	return o.runList(ctx, s)
}

func (o *exportOptions) runForget(ctx context.Context, s *store.Store) error {
	folder, err := filepath.Abs(o.forget)
	if err != nil {
		return err
	}
	registry, unlock, err := lockedExports(ctx, s)
	if err != nil {
		return err
	}
	defer unlock()
	if !registry.Forget(folder) {
		return hinted(fmt.Errorf("nothing was exported to %s", folder), "ftsca export --list shows where")
	}
	if err := registry.Save(); err != nil {
		return err
	}
	o.g.say("forgotten  %s", folder)
	return nil
}

// lockedExports returns the list of what was exported, which nobody else changes until unlock.
func lockedExports(ctx context.Context, s *store.Store) (r *export.Registry, unlock func(), err error) {
	if unlock, err = s.LockExports(ctx); err != nil {
		return nil, nil, err
	}
	if r, err = export.Load(s.ExportsFile()); err != nil {
		unlock()
		return nil, nil, err
	}
	return r, unlock, nil
}

// exported is what is known of a folder, for JSON.
type exported struct {
	Folder    string    `json:"folder"`
	Form      string    `json:"form"`
	Follows   bool      `json:"follows"`
	UpToDate  bool      `json:"up_to_date"`
	Differs   []string  `json:"differs,omitempty"`
	Problem   string    `json:"problem,omitempty"`
	FailingAt time.Time `json:"failing_since,omitzero"`
	Published time.Time `json:"published,omitzero"`
}

func (o *exportOptions) runList(ctx context.Context, s *store.Store) error {
	g := o.g
	registry, err := export.Load(s.ExportsFile())
	if err != nil {
		return err
	}
	material, broken := g.material(ctx, s)
	all := []exported{}
	behind := 0
	for _, e := range registry.Exports {
		r := exported{Folder: e.Folder, Form: e.Form, Follows: e.Follow, FailingAt: e.FailedAt, Published: e.Published}
		err := broken
		if err == nil {
			r.Differs, err = e.Check(g.form(e).Files(material), material.Packages)
		}
		if err != nil {
			r.Problem = err.Error()
		}
		r.UpToDate = err == nil && len(r.Differs) == 0
		if e.Follow && !r.UpToDate {
			behind++
		}
		all = append(all, r)
	}
	if o.json {
		err = output.JSON(g.env.Stdout, all)
	} else {
		err = g.exportTable(all)
	}
	if err == nil && behind > 0 {
		err = &noError{plural(behind, "followed folder is", "followed folders are") + " not up to date: ftsca export fts --to FOLDER"}
	}
	return err
}

func (g *global) exportTable(all []exported) error {
	if len(all) == 0 {
		g.talk("nothing was exported yet")
		return nil
	}
	tty, width := g.env.tty()
	var rows [][]string
	for _, r := range all {
		follows, state := "no", "up to date"
		if r.Follows {
			follows = "yes"
		}
		switch {
		case r.Problem != "":
			state = r.Problem
		case !r.UpToDate:
			state = "differs: " + strings.Join(r.Differs, ", ")
		}
		rows = append(rows, []string{r.Folder, r.Form, follows, output.Time(r.Published, g.env.Now(), tty), state})
	}
	return output.Table(g.env.Stdout, width, []string{"folder", "form", "follows", "published", "state"}, rows)
}

// material takes what is exported from the store. A ledger that cannot be read is no reason to publish no revocation.
func (g *global) material(ctx context.Context, s *store.Store) (export.Material, error) {
	list, err := s.RevokedText(ctx)
	var busy *store.BusyError
	if errors.As(err, &busy) || ctx.Err() != nil {
		return export.Material{}, err
	}
	return export.Read(s, list)
}
