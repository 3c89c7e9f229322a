package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/durable"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/internal/roster"
	"github.com/ftsca/ftsca/internal/secret"
)

const (
	// rosterGroup is how many rows become durable in one act: enough that syncing the disk costs little of each, and few
	// enough that what a kill undoes is done again in a second or two.
	rosterGroup = 32

	// garbage is how much of it may pile up beside what is in use, in percent of that. Encoding a client's files leaves a
	// megabyte and keeps a few kilobytes, so Go's 100 would have it collected after every third client.
	garbage = 400
)

// rosterRun is the issue of many clients from one file.
type rosterRun struct {
	o           *issueClientOptions
	store       *store.Store
	authorities store.Authorities
	authority   *ca.Authority
	plan        *roster.Plan
	given       secret.Secret // one password for all; zero makes one for each
	pack        packing       // what the packages have in common
}

func runRoster(ctx context.Context, o *issueClientOptions) error {
	g := o.g
	if o.named || o.newGeneration || len(o.sans) > 0 {
		return usagef("--from takes names from the file: no NAME, --san or --new-generation goes with it")
	}
	if o.callsign != "" {
		return usagef("--callsign is for one client: everybody of the roster would have it")
	}
	if o.passwordOut != "" {
		return usagef("--password-out is for one client: a roster's passwords lie beside their packages")
	}
	pack, err := o.packing()
	if err != nil {
		return err
	}
	defaults, err := o.rowDefaults(pack)
	if err != nil {
		return err
	}
	data, err := readBounded(o.from, roster.MaxSize)
	if err != nil {
		return fmt.Errorf("reading the roster: %w", err)
	}
	s, _, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	keys, err := g.keyring(ctx, s, o.passphrase, true)
	if err != nil {
		return err
	}
	if err := issuesHere(keys.authorities); err != nil {
		return err
	}
	r := &rosterRun{o: o, store: s, authorities: keys.authorities, pack: pack}
	if r.plan, err = r.makePlan(ctx, data, defaults); err != nil {
		return hinted(fmt.Errorf("the roster %s: %w", o.from, err), "nothing was issued: mend the file, and run this again")
	}
	if err := r.checkOrders(); err != nil {
		return err
	}
	results := o.results
	if results == "" {
		results = strings.TrimSuffix(o.from, filepath.Ext(o.from)) + ".results.csv"
	}
	g.talk("the roster has %s: %d to issue, %d issued by an earlier run", plural(len(r.plan.Issue)+len(r.plan.Done), "row", "rows"), len(r.plan.Issue), len(r.plan.Done))
	if o.dryRun {
		for _, row := range r.plan.Issue {
			g.say("would issue  %s, connecting to %s, key %s", row.Name, strings.Join(row.Hosts, " "), row.Key)
		}
		return nil
	}
	if o.password.given() || g.env.Getenv("FTS_CLIENT_CERT_PASSWORD") != "" {
		if r.given, _, err = g.clientPassword(o.password, o.allowWeak); err != nil {
			return err
		}
	}
	if err := checkWritable(filepath.Dir(results)); err != nil {
		return fmt.Errorf("the results: %w", err)
	}
	if len(r.plan.Issue) > 0 {
		if err := s.CheckClock(ctx); err != nil {
			return err
		}
		if r.authority, err = keys.current(); err != nil {
			return err
		}
	}
	issued, err := r.run(ctx)
	all := r.plan.Results(issued)
	if writeErr := r.writeResults(results, all); writeErr != nil {
		err = errors.Join(err, writeErr)
	} else {
		g.say("issued   %s", plural(len(issued), "client", "clients"))
		g.say("results  %s", results)
	}
	if err != nil {
		return hinted(err, "run the same command again: what is issued is not issued twice")
	}
	return nil
}

// rowDefaults are what the flags say for all rows.
func (o *issueClientOptions) rowDefaults(pack packing) (roster.Row, error) {
	row := roster.Row{Families: familyNames(pack.families), Hosts: pack.hosts, Groups: o.groups, Days: o.days}
	algorithm, err := keyfile.ParseAlgorithm(o.key)
	if err != nil {
		return row, &usageError{err}
	}
	row.Key = algorithm
	return row, nil
}

// makePlan checks the whole file against itself and the store.
func (r *rosterRun) makePlan(ctx context.Context, data []byte, defaults roster.Row) (*roster.Plan, error) {
	records, err := r.store.Records(ctx)
	if err != nil {
		return nil, err
	}
	byName := make(map[string][]roster.Existing, len(records))
	for _, rec := range records {
		e := roster.Existing{Generation: rec.Generation, Serial: rec.Serial, Digest: rec.Mark}
		if len(rec.Packages) > 0 {
			e.Package, e.PasswordFile = r.paths(rec.Packages), packagePath(r.store, store.PasswordFile(rec.Packages[0]))
		}
		byName[rec.Name] = append(byName[rec.Name], e)
	}
	return roster.NewPlan(data, defaults, func(name string) ([]roster.Existing, error) { return byName[name], nil })
}

// paths are those of a client's packages, in one cell.
func (r *rosterRun) paths(names []string) string {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = packagePath(r.store, name)
	}
	return strings.Join(paths, " ")
}

// checkOrders has every row's certificate drafted, so that what cannot be issued stops the run before it begins. A key
// of the authority's kind stands for the rows' own, which are not made yet.
func (r *rosterRun) checkOrders() error {
	stand, err := keyfile.Generate(keyfile.ECDSAP256)
	if err != nil {
		return err
	}
	now := r.o.g.env.Now()
	for _, row := range r.plan.Issue {
		request, err := csr.New(stand.Public(), r.subject(row), nil)
		if err == nil {
			pack := r.pack
			if pack.families, err = familiesOf(row.Families); err == nil {
				pack.hosts = row.Hosts
				err = pack.check()
			}
		}
		if err == nil {
			_, _, err = ca.Preview(r.authorities.Current, now, r.order(row, request))
		}
		if err != nil {
			return fmt.Errorf("the roster %s: line %d: name %q: %w", r.o.from, row.Line, row.Name, err)
		}
	}
	return nil
}

func (r *rosterRun) subject(row roster.Row) csr.Subject {
	return r.o.subject.subject(row.Name, row.Groups)
}

func (r *rosterRun) order(row roster.Row, request csr.Request) ca.Order {
	return ca.Order{Purpose: ca.Client, Request: request, Days: row.Days, Channels: r.o.channels, Hosts: row.Hosts, Families: row.Families, Contact: row.Contact, Mark: row.Digest()}
}

func (r *rosterRun) run(ctx context.Context) ([]roster.Result, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	_, width := r.o.g.env.progress()
	progress := output.NewProgress(r.o.g.env.Stderr, width, len(r.plan.Issue), "clients")
	defer progress.End()
	runner := roster.Runner{
		Group: rosterGroup,
		// Two more than there are cores: while one group waits for the disk, and another for its turn, the rest compute.
		Lanes: runtime.GOMAXPROCS(0) + 2,
		Issue: r.issue,
		Done:  progress.Add,
	}
	return runner.Run(ctx, r.plan.Issue)
}

// issue issues a group of rows in one act.
func (r *rosterRun) issue(ctx context.Context, rows []roster.Row) ([]roster.Result, error) {
	orders, results := make([]ca.Order, len(rows)), make([]roster.Result, len(rows))
	for i, row := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		key, err := keyfile.Generate(row.Key)
		if err != nil {
			return nil, err
		}
		request, err := csr.New(key.Public(), r.subject(row), nil)
		if err != nil {
			return nil, err
		}
		orders[i] = r.order(row, request)
		orders[i].Pack = func(e ca.Entry) ([]ca.Product, error) {
			pack := r.pack
			pack.key, pack.hosts, pack.password = key, row.Hosts, r.given
			if pack.password.IsZero() {
				pack.password = secret.Random()
			}
			var err error
			if pack.families, err = familiesOf(row.Families); err != nil {
				return nil, err
			}
			products, err := r.o.g.clientPackages(r.authorities, e, pack, false)
			if err != nil {
				return nil, err
			}
			note := passwordNote(products[0].Name, pack.password)
			results[i] = roster.Result{Name: e.Name, Generation: e.Generation, Serial: serialOf(e.Certificate), Contact: row.Contact,
				Package: strings.Join(packagePaths(r.store, products), " "), PasswordFile: packagePath(r.store, note.Name), State: roster.Issued}
			return append(products, note), nil
		}
	}
	if _, err := r.authority.IssueAll(ctx, orders); err != nil {
		return nil, err
	}
	return results, nil
}

// writeResults writes the result file. It names where passwords lie, and who has which package.
func (r *rosterRun) writeResults(name string, results []roster.Result) error {
	var b strings.Builder
	header, rows := roster.Sheet(results)
	err := output.CSV(&b, header, rows)
	if err == nil {
		err = durable.WriteFile(name, []byte(b.String()), 0o600)
	}
	if err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}

// issuesHere tells why an authority issues to no clients and servers.
func issuesHere(a store.Authorities) error {
	switch {
	case a.Current == nil:
		return store.ErrPending
	case a.IsRoot():
		return hinted(fmt.Errorf("%q is a root: it issues to no server or client of its own", a.Current.Subject.CommonName),
			"ftsca csr sign signs requests, those of issuing authorities above all")
	}
	return nil
}

// hostPort reads a host as people give it, and returns it with its port.
func hostPort(text string) (string, error) {
	host, port, err := datapackage.ParseHost(text)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s:%d", host, port), nil
}

// progress tells whether a person watches standard error, and how wide their terminal is.
func (e Env) progress() (bool, int) {
	f, ok := e.Stderr.(*os.File)
	if !ok || !output.IsTerminal(f) {
		return false, 0
	}
	return true, output.Width(f)
}
