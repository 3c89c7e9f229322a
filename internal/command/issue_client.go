package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/durable"
	"github.com/ftsca/ftsca/internal/output"
)

type issueClientOptions struct {
	issueOptions
	packageFlags
	named       bool // a name was given, be it empty
	from        string
	results     string
	passwordOut string
	groups      []string
	channels    bool
	password    secretSource
	allowWeak   bool
}

func newIssueClientCommand(g *global, runF func(context.Context, *issueClientOptions) error) *cobra.Command {
	o := &issueClientOptions{issueOptions: issueOptions{g: g}}
	cmd := &cobra.Command{
		Use:   "client NAME --host HOST | client --from ROSTER",
		Short: "Issue a client's certificate and the package that its device imports",
		Long: `Issue a client's certificate and put it, with its key, the authority's certificates and the
connection, into a data package that ATAK imports; --for makes one for WinTAK, iTAK and TAK Aware too. Any name that a person
has will do.

The package opens with a password that the package itself carries, as devices expect. It is random
unless one is given, and told once. Whoever has the package is the client: hand it over privately, and
remove it when it is delivered: ftsca package purge.

--from issues many clients from one file: CSV with a header row, or JSON. Its columns are name, host, family,
groups, contact, days and key; what a row leaves out, the flags say. The whole file is checked first. A run
that was cut short goes on where it was when it is run again: rows that are done are passed over. Each
password goes into a file beside its package, and the result file says which is whose.`,
		Example: `  ftsca issue client alice --host fts.example.org
  ftsca issue client bob --host fts.example.org:8089 --password-file pw.txt --group blue
  ftsca issue client alice --host fts.example.org --new-generation
  ftsca issue client carol --host fts.example.org --for atak,itak --team Cyan --role "Team Lead"
  ftsca issue client --from roster.csv --host fts.example.org --dry-run
  ftsca issue client --from roster.csv --host fts.example.org`,
		Args: cobra.MaximumNArgs(1),
		RunE: g.act(func(ctx context.Context, args []string) error {
			if o.named = len(args) == 1; o.named {
				o.name = args[0]
			}
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	o.issueOptions.bind(flags)
	o.packageFlags.bind(flags)
	flags.StringVar(&o.from, "from", "", "issue the clients of this roster, a `file` in CSV or JSON")
	flags.StringVar(&o.results, "results", "", "with --from, the `file` for the results (default ROSTER.results.csv)")
	flags.StringVar(&o.passwordOut, "password-out", "", "write the password into this new `file`, and do not tell it")
	flags.StringArrayVar(&o.groups, "group", nil, "`group` of the client; may be repeated")
	flags.BoolVar(&o.channels, "channels", false, "add the mark by which a TAK Server lets the client choose channels")
	o.password.bind(flags, "password", "the password of the client's files")
	flags.BoolVar(&o.allowWeak, "allow-weak-password", false, "take a password that everybody knows, such as atakatak")
	return cmd
}

func runIssueClient(ctx context.Context, o *issueClientOptions) error {
	switch {
	case o.from != "":
		return runRoster(ctx, o)
	case !o.named:
		return hinted(usagef("no client is named"), "give a name, or a roster with --from")
	case len(o.hosts) == 0:
		return hinted(usagef("a client's package needs the server that its device connects to"), "give --host")
	}
	pack, err := o.packing()
	if err != nil {
		return err
	}
	if len(pack.families) == 0 {
		pack.families = []datapackage.Family{datapackage.ATAK}
	}
	if err := pack.check(); err != nil {
		return err
	}
	password, made, err := o.g.clientPassword(o.password, o.allowWeak)
	if err != nil {
		return err
	}
	if o.passwordOut != "" {
		if err := checkFree(o.passwordOut); err != nil {
			return err
		}
	}
	i, err := o.prepare(ctx, ca.Client, o.sans, o.groups)
	if err != nil {
		return err
	}
	defer i.store.Close()
	pack.key, pack.password = i.key, password
	i.order.Channels, i.order.Hosts, i.order.Families = o.channels, pack.hosts, familyNames(pack.families)
	for _, w := range pack.warnings() {
		o.g.talk("note: %s", w)
	}
	if o.dryRun {
		return o.preview(i)
	}
	var products []ca.Product
	i.order.Pack = func(e ca.Entry) ([]ca.Product, error) {
		products, err = o.g.clientPackages(i.authorities, e, pack, false)
		return products, err
	}
	entry, err := i.authority.Issue(ctx, i.order)
	if err != nil {
		return err
	}
	r := issuedOf(entry)
	r.Packages, r.Hosts = packagePaths(i.store, products), pack.hosts
	o.g.sayCut(entry.Cut, entry.Certificate.NotAfter)
	switch {
	case o.passwordOut != "":
		if err := durable.Create(o.passwordOut, []byte(password.Reveal()+"\n"), 0o600); err != nil {
			return hinted(fmt.Errorf("the client is issued, but its password was not written: %w", err), "it stands in the package too, unless --ask-password left it out: ftsca renew --rekey makes another")
		}
	case made:
		r.Password = password.Reveal()
	}
	if o.json {
		return output.JSON(o.g.env.Stdout, r)
	}
	o.g.say("issued    %s (client, generation %d)", r.Name, r.Generation)
	o.g.say("serial    %s", r.Serial)
	o.g.say("until     %s", r.NotAfter)
	for _, host := range r.Hosts {
		o.g.say("connects  %s", host)
	}
	for _, path := range r.Packages {
		o.g.say("package   %s", path)
	}
	if r.Password != "" {
		o.g.say("password  %s", r.Password)
		o.g.talk("note: the password is told this once")
	}
	return nil
}
