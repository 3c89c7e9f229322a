package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/collector"
)

// Main runs the command line and returns the exit code: 0 done, 1 failed, 2 used wrongly, 3 a check said no, 130
// cancelled.
func Main(args []string, env Env) int {
	collector.Postpone()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	g := &global{env: env}
	root := newRoot(g)
	root.SetArgs(args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	return g.report(root.ExecuteContext(ctx))
}

// global is what every command shares: the environment, and the flags of the root.
type global struct {
	env      Env
	store    string
	lockWait time.Duration
	clock    clockFlags
	running  bool // a command's own work has begun: its errors are no longer about usage
}

func newRoot(g *global) *cobra.Command {
	root := &cobra.Command{
		Use:   "ftsca",
		Short: "Certificate authority, client packages and CoT endpoint for FreeTAKServer and TAK",
		Long: `ftsca founds a certificate authority, mints server certificates and client packages that TAK
devices import, revokes, and serves CoT over mutual TLS, all from one folder: the store.`,
		Example: `  ftsca init --name "Valley Rescue CA" --ca-passphrase-file pass.txt
  ftsca issue server fts.example.org --san 10.0.0.5
  ftsca issue client alice --host fts.example.org
  ftsca serve
  ftsca revoke alice --reason key_compromise`,
		Args:          cobra.NoArgs,
		RunE:          help,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),
	}
	flags := root.PersistentFlags()
	flags.StringVar(&g.store, "store", "", "the store's `folder` (else $FTSCA_STORE, else ./pki)")
	flags.DurationVar(&g.lockWait, "lock-wait", store.DefaultLockWait, "how long to wait for another ftsca that writes to the store")
	root.AddCommand(
		newInitCommand(g, runInit),
		newIssueCommand(g),
		newListCommand(g, runList),
		newShowCommand(g, runShow),
		newRenewCommand(g, runRenew),
		newRevokeCommand(g, runRevoke),
		newCRLCommand(g),
		newServeCommand(g, runServe),
		newStatusCommand(g, runStatus),
		newKickCommand(g, runKick),
		newUnbindCommand(g, runUnbind),
		newPackageCommand(g),
		newCSRCommand(g),
		newTransferCommand(g),
		newCACommand(g),
		newRootCommand(g),
		newP12Command(g),
		newQRCommand(g),
		newExportCommand(g, runExport),
		newAuditCommand(g, runAudit),
		newVersionCommand(g),
	)
	return root
}

// help is the RunE of what is no command by itself: with cobra's check of the arguments, a misspelt command is an error.
func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// run is the RunE of a command: from here on, an error is the work's and no longer the command line's.
func (g *global) run(work func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := g.setClock(); err != nil {
			return err
		}
		g.running = true
		return work(cmd.Context(), args)
	}
}

// folder is the store's folder by the flag, the environment, or custom.
func (g *global) folder() string {
	if g.store != "" {
		return g.store
	}
	if dir := g.env.Getenv("FTSCA_STORE"); dir != "" {
		return dir
	}
	return "pki"
}

func (g *global) options() store.Options {
	return store.Options{LockWait: g.lockWait, Now: g.env.Now, By: g.env.actor(),
		Remark: g.clock.remark, Built: g.env.Built, IgnoreClock: g.clock.ignore}
}

// open opens the store and reads its revocation list, and says on standard error what is amiss with that. A ledger that
// cannot be read is no reason to stop here: what needs it will say so itself, and the list holds without it.
func (g *global) open(ctx context.Context) (*store.Store, store.Standing, error) {
	s, err := store.Open(g.folder(), g.options())
	if err != nil {
		return nil, store.Standing{}, err
	}
	standing, err := s.Standing(ctx)
	var busy *store.BusyError
	if errors.As(err, &busy) || ctx.Err() != nil {
		return nil, store.Standing{}, err
	}
	g.warn(standing)
	g.warnLapses(s, standing.Signed)
	g.warnExports(s)
	if s.HasAuthority() {
		if authorities, err := s.Authorities(ctx); err == nil {
			g.warnPending(authorities)
		}
	}
	return s, standing, nil
}

// talk writes a line to standard error.
func (g *global) talk(format string, args ...any) {
	fmt.Fprintf(g.env.Stderr, format+"\n", args...)
}

// say writes a line to standard output.
func (g *global) say(format string, args ...any) {
	fmt.Fprintf(g.env.Stdout, format+"\n", args...)
}

func newVersionCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: g.run(func(context.Context, []string) error {
			g.say("ftsca %s", version())
			return nil
		}),
	}
}

// version comes from what the build recorded: a module version, else the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = " " + s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", changed since"
		}
	}
	return "devel" + revision + changed
}

// built is the time of the commit that the program was built from: no clock that shows an earlier one is right.
func built() time.Time {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" {
				if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
					return t
				}
			}
		}
	}
	return time.Time{}
}
