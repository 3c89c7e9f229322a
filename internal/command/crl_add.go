package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

type crlAddOptions struct {
	revokeOptions
	when string
	by   string
}

func newCRLAddCommand(g *global, runF func(context.Context, *crlAddOptions) error) *cobra.Command {
	o := &crlAddOptions{revokeOptions: revokeOptions{g: g}}
	cmd := &cobra.Command{
		Use:   "add SERIAL...",
		Short: "Put serials on the revocation list",
		Long: `Put serials on the revocation list, in hex and in any usual spelling, whether the store knows them or not:
those of another program's certificates, or of one that is lost. ftsca revoke takes names.

An entry counts under every authority of the store, unless --issuer names the one that it is about.`,
		Example: `  ftsca crl add 1A:2B:3C:4D:5E:6F --reason key_compromise
  ftsca crl add 0xFEED01 --date 2026-03-04 --issuer "Valley Rescue CA"`,
		Args: cobra.MinimumNArgs(1),
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.serials = args
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.reason, "reason", crl.Unspecified.String(), "why; ftsca revoke --help names the reasons")
	flags.StringVar(&o.when, "date", "", "`time` since when it is revoked, such as 2026-03-04T10:00:00Z; UTC without a zone (default now)")
	flags.StringVar(&o.by, "issuer", "", "`authority` that is meant alone: its name, or its key identifier in hex")
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be revoked, and revoke nothing")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return cmd
}

func runCRLAdd(ctx context.Context, o *crlAddOptions) error {
	g := o.g
	if o.when != "" {
		at, zoned, err := crl.ParseDate(o.when)
		switch {
		case err != nil:
			return &usageError{fmt.Errorf("--date: %w", err)}
		case at.After(g.env.Now()):
			return usagef("--date %s lies ahead: a revocation is in force at once", o.when)
		case !zoned:
			g.talk("note: %q names no zone, and is taken as %s", o.when, stamp(at))
		}
		o.date = at
	}
	if o.by != "" {
		s, err := store.Open(g.folder(), g.options())
		if err != nil {
			return err
		}
		if o.issuer, err = g.issuerNamed(ctx, s, o.by); err != nil {
			return err
		}
	}
	return runRevoke(ctx, &o.revokeOptions)
}

// issuerNamed returns the key identifier of an authority by its name or by that identifier itself. An identifier that is
// none of the store's is taken too, and that is said.
func (g *global) issuerNamed(ctx context.Context, s *store.Store, text string) (string, error) {
	cas, err := readCertificates(s.CAFile())
	if s.HasAuthority() {
		var authorities store.Authorities
		if authorities, err = s.Authorities(ctx); err == nil {
			cas = authorities.All()
		}
	}
	for _, c := range cas {
		if c.Subject.CommonName == text {
			return crl.KeyID(c), nil
		}
	}
	id, none := crl.ParseIssuer(text)
	if none != nil {
		return "", hinted(usagef("--issuer %q is neither an authority of this store nor a key identifier in hex", text),
			"ftsca list --type ca, issuing and root show the authorities")
	}
	for _, c := range cas {
		if crl.KeyID(c) == id {
			return id, nil
		}
	}
	if err == nil {
		g.talk("warning: no authority of this store has the key identifier %s: the entry revokes none of its certificates", id)
	}
	return id, nil
}
