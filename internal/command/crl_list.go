package command

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/output"
)

// The states of a revocation. Whatever its state, it is in force.
const (
	entrySigned   = "signed"
	entryUnsigned = "unsigned" // the X.509 list for other servers lacks it
	entryVanished = "vanished" // another hand took it out of FTS_CRL.json
	entryHold     = "hold"     // signed, and can be released
	entryExpired  = "expired"  // its certificate is, and so it is no longer on the X.509 list
	entryForeign  = "foreign"  // it is about an authority that is none of the store's
)

type crlListOptions struct {
	g    *global
	json bool
	csv  bool
}

func newCRLListCommand(g *global, runF func(context.Context, *crlListOptions) error) *cobra.Command {
	o := &crlListOptions{g: g}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what is revoked",
		Long: `List all that is in force, with the names that the store knows, and its state: signed, or on hold and
signed; unsigned, while the X.509 list for other servers lacks it; vanished, where another hand took it out of
FTS_CRL.json; expired, when the certificate is and the X.509 list needs it no more; foreign, where it is about an
authority that is none of this store's.`,
		Example: "  ftsca crl list\n  ftsca crl list --csv",
		Args:    cobra.NoArgs,
		RunE:    g.run(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.json, "json", false, "print the list as JSON")
	flags.BoolVar(&o.csv, "csv", false, "print the list as CSV")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	return cmd
}

// listedEntry is a revocation, for JSON.
type listedEntry struct {
	Serial     string `json:"serial"`
	Name       string `json:"name,omitempty"`
	Generation int    `json:"generation,omitempty"`
	Revoked    string `json:"revoked,omitempty"` // when
	Reason     string `json:"reason"`
	State      string `json:"state"`
	Issuer     string `json:"issuer,omitempty"` // key identifier of the one authority that is meant
}

func runCRLList(ctx context.Context, o *crlListOptions) error {
	g := o.g
	s, standing, err := g.open(ctx)
	if err != nil {
		return err
	}
	g.noteListed(s)
	tty, width := g.env.tty()
	entries := standing.InForce
	if !o.json && !o.csv && tty && len(entries) > mostRows {
		defer g.talk("note: and %d more: --json and --csv show all", len(entries)-mostRows)
		entries = entries[:mostRows]
	}
	all := describeEntries(entries, standing, g.namesOf(ctx, s))
	if o.json {
		return output.JSON(g.env.Stdout, all)
	}
	header := []string{"serial", "name", "gen", "revoked", "reason", "state", "issuer"}
	rows := make([][]string, len(all))
	for i, e := range all {
		generation := ""
		if e.Generation > 0 {
			generation = strconv.Itoa(e.Generation)
		}
		rows[i] = []string{e.Serial, e.Name, generation, output.Time(entries[i].Date, g.env.Now(), tty && !o.csv), e.Reason, e.State, e.Issuer}
	}
	if o.csv {
		return output.CSV(g.env.Stdout, header, rows)
	}
	return output.Table(g.env.Stdout, width, header, rows)
}

// namesOf returns what the store knows of certificates, by serial; nothing where it cannot be read.
func (g *global) namesOf(ctx context.Context, s *store.Store) map[crl.Serial]store.Record {
	records, err := s.Records(ctx)
	if err != nil {
		records, _ = s.Listed()
	}
	known := make(map[crl.Serial]store.Record, len(records))
	for _, r := range records {
		if serial, err := crl.ParseSerial(r.Serial); err == nil {
			known[serial] = r
		}
	}
	return known
}

func describeEntries(entries []crl.Entry, standing store.Standing, known map[crl.Serial]store.Record) []listedEntry {
	key := func(e crl.Entry) crl.Entry { return crl.Entry{Serial: e.Serial, Issuer: e.Issuer} }
	states := map[crl.Entry]string{}
	for state, of := range map[string][]crl.Entry{entryUnsigned: standing.Unsigned, entryExpired: standing.Lapsed, entryForeign: standing.Foreign} {
		for _, e := range of {
			states[key(e)] = state
		}
	}
	for _, e := range standing.Vanished {
		states[key(e)] = entryVanished
	}
	all := make([]listedEntry, len(entries))
	for i, e := range entries {
		r := known[e.Serial]
		all[i] = listedEntry{Serial: e.Serial.String(), Name: r.Name, Generation: r.Generation, Revoked: stamp(e.Date),
			Reason: e.Reason.String(), State: states[key(e)], Issuer: e.Issuer}
		switch {
		case all[i].State != "":
		case e.Reason == crl.CertificateHold:
			all[i].State = entryHold
		default:
			all[i].State = entrySigned
		}
	}
	return all
}

type crlShowOptions struct {
	g       *global
	address string
	json    bool
}

func newCRLShowCommand(g *global, runF func(context.Context, *crlShowOptions) error) *cobra.Command {
	o := &crlShowOptions{g: g}
	cmd := &cobra.Command{
		Use:   "show NAME | NAME#GENERATION | SERIAL",
		Short: "Show what the revocation list says of a certificate",
		Long: `Show every entry of the revocation list for a name, one generation or one serial, with all that
FTS_CRL.json says of it, and what the audit trail tells: who revoked it, when, and what was done since.`,
		Example: "  ftsca crl show bob\n  ftsca crl show 1A:2B:3C:4D:5E:6F --json",
		Args:    cobra.ExactArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.address = args[0]
			return runF(ctx, o)
		}),
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print the entries as JSON")
	return cmd
}

// shownEntry is a revocation in full, for JSON.
type shownEntry struct {
	listedEntry
	Written json.RawMessage    `json:"written,omitempty"` // as it stands in FTS_CRL.json
	History []store.AuditEntry `json:"history,omitempty"`
}

func runCRLShow(ctx context.Context, o *crlShowOptions) error {
	g := o.g
	s, standing, err := g.open(ctx)
	if err != nil {
		return err
	}
	found, err := g.pick(ctx, s, standing.InForce, o.address)
	if err != nil {
		return err
	}
	list, listErr := s.List()
	if listErr == nil {
		g.noteZones(list.Zoneless(), "FTS_CRL.json")
	}
	var shown []shownEntry
	for i, e := range describeEntries(found.entries, standing, found.known) {
		one := shownEntry{listedEntry: e}
		entry := found.entries[i]
		if listErr == nil {
			if text := list.Text(entry); json.Valid(text) && utf8.Valid(text) {
				one.Written = text
			}
		}
		if one.History, err = s.History(ctx, entry.Serial); err != nil {
			g.talk("warning: the audit trail cannot be read: %v", err)
		}
		shown = append(shown, one)
	}
	if o.json {
		return output.JSON(g.env.Stdout, shown)
	}
	for i, e := range shown {
		if i > 0 {
			g.say("")
		}
		e.print(g)
	}
	return nil
}

func (e shownEntry) print(g *global) {
	name := e.Name
	if name != "" {
		name = fmt.Sprintf("%s#%d", name, e.Generation)
	}
	rows := [][2]string{{"name", name}, {"serial", e.Serial}, {"revoked", e.Revoked}, {"reason", e.Reason}, {"state", e.State}, {"issuer", e.Issuer}, {"written", oneLine(e.Written)}}
	for _, h := range e.History {
		by := ""
		if h.By != "" {
			by = " by " + h.By
		}
		rows = append(rows, [2]string{"trail", fmt.Sprintf("%s %s%s: %s", stamp(h.Time), h.Act, by, h.Detail)})
	}
	for _, r := range rows {
		if r[1] != "" {
			g.say("%-12s %s", r[0], r[1])
		}
	}
}
