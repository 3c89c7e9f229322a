package command

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
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
		RunE: g.run(func(ctx context.Context, args []string) error {
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

// target is a certificate to revoke; the store may not know its name.
type target struct {
	serial     crl.Serial
	issuer     string // an authority's: only an entry that names it takes a whole authority off
	name       string
	generation int
	due        bool // its time has come
}

// reason is why it is revoked: what its time has come for, a later certificate has taken the place of.
func (t target) reason(given crl.Reason) crl.Reason {
	if t.due && given == crl.Unspecified {
		return crl.Superseded
	}
	return given
}

func (t *target) of(r store.Record) {
	t.name, t.generation = r.Name, r.Generation
	if r.Purpose.IsAuthority() {
		t.issuer = r.Issuer
	}
}

func (t target) String() string {
	if t.name == "" {
		return "serial " + t.serial.String()
	}
	return fmt.Sprintf("%s#%d (serial %s)", t.name, t.generation, t.serial)
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
	if err := g.resign(ctx, s, o.passphrase, nowRevoked); err != nil {
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

// changed is how people are told of a change of the list that other servers do not know yet.
type changed struct{ waits, mend string }

var (
	nowRevoked = changed{
		"note: what is revoked is in force in FTS_CRL.json and wherever ftsca serve runs on this store; the X.509 list for other servers waits for: ftsca crl sign",
		"the revocation is in force in FTS_CRL.json; mend this, then ftsca crl sign",
	}
	nowReleased = changed{
		"note: it is let in again wherever ftsca serve runs on this store; the X.509 list for other servers waits for: ftsca crl sign",
		"it is revoked no more in FTS_CRL.json; mend this, then ftsca crl sign",
	}
	nowReasoned = changed{
		"note: FTS_CRL.json gives the reason; the X.509 list for other servers waits for: ftsca crl sign",
		"FTS_CRL.json gives the reason; mend this, then ftsca crl sign",
	}
)

// resign signs the X.509 list anew where the key can be opened without a question, and else says that it waits.
func (g *global) resign(ctx context.Context, s *store.Store, source secretSource, what changed) error {
	if !s.HasAuthority() {
		g.talk("%s, on the authority's machine", what.waits)
		return nil
	}
	keys, err := g.keyring(ctx, s, source, false)
	if err == nil {
		var signers []*ca.Authority
		if signers, _, err = keys.signers(false); err == nil {
			var p store.Publication
			if p, err = s.SignCRL(ctx, store.Signing{Urgent: true}, signers...); err == nil {
				g.tellPublication(p)
				return nil
			}
		}
	}
	if errors.Is(err, errSealed) || errors.Is(err, store.ErrPending) {
		g.talk("%s", what.waits)
		return nil
	}
	return hinted(fmt.Errorf("the X.509 list was not signed: %w", err), "%s", what.mend)
}

// tellProblems ends a revocation that took effect and left something undone.
func (g *global) tellProblems(problems []error) error {
	seen := map[string]bool{}
	var distinct []error
	for _, p := range problems {
		if !seen[p.Error()] {
			seen[p.Error()] = true
			distinct = append(distinct, p)
		}
	}
	if len(distinct) == 0 {
		return nil
	}
	return fmt.Errorf("the revocation is in force, but: %w", errors.Join(distinct...))
}

// dueTargets returns what was renewed with an overlap that is over, and is not revoked yet.
func (o *revokeOptions) dueTargets(ctx context.Context, s *store.Store) ([]target, error) {
	if !s.HasAuthority() {
		return nil, hinted(store.ErrNoAuthority, "what is due is known where the authority is")
	}
	records, err := s.Records(ctx)
	if err != nil {
		return nil, err
	}
	standing, err := s.Standing(ctx)
	if err != nil {
		return nil, err
	}
	revoked, now := revocationsOf(standing.InForce), o.g.env.Now()
	var due []target
	for _, r := range records {
		if state, _ := revoked.state(r, now); r.RevokeAt.IsZero() || now.Before(r.RevokeAt) || state != stateValid {
			continue
		}
		serial, err := crl.ParseSerial(r.Serial)
		if err != nil {
			return nil, fmt.Errorf("the record of %q: %w", r.Name, err)
		}
		t := target{serial: serial, due: true}
		t.of(r)
		due = append(due, t)
	}
	return due, nil
}

// revocable refuses what an authority cannot revoke: itself, and what stands at the top.
func (o *revokeOptions) revocable(ctx context.Context, s *store.Store, r store.Record) error {
	switch {
	case r.Purpose == ca.Single || r.Purpose == ca.Root:
		return hinted(usagef("%q is its own issuer, which cannot revoke itself", r.Name), "ftsca ca rollover founds another authority, and ftsca ca retire takes this one out of use")
	case r.Purpose == ca.Issuing:
		// Where the ledger cannot be read, nobody can say, and no revocation is to be stopped.
		authorities, err := s.Authorities(ctx)
		if err == nil && authorities.Current != nil && serialOf(authorities.Current) == r.Serial {
			return hinted(usagef("%q issues here: revoking it would lock everyone out", r.Name), "ftsca ca rollover first, then revoke it, on its root's machine too")
		}
	}
	return nil
}

// targets resolves what is to be revoked. Where the ledger cannot be read, the endpoint's list of what was issued
// serves, and that becomes a problem to tell of afterwards.
func (o *revokeOptions) targets(ctx context.Context, s *store.Store) (targets []target, problems []error, err error) {
	find := func(address string) ([]store.Record, error) {
		records, err := s.Find(ctx, address)
		var unknown *store.UnknownError
		if err == nil || errors.As(err, &unknown) || ctx.Err() != nil {
			return records, err
		}
		problems = append(problems, err)
		return s.FindListed(address)
	}
	seen := map[crl.Serial]bool{}
	add := func(t target) {
		if !seen[t.serial] {
			seen[t.serial] = true
			targets = append(targets, t)
		}
	}
	addresses, serials := o.addresses, o.serials
	if o.from != "" {
		many, err := o.readFrom(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		if many.damaged != nil {
			problems = append(problems, many.damaged)
		}
		addresses, serials = append(addresses, many.addresses...), append(serials, many.serials...)
		find = many.find
	}
	now := o.g.env.Now()
	for _, address := range addresses {
		records, err := find(address)
		if err != nil {
			return nil, nil, err
		}
		live := 0
		for _, r := range records {
			if err := o.revocable(ctx, s, r); err != nil {
				return nil, nil, err
			}
			// A name means its unexpired generations; one certificate named outright is meant whatever its age.
			if len(records) > 1 && now.After(r.NotAfter) {
				continue
			}
			serial, err := crl.ParseSerial(r.Serial)
			if err != nil {
				return nil, nil, fmt.Errorf("the record of %q: %w", r.Name, err)
			}
			live++
			t := target{serial: serial}
			t.of(r)
			add(t)
		}
		if live == 0 {
			return nil, nil, fmt.Errorf("every certificate of %q has expired: there is nothing to revoke", address)
		}
	}
	// A serial is revoked whether or not the store knows it: it may be another program's certificate of this authority.
	bySerial := func(serial crl.Serial) error {
		t := target{serial: serial}
		if records, err := find(serial.String()); err == nil && len(records) == 1 && records[0].Serial == serial.String() {
			if err := o.revocable(ctx, s, records[0]); err != nil {
				return err
			}
			t.of(records[0])
		}
		add(t)
		return nil
	}
	for _, text := range serials {
		serial, err := crl.ParseSerial(text)
		if err != nil {
			return nil, nil, &usageError{fmt.Errorf("--serial %q: %w", text, err)}
		}
		if err := bySerial(serial); err != nil {
			return nil, nil, err
		}
	}
	for _, file := range o.files {
		cert, err := readCertificate(file)
		if err != nil {
			return nil, nil, err
		}
		if err := o.checkOurs(ctx, s, cert, file); err != nil {
			return nil, nil, err
		}
		if err := bySerial(crl.SerialOf(cert.SerialNumber)); err != nil {
			return nil, nil, err
		}
	}
	return targets, problems, nil
}

// checkOurs refuses a certificate of another authority: its serial would revoke whichever of ours had the same one.
func (o *revokeOptions) checkOurs(ctx context.Context, s *store.Store, cert *x509.Certificate, file string) error {
	if !s.HasAuthority() {
		return nil
	}
	authorities, err := s.Authorities(ctx)
	if err != nil {
		return nil // a damaged ledger stops no revocation
	}
	for _, ours := range authorities.All() {
		if cert.CheckSignatureFrom(ours) == nil {
			return nil
		}
	}
	return fmt.Errorf("%s holds a certificate of another authority, %q", file, cert.Issuer.CommonName)
}
