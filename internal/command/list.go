package command

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/output"
)

type listOptions struct {
	g    *global
	json bool
}

func newListCommand(g *global, runF func(context.Context, *listOptions) error) *cobra.Command {
	o := &listOptions{g: g}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List every certificate of the store",
		Long: `List every certificate of the store with its state. Where the store has no authority/ room, the list is
the endpoint's own, of what was issued for it.`,
		Example: "  ftsca list\n  ftsca list --json",
		Args:    cobra.NoArgs,
		RunE:    g.run(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print the list as JSON")
	return cmd
}

// listed is a row of the list, for JSON.
type listed struct {
	Name       string   `json:"name"`
	Generation int      `json:"generation"`
	Purpose    string   `json:"purpose"`
	Serial     string   `json:"serial"`
	NotBefore  string   `json:"not_before"`
	NotAfter   string   `json:"not_after"`
	State      string   `json:"state"`
	Revoked    string   `json:"revoked,omitempty"` // when
	Reason     string   `json:"reason,omitempty"`
	Groups     []string `json:"groups,omitempty"`
	Hosts      []string `json:"hosts,omitempty"`
	Package    string   `json:"package,omitempty"`
}

func runList(ctx context.Context, o *listOptions) error {
	g := o.g
	s, standing, err := g.open(ctx)
	if err != nil {
		return err
	}
	records, err := s.Records(ctx)
	if err != nil {
		return err
	}
	revoked, now := revocationsOf(standing.InForce), g.env.Now()
	rows := make([]listed, 0, len(records))
	for _, r := range records {
		rows = append(rows, listedOf(r, revoked, now))
	}
	if o.json {
		return output.JSON(g.env.Stdout, rows)
	}
	tty, width := g.env.tty()
	table := make([][]string, 0, len(rows))
	for i, r := range rows {
		table = append(table, []string{r.Name, strconv.Itoa(r.Generation), r.Purpose, r.State,
			output.Time(records[i].NotAfter, g.env.Now(), tty), r.Serial, strings.Join(r.Groups, " ")})
	}
	return output.Table(g.env.Stdout, width, []string{"name", "gen", "for", "state", "until", "serial", "groups"}, table)
}

func listedOf(r store.Record, revoked revocations, now time.Time) listed {
	state, entry := revoked.state(r, now)
	row := listed{Name: r.Name, Generation: r.Generation, Purpose: string(r.Purpose), Serial: r.Serial,
		NotBefore: stamp(r.NotBefore), NotAfter: stamp(r.NotAfter),
		State: state, Groups: r.Groups, Hosts: r.Hosts, Package: r.Package}
	if entry != nil {
		row.Revoked, row.Reason = stamp(entry.Date), entry.Reason.String()
	}
	return row
}
