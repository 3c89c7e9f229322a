package command

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/output"
)

type revokeOptions struct {
	g          *global
	addresses  []string
	serials    []string
	files      []string
	from       string
	due        bool
	undo       bool
	force      bool
	reason     string
	date       time.Time // when it was revoked; zero means now
	issuer     string    // an authority's key identifier: the one that alone is meant; "" where the certificate tells
	passphrase secretSource
	dryRun     bool
	json       bool
}

func newRevokeCommand(g *global, runF func(context.Context, *revokeOptions) error) *cobra.Command {
	o := &revokeOptions{g: g}
	cmd := &cobra.Command{
		Use:   "revoke [NAME | NAME#GENERATION]...",
		Short: "Revoke certificates, at once",
		Long: `Revoke every unexpired certificate of a name, one generation of it, a serial, or the certificate in a
file. It takes effect at once where ftsca serve runs on the store, live sessions included, and needs no
passphrase. Nothing stops it: a broken list is set aside and the last good one taken up.

--from names many in a file, a name or serial a line, with # before comments; the whole file is checked before
anything is revoked. A word in it that is no name is a serial from eight hex digits on, or with 0x or colons.

--reason certificate_hold revokes until --undo releases it, or until it is revoked again for another reason.
Any other reason is final; --force undoes it all the same.

The X.509 list for other servers is signed in the same act where the authority's key can be opened
without a question: no passphrase, a passphrase file, or a systemd credential. Else it waits for
ftsca crl sign.`,
		Example: `  ftsca revoke bob --reason key_compromise
  ftsca revoke bob#1
  ftsca revoke --serial 1A:2B:3C:4D:5E:6F
  ftsca revoke --cert bob.pem
  ftsca revoke --from lost.txt --reason key_compromise
  ftsca revoke --undo bob
  ftsca revoke --due`,
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.addresses = args
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.serials, "serial", nil, "`serial` in hex, in any usual spelling; may be repeated")
	flags.StringArrayVar(&o.files, "cert", nil, "PEM `file` of the certificate; may be repeated")
	flags.StringVar(&o.from, "from", "", "`file` with a name or serial a line")
	flags.BoolVar(&o.undo, "undo", false, "release what is on hold, by name or serial")
	flags.BoolVar(&o.force, "force", false, "with --undo, release whatever the reason")
	flags.BoolVar(&o.due, "due", false, "revoke what was renewed with --overlap and whose time has come")
	flags.StringVar(&o.reason, "reason", crl.Unspecified.String(), "why: key_compromise, affiliation_changed, superseded, cessation_of_operation, privilege_withdrawn, certificate_hold, …")
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be revoked, and revoke nothing")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	for _, name := range []string{"cert", "from", "due", "reason"} {
		cmd.MarkFlagsMutuallyExclusive("undo", name)
	}
	return cmd
}

// revocation is the result of revoke, for JSON.
type revocation struct {
	Name       string `json:"name,omitempty"`
	Generation int    `json:"generation,omitempty"`
	Serial     string `json:"serial"`
	Already    bool   `json:"already_revoked"`
	Held       bool   `json:"was_on_hold,omitempty"`
	Reason     string `json:"reason,omitempty"`
}

func runRevoke(ctx context.Context, o *revokeOptions) error {
	g := o.g
	reason, err := crl.ParseReason(o.reason)
	if err != nil {
		return &usageError{err}
	}
	switch {
	case o.undo:
		return runRelease(ctx, &releaseOptions{g: g, addresses: append(o.addresses, o.serials...), force: o.force,
			passphrase: o.passphrase, dryRun: o.dryRun, json: o.json})
	case o.force:
		return usagef("--force goes with --undo: revoking needs no force")
	case len(o.addresses)+len(o.serials)+len(o.files) == 0 && o.from == "" && !o.due:
		return hinted(usagef("nothing is named that is to be revoked"), "give a name, --serial, --cert or --from")
	}
	// No warnings first: in an incident the first line is what was done.
	s, err := store.Open(g.folder(), g.options())
	if err != nil {
		return err
	}
	targets, problems, err := o.targets(ctx, s)
	if err != nil {
		return err
	}
	if o.due {
		due, err := o.dueTargets(ctx, s)
		if err != nil {
			return err
		}
		targets = append(targets, due...)
		if len(targets) == 0 {
			g.talk("nothing is due")
			return nil
		}
	}
	if o.dryRun {
		for _, t := range targets {
			g.say("would revoke  %s", t)
		}
		g.warnStanding(ctx, s)
		return nil
	}
	if o.date.IsZero() {
		o.date = g.env.Now().UTC()
	}
	var entries []crl.Entry
	names := map[crl.Serial]string{}
	for _, t := range targets {
		if o.issuer != "" {
			t.issuer = o.issuer
		}
		entries = append(entries, crl.Entry{Serial: t.serial, Issuer: t.issuer, Date: o.date, Reason: t.reason(reason)})
		names[t.serial] = t.name
	}
	outcome, err := s.Revoke(ctx, entries, names)
	if err != nil {
		return err
	}
	problems = append(problems, outcome.Problems...)
	if err := o.tell(targets, outcome, reason); err != nil {
		return err
	}
	g.warnOutcome(outcome)
	if err := g.resign(ctx, s, o.passphrase, nowRevoked.by(outcome)); err != nil {
		problems = append(problems, err)
	}
	return g.tellProblems(problems)
}

// tell says what was done, before anything else is tried.
func (o *revokeOptions) tell(targets []target, outcome store.Outcome, reason crl.Reason) error {
	already, held := map[crl.Serial]bool{}, map[crl.Serial]bool{}
	for _, e := range outcome.Already {
		already[e.Serial] = true
	}
	for _, e := range outcome.Hardened {
		held[e.Serial] = true
	}
	var results []revocation
	for _, t := range targets {
		r := revocation{Name: t.name, Generation: t.generation, Serial: t.serial.String(), Already: already[t.serial], Held: held[t.serial]}
		if !r.Already {
			r.Reason = t.reason(reason).String()
		}
		results = append(results, r)
		switch {
		case o.json:
		case r.Already:
			o.g.say("was revoked before  %s", t)
		case r.Held:
			o.g.say("revoked  %s, which was on hold", t)
		default:
			o.g.say("revoked  %s", t)
		}
	}
	if o.json {
		return output.JSON(o.g.env.Stdout, results)
	}
	return nil
}
