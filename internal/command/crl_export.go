package command

import (
	"context"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/durable"
	"github.com/ftsca/ftsca/internal/output"
)

type crlExportOptions struct {
	g      *global
	format string
	issuer string
	out    string
}

func newCRLExportCommand(g *global, runF func(context.Context, *crlExportOptions) error) *cobra.Command {
	o := &crlExportOptions{g: g}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the revocation list for other programs",
		Long: `Write what is revoked in a form that other programs read:

  json      the documents' form, of all that is in force
  serials   a serial in hex a line, of all that is in force
  fts       FreeTAKServer's own {"<serial in decimal>": "<user>"}, of all that is in force
  pem, der  the X.509 list as it was signed last; with several authorities, --issuer says whose for der`,
		Example: "  ftsca crl export --format pem --out FTS_CRL.pem\n  ftsca crl export --format serials | wc -l",
		Args:    cobra.NoArgs,
		RunE:    g.run(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.format, "format", "json", "`form`: json, serials, fts, pem or der")
	flags.StringVar(&o.issuer, "issuer", "", "`authority` whose signed list is meant: its name, or its key identifier in hex")
	flags.StringVar(&o.out, "out", "", "`file` to write (default standard output)")
	return cmd
}

func runCRLExport(ctx context.Context, o *crlExportOptions) error {
	g := o.g
	signed := o.format == "pem" || o.format == "der"
	switch {
	case !signed && o.format != "json" && o.format != "serials" && o.format != "fts":
		return usagef("--format %q is none of json, serials, fts, pem, der", o.format)
	case !signed && o.issuer != "":
		return usagef("--issuer chooses among signed lists: it goes with --format pem or der")
	}
	if tty, _ := g.env.tty(); tty && o.format == "der" && o.out == "" {
		return usagef("a list in DER is not for a terminal: give --out")
	}
	s, standing, err := g.open(ctx)
	if err != nil {
		return err
	}
	var data []byte
	if signed {
		data, err = o.signed(ctx, s)
	} else {
		data, err = o.inForce(ctx, s, standing.InForce)
	}
	if err != nil {
		return err
	}
	if o.out == "" {
		_, err := g.env.Stdout.Write(data)
		return err
	}
	if err := durable.WriteFile(o.out, data, 0o644); err != nil {
		return fmt.Errorf("exporting the revocation list: %w", err)
	}
	return nil
}

// inForce writes all that is revoked.
func (o *crlExportOptions) inForce(ctx context.Context, s *store.Store, entries []crl.Entry) ([]byte, error) {
	var text strings.Builder
	switch o.format {
	case "serials":
		for _, e := range entries {
			text.WriteString(e.Serial.String() + "\n")
		}
	case "fts":
		known, users := o.g.namesOf(ctx, s), make(map[string]string, len(entries))
		for _, e := range entries {
			users[e.Serial.Big().String()] = known[e.Serial].Name
		}
		if err := output.JSON(&text, users); err != nil {
			return nil, err
		}
	default:
		list := crl.NewList()
		for _, e := range entries {
			list.Add(e)
		}
		return list.Bytes(), nil
	}
	return []byte(text.String()), nil
}

// signed returns the X.509 lists as they are published.
func (o *crlExportOptions) signed(ctx context.Context, s *store.Store) ([]byte, error) {
	data, err := os.ReadFile(s.SignedFile())
	if err != nil {
		return nil, hinted(fmt.Errorf("reading the signed list: %w", err), "ftsca crl sign makes it, where the authority is")
	}
	issuer := ""
	if o.issuer != "" {
		if issuer, err = o.g.issuerNamed(ctx, s, o.issuer); err != nil {
			return nil, err
		}
	}
	var lists [][]byte
	var names []string
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		list, err := crl.ParseX509(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", s.SignedFile(), err)
		}
		if issuer == "" || hex.EncodeToString(list.AuthorityKeyID) == issuer {
			lists, names = append(lists, block.Bytes), append(names, fmt.Sprintf("%q", commonName(list.RawIssuer)))
		}
	}
	switch {
	case len(lists) == 0:
		return nil, hinted(fmt.Errorf("%s has no such list", s.SignedFile()), "ftsca crl sign makes it, where the authority is")
	case o.format == "pem":
		var all []byte
		for _, der := range lists {
			all = append(all, crl.EncodePEM(der)...)
		}
		return all, nil
	case len(lists) > 1:
		return nil, usagef("there are several lists, and DER holds one: --issuer chooses among %s", strings.Join(names, ", "))
	}
	return lists[0], nil
}
