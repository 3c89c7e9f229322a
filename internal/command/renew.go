package command

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/internal/secret"
)

// renewGroup is how many certificates are renewed in one act.
const renewGroup = 32

type renewOptions struct {
	g          *global
	names      []string
	expiring   span
	all        bool
	purpose    string
	days       int
	rekey      bool
	key        string
	revokeOld  bool
	overlap    span
	force      bool
	passphrase secretSource
	serverKey  secretSource
	password   secretSource
	dryRun     bool
	json       bool
}

func newRenewCommand(g *global, runF func(context.Context, *renewOptions) error) *cobra.Command {
	o := &renewOptions{g: g}
	cmd := &cobra.Command{
		Use:   "renew NAME...",
		Short: "Issue the next certificate of clients and servers",
		Long: `Issue the next generation of certificates, as the last one was: the same key, names, groups and host. A client's
package is built anew, with the password it had; a server's files are replaced, and the earlier ones kept
under its own name. The earlier certificate stays good until it is revoked: at once with --revoke-old,
later with --overlap, which notes when ftsca revoke --due is to do it.

The key of a client lies in its package alone. Where that has been removed, --rekey makes a new key.`,
		Example: `  ftsca renew alice
  ftsca renew --expiring 30d --overlap 14d
  ftsca renew --all --type client --rekey
  ftsca renew fts.example.org --revoke-old`,
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.names = args
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	flags.Var(&o.expiring, "expiring", "renew whatever lapses within this `time`, such as 30d, or lapsed in the same time before now")
	flags.BoolVar(&o.all, "all", false, "renew every client and server with a valid certificate")
	flags.StringVar(&o.purpose, "type", "", "with --expiring and --all, only `what` is for: client or server")
	flags.IntVar(&o.days, "days", 0, "validity in days from now (default as long as before)")
	flags.BoolVar(&o.rekey, "rekey", false, "make new keys")
	bindKey(flags, &o.key, "")
	flags.BoolVar(&o.revokeOld, "revoke-old", false, "revoke the earlier certificates, when the new ones are issued")
	flags.Var(&o.overlap, "overlap", "note that the earlier certificates are to be revoked after this `time`")
	flags.BoolVar(&o.force, "force", false, "renew a server that devices which have not moved to a new authority will not trust, or for more than 825 days")
	cmd.MarkFlagsMutuallyExclusive("revoke-old", "overlap")
	cmd.MarkFlagsMutuallyExclusive("all", "expiring")
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	o.serverKey.bind(flags, "server-key-passphrase", "the passphrase of a sealed server's key")
	o.password.bind(flags, "password", "the password of packages that do not hold it")
	g.bindClock(flags)
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be renewed, and renew nothing")
	flags.BoolVar(&o.json, "json", false, "print the results as JSON")
	return cmd
}

func runRenew(ctx context.Context, o *renewOptions) error {
	g := o.g
	bulk := o.all || o.expiring != 0
	switch {
	case bulk == (len(o.names) > 0):
		return hinted(usagef("name what is to be renewed, or give --expiring or --all"), "ftsca renew alice; ftsca renew --expiring 30d")
	case o.purpose != "" && (!bulk || o.purpose != string(ca.Client) && o.purpose != string(ca.Server)):
		return usagef("--type is client or server, and goes with --expiring and --all")
	case o.key != "" && !o.rekey:
		return usagef("--key is for the new keys of --rekey")
	}
	keys, err := g.openAuthority(ctx, o.passphrase)
	if err != nil {
		return err
	}
	s := keys.store
	defer s.Close()
	algorithm := keyfile.Algorithm("")
	if o.key != "" {
		if algorithm, err = keyfile.ParseAlgorithm(o.key); err != nil {
			return &usageError{err}
		}
	}
	records, err := s.Records(ctx)
	if err != nil {
		return err
	}
	revoked := revocationsOf(keys.standing.InForce)
	chosen, err := o.choose(records, revoked)
	if err != nil {
		return err
	}
	if err := s.CheckClock(ctx); err != nil && !o.dryRun {
		return err
	}
	w := &renewing{o: o, store: s, keys: keys, algorithm: algorithm, earlier: records, results: []issued{}}
	var guarded error
	if !o.force {
		guarded = s.CheckMoved(ctx, keys.authorities)
	}
	var all []*renewal
	for _, r := range chosen {
		if r.Purpose == ca.Server && guarded != nil {
			if !bulk {
				return guarded
			}
			g.talk("note: the server %q was left out: %v", r.Name, guarded)
			continue
		}
		one, err := w.prepare(ctx, r)
		if err != nil && bulk {
			w.problems = append(w.problems, fmt.Errorf("%q was not renewed: %w", r.Name, err))
			continue
		}
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	if o.dryRun {
		for _, one := range all {
			g.say("would renew  %s (%s, generation %d), which ends %s", one.record.Name, one.record.Purpose, one.record.Generation, stamp(one.record.NotAfter))
		}
		return errors.Join(w.problems...)
	}
	if len(all) > 0 {
		if w.authority, err = keys.current(); err != nil {
			return err
		}
	}
	var done []*renewal
	for group := range slices.Chunk(all, renewGroup) {
		if err := w.issue(ctx, group); err != nil {
			w.problems = append(w.problems, err)
			break
		}
		done = append(done, group...)
	}
	if o.json {
		if err := output.JSON(g.env.Stdout, w.results); err != nil {
			return err
		}
	}
	if len(all) == 0 && len(w.problems) == 0 {
		g.talk("nothing to renew")
	}
	if o.revokeOld {
		if err := w.revokeOld(ctx, done, revoked); err != nil {
			w.problems = append(w.problems, err)
		}
	}
	return errors.Join(w.problems...)
}

// choose returns the latest certificate of each name that is to be renewed.
func (o *renewOptions) choose(records []store.Record, revoked revocations) ([]store.Record, error) {
	now := o.g.env.Now()
	latest := map[string]store.Record{}
	var names []string
	for _, r := range records {
		if r.Purpose.IsAuthority() {
			continue
		}
		if _, ok := latest[r.Name]; !ok {
			names = append(names, r.Name)
		}
		latest[r.Name] = r // generations come in order
	}
	var chosen []store.Record
	if len(o.names) > 0 {
		for _, name := range o.names {
			r, ok := latest[name]
			switch {
			case !ok && strings.Contains(name, "#"):
				return nil, hinted(&store.UnknownError{Address: name}, "ftsca renew goes by names, and renews the last generation")
			case !ok && slices.ContainsFunc(records, func(r store.Record) bool { return r.Name == name && r.Purpose.IsAuthority() }):
				return nil, hinted(usagef("%q is an authority", name), "ftsca ca renew renews it")
			case !ok:
				return nil, &store.UnknownError{Address: name}
			}
			if state, _ := revoked.state(r, now); state == stateRevoked || state == stateHeld {
				return nil, hinted(fmt.Errorf("the last certificate of %q is %s", name, state), "ftsca issue with --new-generation gives the name a certificate again, if that is what you want")
			}
			if !slices.ContainsFunc(chosen, func(c store.Record) bool { return c.Serial == r.Serial }) {
				chosen = append(chosen, r)
			}
		}
		return chosen, nil
	}
	for _, name := range names {
		r := latest[name]
		state, _ := revoked.state(r, now)
		span := time.Duration(o.expiring)
		switch {
		case o.purpose != "" && string(r.Purpose) != o.purpose:
		case o.all && state != stateValid:
		case !o.all && (state == stateRevoked || state == stateHeld || r.NotAfter.After(now.Add(span)) || r.NotAfter.Before(now.Add(-span))):
		default:
			chosen = append(chosen, r)
		}
	}
	return chosen, nil
}

// revokeOld revokes the earlier certificates of the names that were renewed.
func (w *renewing) revokeOld(ctx context.Context, done []*renewal, revoked revocations) error {
	g := w.o.g
	renewed := map[string]bool{}
	for _, one := range done {
		renewed[one.record.Name] = true
	}
	now := g.env.Now()
	var entries []crl.Entry
	names := map[crl.Serial]string{}
	for _, r := range w.earlier {
		if state, _ := revoked.state(r, now); !renewed[r.Name] || state != stateValid {
			continue
		}
		serial, err := crl.ParseSerial(r.Serial)
		if err != nil {
			return fmt.Errorf("the record of %q: %w", r.Name, err)
		}
		entries = append(entries, crl.Entry{Serial: serial, Date: now, Reason: crl.Superseded})
		names[serial] = r.Name
	}
	if len(entries) == 0 {
		return nil
	}
	outcome, err := w.store.Revoke(ctx, entries, names)
	if err != nil {
		return err
	}
	g.talk("revoked %s", plural(len(outcome.Added), "earlier certificate", "earlier certificates"))
	g.warnAnew(outcome)
	problems := outcome.Problems
	if err := g.resign(ctx, w.store, w.o.passphrase, nowRevoked.by(outcome)); err != nil {
		problems = append(problems, err)
	}
	return g.tellProblems(problems)
}

// tell says what a group has led to, when it is durable.
func (w *renewing) tell(r issued) {
	g := w.o.g
	w.results = append(w.results, r)
	if w.o.json {
		return
	}
	for _, row := range [][2]string{
		{"renewed", fmt.Sprintf("%s (%s, generation %d)", r.Name, r.Purpose, r.Generation)},
		{"until", r.NotAfter}, {"certificate", r.Certificate}, {"password", r.Password},
	} {
		if row[1] != "" {
			g.say("%-12s %s", row[0], row[1])
		}
	}
	for _, path := range r.Packages {
		g.say("%-12s %s", "package", path)
	}
	if r.Password != "" {
		g.talk("note: the password is told this once")
	}
}

// packagePath is where a package lies.
func packagePath(s *store.Store, name string) string { return filepath.Join(s.Packages(), name) }

// passwordOf returns the password that a new package opens with, and whether it has to be told.
func passwordOf(known secret.Secret) (secret.Secret, bool) {
	if known.IsZero() {
		return secret.Random(), true
	}
	return known, false
}
