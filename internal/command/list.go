package command

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/output"
)

// mostRows is how many rows of a table a terminal gets: who has more certificates than that looks for some of them.
const mostRows = 1000

type listOptions struct {
	g        *global
	expiring span
	revoked  bool
	purpose  string
	group    string
	name     string
	stillOn  string
	quiet    bool
	json     bool
	csv      bool
}

func newListCommand(g *global, runF func(context.Context, *listOptions) error) *cobra.Command {
	o := &listOptions{g: g}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List certificates of the store",
		Long: `List certificates of the store with their state: all of them, or those that every filter given lets
through. Where the store has no authority/ room, the list is the endpoint's own, of what was issued for it.

--expiring lists what lapses within a time and has no later generation that does not. With --quiet nothing
is listed, and the exit code is 3 where anything is found, a revocation list that is due included: for cron.`,
		Example: `  ftsca list
  ftsca list --expiring 30d --type client --csv
  ftsca list --expiring 30d --quiet || echo "certificates lapse"
  ftsca list --still-on "Valley Rescue CA"`,
		Args: cobra.NoArgs,
		RunE: g.run(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.Var(&o.expiring, "expiring", "what lapses within this `time`, such as 30d, or has lapsed in the same time before now")
	flags.BoolVar(&o.revoked, "revoked", false, "what is revoked or on hold")
	flags.StringVar(&o.purpose, "type", "", "`what` it is for: client, server, issuing, root or ca")
	flags.StringVar(&o.group, "group", "", "clients of a `group`")
	flags.StringVar(&o.name, "name", "", "names that contain this `text`, upper and lower case alike")
	flags.StringVar(&o.stillOn, "still-on", "", "valid certificates of an `authority` whose name has none of another")
	flags.BoolVar(&o.quiet, "quiet", false, "list nothing, and exit with 3 where anything is found")
	flags.BoolVar(&o.json, "json", false, "print the list as JSON")
	flags.BoolVar(&o.csv, "csv", false, "print the list as CSV")
	cmd.MarkFlagsMutuallyExclusive("json", "csv", "quiet")
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
	RevokeAt   string   `json:"revoke_at,omitempty"` // when it is to be revoked
	Groups     []string `json:"groups,omitempty"`
	Hosts      []string `json:"hosts,omitempty"`
	Families   []string `json:"families,omitempty"`
	Packages   []string `json:"packages,omitempty"`
	Delivered  string   `json:"delivered,omitempty"` // when the packages were handed over
	Contact    string   `json:"contact,omitempty"`
}

func runList(ctx context.Context, o *listOptions) error {
	g := o.g
	switch ca.Purpose(o.purpose) {
	case "", ca.Client, ca.Server, ca.Issuing, ca.Root, ca.Single:
	default:
		return usagef("--type %q is none of client, server, issuing, root, ca", o.purpose)
	}
	s, standing, err := g.open(ctx)
	if err != nil {
		return err
	}
	records, err := s.Records(ctx)
	if err != nil {
		return err
	}
	inForce, now := g.inForce(s, standing), g.env.Now()
	revoked := revocationsOf(inForce)
	if records, err = o.filter(ctx, s, records, inForce, revoked, now); err != nil {
		return err
	}
	if o.quiet {
		due := dueLists(standing.Signed, time.Duration(o.expiring), now)
		if n := len(records) + len(due); n > 0 {
			return &noError{fmt.Sprintf("%s found", plural(n, "match", "matches"))}
		}
		return nil
	}
	tty, width := g.env.tty()
	if !o.json && !o.csv && tty && len(records) > mostRows {
		defer g.talk("note: and %d more: filters, --json and --csv show all", len(records)-mostRows)
		records = records[:mostRows]
	}
	if o.json {
		return output.JSONList(g.env.Stdout, func(yield func(listed) bool) {
			for _, r := range records {
				if !yield(listedOf(r, revoked, now)) {
					return
				}
			}
		})
	}
	header := []string{"name", "gen", "for", "state", "until", "serial", "groups"}
	rows := make([][]string, len(records))
	for i, r := range records {
		state, _ := revoked.state(r, now)
		groups := strings.Join(r.Groups, " ")
		if o.csv {
			groups = strings.Join(r.Groups, "|") // as a roster has them
		}
		rows[i] = []string{r.Name, strconv.Itoa(r.Generation), string(r.Purpose), state, output.Time(r.NotAfter, now, tty && !o.csv), r.Serial, groups}
		if o.csv {
			rows[i] = append(rows[i], r.Contact)
		}
	}
	if o.csv {
		return output.CSV(g.env.Stdout, append(header, "contact"), rows)
	}
	return output.Table(g.env.Stdout, width, header, rows)
}

// filter leaves the records that every filter lets through.
func (o *listOptions) filter(ctx context.Context, s *store.Store, records []store.Record, inForce []crl.Entry, revoked revocations, now time.Time) ([]store.Record, error) {
	if o.stillOn != "" {
		authorities, err := s.Authorities(ctx)
		if err != nil {
			return nil, err
		}
		old := authorities.Named(o.stillOn)
		if old == nil {
			return nil, &store.UnknownError{Address: o.stillOn}
		}
		records = store.StillOn(records, inForce, old, now)
	}
	keeps := []func(store.Record) bool{}
	if o.purpose != "" {
		keeps = append(keeps, func(r store.Record) bool { return string(r.Purpose) == o.purpose })
	}
	if o.group != "" {
		keeps = append(keeps, func(r store.Record) bool { return slices.Contains(r.Groups, o.group) })
	}
	if o.name != "" {
		text := strings.ToLower(o.name)
		keeps = append(keeps, func(r store.Record) bool { return strings.Contains(strings.ToLower(r.Name), text) })
	}
	if o.revoked {
		keeps = append(keeps, func(r store.Record) bool { return revoked.has(r) })
	}
	if o.expiring != 0 {
		keeps = append(keeps, lapsing(records, revoked, now, time.Duration(o.expiring)))
	}
	if len(keeps) == 0 {
		return records, nil
	}
	return slices.DeleteFunc(records, func(r store.Record) bool {
		return slices.ContainsFunc(keeps, func(keep func(store.Record) bool) bool { return !keep(r) })
	}), nil
}

// lapsing tells which records lapse within a time from now, or have lapsed as long ago, and are not revoked, unless
// their name has a certificate that outlasts the time.
func lapsing(records []store.Record, revoked revocations, now time.Time, within time.Duration) func(store.Record) bool {
	since, until := now.Add(-within), now.Add(within)
	lapses := func(r store.Record) bool {
		return !r.NotAfter.After(until) && !r.NotAfter.Before(since) && !revoked.has(r)
	}
	lasts := map[string]bool{} // by the names of what lapses
	for _, r := range records {
		if lapses(r) {
			lasts[r.Name] = false
		}
	}
	for _, r := range records {
		if _, asked := lasts[r.Name]; !asked {
			continue
		}
		if state, _ := revoked.state(r, now); state == stateValid && r.NotAfter.After(until) {
			lasts[r.Name] = true
		}
	}
	return func(r store.Record) bool { return lapses(r) && !lasts[r.Name] }
}

func listedOf(r store.Record, revoked revocations, now time.Time) listed {
	state, entry := revoked.state(r, now)
	row := listed{Name: r.Name, Generation: r.Generation, Purpose: string(r.Purpose), Serial: r.Serial,
		NotBefore: stamp(r.NotBefore), NotAfter: stamp(r.NotAfter),
		State: state, Groups: r.Groups, Hosts: r.Hosts, Families: r.Families, Packages: r.Packages, Contact: r.Contact}
	if !r.Delivered.IsZero() {
		row.Delivered = stamp(r.Delivered)
	}
	if !r.RevokeAt.IsZero() {
		row.RevokeAt = stamp(r.RevokeAt)
	}
	if entry != nil {
		row.Revoked, row.Reason = stamp(entry.Date), entry.Reason.String()
	}
	return row
}

// dueLists returns the signed revocation lists that lapse within a time, or are due for renewal.
func dueLists(lists []*crl.X509, within time.Duration, now time.Time) []*crl.X509 {
	var due []*crl.X509
	for _, l := range lists {
		if !l.NextUpdate.IsZero() && now.After(l.NextUpdate.Add(-max(within, l.NextUpdate.Sub(l.ThisUpdate)/10))) {
			due = append(due, l)
		}
	}
	return due
}
