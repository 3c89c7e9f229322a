package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
)

type packageMakeOptions struct {
	packageFlags
	g        *global
	names    []string
	all      bool
	bundle   string
	password secretSource
	dryRun   bool
	json     bool
}

func newPackageMakeCommand(g *global, runF func(context.Context, *packageMakeOptions) error) *cobra.Command {
	o := &packageMakeOptions{g: g}
	cmd := &cobra.Command{
		Use:   "make NAME... | make --all",
		Short: "Make packages anew, without a new certificate",
		Long: `Make the packages of clients anew: for another server (--host), for other clients (--for), with other settings, or
to trust what the authority trusts now. The certificate stays the same, and needs no passphrase. What is
not given stays as it was in the last package, which is opened for its key and its password; --from-p12
takes them from a file instead. The new packages take the place of the old ones.

A device that knows a connection to the same server passes over a package for it: delete that first.`,
		Example: `  ftsca package make alice --for all
  ftsca package make --all --host new.example.org
  ftsca package make bob --from-p12 bob.p12 --password-file pw.txt --host fts.example.org`,
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.names = args
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	o.packageFlags.bind(flags)
	flags.BoolVar(&o.all, "all", false, "make those of every client with a valid certificate")
	flags.StringVar(&o.bundle, "from-p12", "", "take one client's key from this p12 `file`, opened with the password given")
	o.password.bind(flags, "password", "the password of the p12 file, or of packages that do not hold it")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be made, and make nothing")
	flags.BoolVar(&o.json, "json", false, "print the results as JSON")
	return cmd
}

// repacked is the result of package make, for JSON.
type repacked struct {
	Name       string   `json:"name"`
	Generation int      `json:"generation"`
	Serial     string   `json:"serial"`
	Hosts      []string `json:"hosts"`
	Families   []string `json:"families"`
	Packages   []string `json:"packages"` // paths
}

func runPackageMake(ctx context.Context, o *packageMakeOptions) error {
	g := o.g
	switch {
	case o.all == (len(o.names) > 0):
		return hinted(usagef("name the clients whose packages are to be made, or give --all"), "ftsca package make alice")
	case o.bundle != "" && len(o.names) != 1:
		return usagef("--from-p12 holds the key of one client")
	}
	given, err := o.packing()
	if err != nil {
		return err
	}
	password, err := o.password.read()
	if err != nil {
		return err
	}
	s, standing, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	authorities, err := s.Authorities(ctx)
	if err != nil {
		return err
	}
	if authorities.Current == nil {
		return store.ErrPending
	}
	clients, err := o.clients(ctx, s, revocationsOf(standing.InForce))
	if err != nil {
		return err
	}
	var results []repacked
	var problems []error
	for _, r := range clients {
		result, err := o.repack(ctx, s, authorities, r, given, password)
		if err != nil {
			err = fmt.Errorf("the packages of %q: %w", r.Name, err)
			if !o.all {
				return err
			}
			problems = append(problems, err)
			continue
		}
		results = append(results, result)
		for i, path := range result.Packages {
			if i == 0 && !o.json {
				g.say("%-12s %s#%d, connecting to %s", map[bool]string{true: "would pack", false: "packed"}[o.dryRun], r.Name, r.Generation, strings.Join(result.Hosts, " "))
			}
			if !o.json {
				g.say("%-12s %s", "package", path)
			}
		}
	}
	if o.json {
		if err := output.JSON(g.env.Stdout, results); err != nil {
			return err
		}
	}
	return errors.Join(problems...)
}

// clients returns the latest valid certificate of each client that is named, or of all.
func (o *packageMakeOptions) clients(ctx context.Context, s *store.Store, revoked revocations) ([]store.Record, error) {
	records, err := s.Records(ctx)
	if err != nil {
		return nil, err
	}
	now := o.g.env.Now()
	latest := map[string]store.Record{}
	var names []string
	for _, r := range records {
		if state, _ := revoked.state(r, now); r.Purpose != ca.Client || state != stateValid {
			continue
		}
		if _, ok := latest[r.Name]; !ok {
			names = append(names, r.Name)
		}
		latest[r.Name] = r
	}
	if !o.all {
		names = o.names
	}
	var clients []store.Record
	for _, name := range names {
		r, ok := latest[name]
		if !ok {
			return nil, hinted(fmt.Errorf("%q is no client with a valid certificate", name), "ftsca list --type client shows them")
		}
		// A client that made its own request has its key, and nobody here could pack it.
		if o.all && len(r.Hosts) == 0 {
			continue
		}
		clients = append(clients, r)
	}
	return clients, nil
}

func (o *packageMakeOptions) repack(ctx context.Context, s *store.Store, a store.Authorities, r store.Record, p packing, password secret.Secret) (repacked, error) {
	cert, err := s.Certificate(ctx, r.Serial)
	if err != nil {
		return repacked{}, err
	}
	if p, err = o.secrets(s, r, p, password); err != nil {
		return repacked{}, err
	}
	if err := keyfile.Match(p.key, cert); err != nil {
		return repacked{}, hinted(err, "the file is another certificate's: ftsca renew --rekey makes a new key")
	}
	if len(p.families) == 0 {
		if p.families, err = familiesOf(r.Families); err != nil {
			return repacked{}, err
		}
	}
	if len(p.hosts) == 0 {
		p.hosts = r.Hosts
	}
	if len(p.hosts) == 0 {
		return repacked{}, hinted(usagef("nothing says which server its device connects to"), "give --host")
	}
	for _, w := range p.warnings() {
		o.g.talk("note: %s", w)
	}
	entry := ca.Entry{Certificate: cert, Name: r.Name, Generation: r.Generation, Hosts: p.hosts, IssuedAt: o.g.env.Now()}
	products, err := o.g.clientPackages(a, entry, p, true)
	if err != nil {
		return repacked{}, err
	}
	r.Hosts, r.Families = p.hosts, familyNames(p.families)
	result := repacked{Name: r.Name, Generation: r.Generation, Serial: r.Serial, Hosts: r.Hosts, Families: r.Families, Packages: packagePaths(s, products)}
	if o.dryRun {
		return result, nil
	}
	return result, s.Repack(ctx, r, products)
}

// secrets takes key and password from the last package, or from a p12 file.
func (o *packageMakeOptions) secrets(s *store.Store, r store.Record, p packing, password secret.Secret) (packing, error) {
	if o.bundle != "" {
		data, err := readBounded(o.bundle, maxP12)
		if err != nil {
			return p, fmt.Errorf("reading the p12 file: %w", err)
		}
		identity, err := pkcs12.ReadIdentity(data, password.Reveal())
		if err != nil {
			return p, fmt.Errorf("%s: %w", o.bundle, err)
		}
		p.key, p.password = identity.Key, password
		return p, nil
	}
	opened, err := openPackages(s, r, password)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, hinted(err, "its key is gone with it, unless you have its p12 file (--from-p12): ftsca renew --rekey makes a new key")
	case errors.Is(err, datapackage.ErrNoPassword):
		return p, hinted(err, "give the password that the client was told with --password-file")
	case err != nil:
		return p, err
	}
	p.key, p.password, p.askPassword = opened.Key, opened.Password, p.askPassword || opened.AskPassword
	p.before = opened.Connections
	if p.description != "" || p.disabled {
		p.before = nil
	}
	p.extras = merged(opened.Extras, p.extras)
	return p, nil
}

// merged is what a package had, and in its place what is given now.
func merged(had, given datapackage.Extras) datapackage.Extras {
	if given.Callsign != "" {
		had.Callsign = given.Callsign
	}
	if given.Team != "" {
		had.Team = given.Team
	}
	if given.Role != "" {
		had.Role = given.Role
	}
	if given.Preferences != nil {
		had.Preferences = given.Preferences
	}
	if given.Files != nil {
		had.Files = given.Files
	}
	return had
}
