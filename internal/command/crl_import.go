package command

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/output"
)

// maxImport bounds what is read of a list: a million entries take half of it.
const maxImport = 256 << 20

type crlImportOptions struct {
	g          *global
	file       string
	decimal    bool
	unverified bool
	reason     string
	passphrase secretSource
	dryRun     bool
	json       bool
}

func newCRLImportCommand(g *global, runF func(context.Context, *crlImportOptions) error) *cobra.Command {
	o := &crlImportOptions{g: g}
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take up what another list revokes",
		Long: `Put on the list whatever a file has of revocations, told apart by its content: an X.509 list in PEM or DER, of
version 1 as FreeTAKServer, TAK Server and OpenTAKServer write it too; FreeTAKServer's own {"<serial in decimal>":
"<user>"}; the documents' JSON form; or a plain list, a serial a line. "-" reads standard input.

An X.509 list must be signed by an authority of this store that may sign lists, and then counts for that one
alone. With --unverified it is taken whoever made it, and counts under every authority. Nothing is ever removed.`,
		Example: `  ftsca crl import /opt/fts/certs/FTS_CRL.json
  ftsca crl import revoked.txt --reason superseded`,
		Args: cobra.ExactArgs(1),
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.file = args[0]
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.decimal, "decimal", false, "a plain list has its serials in decimal")
	flags.BoolVar(&o.unverified, "unverified", false, "take an X.509 list that no authority of this store signed")
	flags.StringVar(&o.reason, "reason", crl.Unspecified.String(), "why, where the list does not say")
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be revoked, and revoke nothing")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return cmd
}

func runCRLImport(ctx context.Context, o *crlImportOptions) error {
	g := o.g
	reason, err := crl.ParseReason(o.reason)
	if err != nil {
		return &usageError{err}
	}
	s, err := store.Open(g.folder(), g.options())
	if err != nil {
		return err
	}
	data, err := o.read()
	if err != nil {
		return err
	}
	foreign, err := crl.ParseForeign(data, o.decimal)
	if err != nil {
		return fmt.Errorf("reading %s: %w", o.file, err)
	}
	g.noteZones(foreign.Zoneless, o.file)
	entries := foreign.Entries
	if foreign.Form == crl.FormX509 {
		if entries, err = o.vet(ctx, s, foreign.Lists); err != nil {
			return err
		}
	}
	for i := range entries {
		e := &entries[i]
		if e.Reason == crl.Unspecified {
			e.Reason = reason
		}
		if foreign.Form == crl.FormUsers || foreign.Form == crl.FormSerials {
			e.Date = g.env.Now().UTC()
		}
	}
	known := picked{known: g.namesOf(ctx, s)}
	names := known.names()
	for serial, user := range foreign.Users {
		if names[serial] == "" {
			names[serial] = user
		}
	}
	if o.dryRun {
		for i, e := range entries {
			if i == mostTold {
				g.talk("note: and %d more", len(entries)-i)
				break
			}
			g.say("would revoke  %s", known.target(e))
		}
		g.warnStanding(ctx, s)
		return nil
	}
	outcome, err := s.Import(ctx, entries, names, filepath.Base(o.file))
	if err != nil {
		return err
	}
	if err := o.tell(known, outcome); err != nil {
		return err
	}
	g.warnOutcome(outcome)
	problems := outcome.Problems
	if len(outcome.Added)+len(outcome.Hardened) == 0 {
		g.warnWaiting(outcome.Unsigned, outcome.Dropped)
	} else if err := g.resign(ctx, s, o.passphrase, nowRevoked.by(outcome)); err != nil {
		problems = append(problems, err)
	}
	return g.tellProblems(problems)
}

func (o *crlImportOptions) read() ([]byte, error) {
	var from io.Reader = o.g.env.Stdin
	if o.file != "-" {
		f, err := os.Open(o.file)
		if err != nil {
			return nil, fmt.Errorf("reading the list: %w", err)
		}
		defer f.Close()
		from = f
	}
	data, err := io.ReadAll(io.LimitReader(from, maxImport+1))
	if err != nil {
		return nil, fmt.Errorf("reading the list: %w", err)
	}
	if len(data) > maxImport {
		return nil, fmt.Errorf("reading the list: %s has more than %d MiB", o.file, maxImport>>20)
	}
	return data, nil
}

// vet returns the entries of X.509 lists, for the authority that signed them.
func (o *crlImportOptions) vet(ctx context.Context, s *store.Store, lists []*crl.X509) ([]crl.Entry, error) {
	g := o.g
	var cas []*x509.Certificate
	if s.HasAuthority() {
		authorities, err := s.Authorities(ctx)
		if err != nil {
			return nil, err
		}
		cas = authorities.All()
	} else {
		var err error
		if cas, err = readCertificates(s.CAFile()); err != nil {
			return nil, err
		}
	}
	var entries []crl.Entry
	for _, list := range lists {
		issuer, err := signerOf(list, cas)
		name := commonName(list.RawIssuer)
		switch {
		case err == nil:
			id := crl.KeyID(issuer)
			for i := range list.Entries {
				list.Entries[i].Issuer = id
			}
		case !o.unverified:
			return nil, hinted(fmt.Errorf("%s: %w", o.file, err), "--unverified takes it all the same, under every authority of this store")
		default:
			g.talk("warning: nobody of this store vouches for the list of %q: what it has is revoked under every authority here", name)
		}
		if list.Skipped > 0 {
			g.talk("note: %s of %q with a serial that no list can name, and no endpoint lets in", plural(list.Skipped, "entry", "entries"), name)
		}
		if !list.NextUpdate.IsZero() && g.env.Now().After(list.NextUpdate) {
			g.talk("note: the list of %q was due to be renewed at %s: a newer one may revoke more", name, stamp(list.NextUpdate))
		}
		entries = append(entries, list.Entries...)
	}
	return entries, nil
}

// signerOf returns the authority that signed a list; else why none did, by the one whose name stands in it.
func signerOf(list *crl.X509, cas []*x509.Certificate) (*x509.Certificate, error) {
	err := fmt.Errorf("the list is that of %q, which is no authority of this store", commonName(list.RawIssuer))
	for _, ca := range cas {
		e := list.CheckSignature(ca)
		if e == nil {
			return ca, nil
		}
		if string(ca.RawSubject) == string(list.RawIssuer) {
			err = e
		}
	}
	return nil, err
}

// mostTold is how many single revocations an import tells of.
const mostTold = 20

func (o *crlImportOptions) tell(known picked, outcome store.Outcome) error {
	g := o.g
	added := append(outcome.Added[:len(outcome.Added):len(outcome.Added)], outcome.Hardened...)
	if o.json {
		results := []revocation{}
		row := func(e crl.Entry, already bool) {
			t := known.target(e)
			results = append(results, revocation{Name: t.name, Generation: t.generation, Serial: e.Serial.String(), Already: already, Reason: e.Reason.String()})
		}
		for _, e := range added {
			row(e, false)
		}
		for _, e := range outcome.Already {
			row(e, true)
		}
		return output.JSON(g.env.Stdout, results)
	}
	for i, e := range added {
		if i == mostTold {
			g.say("revoked  %d more", len(added)-i)
			break
		}
		g.say("revoked  %s", known.target(e))
	}
	g.talk("imported %s from %s; %d were on the list before", plural(len(added), "revocation", "revocations"), o.file, len(outcome.Already))
	return nil
}
