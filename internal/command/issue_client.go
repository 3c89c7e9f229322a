package command

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/internal/output"
)

type issueClientOptions struct {
	issueOptions
	host        string
	named       bool // a name was given, be it empty
	from        string
	results     string
	description string
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
connection, into a data package that ATAK imports. Any name that a person has will do.

The package opens with a password that the package itself carries, as devices expect. It is random
unless one is given, and told once. Whoever has the package is the client: hand it over privately, and
remove it from clientPackages/ when it is delivered.

--from issues many clients from one file: CSV with a header row, or JSON. Its columns are name, host, family,
groups, contact, days and key; what a row leaves out, the flags say. The whole file is checked first. A run
that was cut short goes on where it was when it is run again: rows that are done are passed over. Each
password goes into a file beside its package, and the result file says which is whose.`,
		Example: `  ftsca issue client alice --host fts.example.org
  ftsca issue client bob --host fts.example.org:8089 --password-file pw.txt --group blue
  ftsca issue client alice --host fts.example.org --new-generation
  ftsca issue client --from roster.csv --host fts.example.org --dry-run
  ftsca issue client --from roster.csv --host fts.example.org`,
		Args: cobra.MaximumNArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			if o.named = len(args) == 1; o.named {
				o.name = args[0]
			}
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	o.bind(flags)
	flags.StringVar(&o.host, "host", "", "the server that the device connects to, `host` or host:port (port 8089)")
	flags.StringVar(&o.from, "from", "", "issue the clients of this roster, a `file` in CSV or JSON")
	flags.StringVar(&o.results, "results", "", "with --from, the `file` for the results (default ROSTER.results.csv)")
	flags.StringVar(&o.description, "description", "", "how the connection is called on the device (default the authority's name)")
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
	case o.host == "":
		return hinted(usagef("a client's package needs the server that its device connects to"), "give --host")
	}
	host, err := hostPort(o.host)
	if err != nil {
		return &usageError{err}
	}
	password, made, err := o.g.clientPassword(o.password, o.allowWeak)
	if err != nil {
		return err
	}
	i, err := o.prepare(ctx, ca.Client, o.sans, o.groups)
	if err != nil {
		return err
	}
	defer i.store.Close()
	i.order.Channels = o.channels
	i.order.Hosts = []string{host}
	if o.dryRun {
		return o.preview(i)
	}
	var file string
	i.order.Pack = func(e ca.Entry) ([]ca.Product, error) {
		product, err := o.g.clientPackage(i.authorities, e, packing{key: i.key, password: password, description: o.description})
		file = product.Name
		return []ca.Product{product}, err
	}
	entry, err := i.authority.Issue(ctx, i.order)
	if err != nil {
		return err
	}
	r := issuedOf(entry)
	r.Package, r.Host = filepath.Join(i.store.Packages(), file), i.order.Hosts[0]
	if made {
		r.Password = password.Reveal()
	}
	o.g.sayCut(entry.Cut, entry.Certificate.NotAfter)
	if o.json {
		return output.JSON(o.g.env.Stdout, r)
	}
	o.g.say("issued    %s (client, generation %d)", r.Name, r.Generation)
	o.g.say("serial    %s", r.Serial)
	o.g.say("until     %s", r.NotAfter)
	o.g.say("connects  %s", r.Host)
	o.g.say("package   %s", r.Package)
	if made {
		o.g.say("password  %s", r.Password)
		o.g.talk("note: the password is told this once")
	}
	return nil
}
