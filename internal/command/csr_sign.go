package command

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/durable"
	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/internal/prompt"
)

type csrSignOptions struct {
	g             *global
	files         []string
	profile       string
	name          string
	days          int
	sans          []string
	groups        []string
	out           string
	newGeneration bool
	force         bool
	yes           bool
	passphrase    secretSource
	dryRun        bool
	json          bool
}

func newCSRSignCommand(g *global, runF func(context.Context, *csrSignOptions) error) *cobra.Command {
	o := &csrSignOptions{g: g}
	cmd := &cobra.Command{
		Use:   "sign FILE...",
		Short: "Sign requests that were made elsewhere",
		Long: `Show the requests in files in full, and sign them: for a server where a request has DNS names or addresses,
for a client where it has none, unless --profile says otherwise. Nothing of a request but its key and its
vetted names is taken; who is in which group, --group says. All are signed in one act, or none.

A certificate goes into a file beside its request (device.csr, device.pem), with those of the authorities
above it. The profile issuing is for the request of an authority below this root.`,
		Example: `  ftsca csr sign device.csr
  ftsca csr sign laptops/*.csr --profile client --group blue --out answers
  ftsca csr sign ca.csr --profile issuing`,
		Args: cobra.MinimumNArgs(1),
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.files = args
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.profile, "profile", "", "`what` the certificates are for: server, client or issuing")
	flags.StringVar(&o.name, "name", "", "name of the certificate, where one request is signed (default what it asks for)")
	flags.IntVar(&o.days, "days", 0, "validity in days from now (default 730, of an issuing authority 3650)")
	flags.StringArrayVar(&o.sans, "san", nil, "alternative `name` to add, a DNS name or an IP address; may be repeated")
	flags.StringArrayVar(&o.groups, "group", nil, "`group` of the clients; may be repeated")
	flags.StringVar(&o.out, "out", "", "`folder` for the certificates (default beside the requests)")
	flags.BoolVar(&o.newGeneration, "new-generation", false, "sign for names in use; the earlier certificates stay valid")
	flags.BoolVar(&o.force, "force", false, "allow a server more than 825 days in all, which Apple devices refuse, and during a rollover what devices that have not moved will not trust")
	flags.BoolVar(&o.yes, "yes", false, "sign without a question")
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	g.bindClock(flags)
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be signed, and sign nothing")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return cmd
}

func runCSRSign(ctx context.Context, o *csrSignOptions) error {
	g := o.g
	requests, err := readRequests(o.files)
	if err != nil {
		return err
	}
	if o.name != "" && len(requests) > 1 {
		return usagef("--name is for one request, and there are %d", len(requests))
	}
	orders, files := make([]ca.Order, len(requests)), make([]string, len(requests))
	for i, r := range requests {
		if orders[i], err = o.order(r); err != nil {
			return err
		}
		files[i] = answerFile(r, o.out)
		if err := checkFree(files[i]); err != nil {
			return err
		}
		if err := checkWritable(filepath.Dir(files[i])); err != nil && !o.dryRun {
			return fmt.Errorf("the answer to %s: %w", r, err)
		}
		for _, earlier := range orders[:i] {
			if name := orders[i].Request.Subject.CommonName; earlier.Request.Subject.CommonName == name {
				return hinted(fmt.Errorf("two requests are for the name %q", name), "sign them one by one, with --name or --new-generation")
			}
		}
		if slices.Contains(files[:i], files[i]) {
			return hinted(fmt.Errorf("two answers would go into %s", files[i]), "sign them one by one, or give the requests different names")
		}
	}
	keys, err := g.openAuthority(ctx, o.passphrase)
	if err != nil {
		return err
	}
	s := keys.store
	defer s.Close()
	if !o.force && slices.ContainsFunc(orders, func(order ca.Order) bool { return order.Purpose == ca.Server }) {
		if err := s.CheckMoved(ctx, keys.authorities); err != nil {
			return err
		}
	}
	for i, r := range requests {
		cert, cut, err := ca.Preview(keys.authorities.Current, g.env.Now(), orders[i])
		if err == nil {
			err = checkName(ctx, s, orders[i].Request.Subject.CommonName, orders[i].Purpose, o.newGeneration)
		}
		if err != nil {
			return fmt.Errorf("the request %s: %w", r, err)
		}
		for _, row := range r.rows() {
			g.talk("%-12s %s", row[0], row[1])
		}
		g.talk("%-12s %s, as %q, %s to %s", "would be", orders[i].Purpose, orders[i].Request.Subject.CommonName, stamp(cert.NotBefore), stamp(cert.NotAfter))
		g.sayCut(cut, cert.NotAfter)
	}
	if o.dryRun {
		return nil
	}
	if !o.yes {
		ok, err := g.env.Prompt().Confirm(prompt.Question{Text: fmt.Sprintf("Sign %s", plural(len(requests), "request", "requests")), Flag: "--yes"})
		if err == nil && !ok {
			err = errors.New("nothing was signed")
		}
		if err != nil {
			return err
		}
	}
	authority, err := keys.current()
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := makeFolder(o.out); err != nil {
			return err
		}
	}
	entries, err := authority.IssueAll(ctx, orders)
	if err != nil {
		return err
	}
	results := make([]issued, len(entries))
	for i, e := range entries {
		answer, err := keys.answer(ctx, e)
		if err == nil {
			err = durable.Create(files[i], answer, 0o644)
		}
		if err != nil {
			return hinted(fmt.Errorf("the certificate of %q is issued, but: %w", e.Name, err), "it lies in authority/%s too", store.CertificateFile(e.Certificate))
		}
		results[i] = issuedOf(e)
		results[i].Certificate = files[i]
	}
	if o.json {
		return output.JSON(g.env.Stdout, results)
	}
	for _, r := range results {
		g.say("signed       %s (%s, generation %d)", r.Name, r.Purpose, r.Generation)
		g.say("serial       %s", r.Serial)
		g.say("until        %s", r.NotAfter)
		g.say("certificate  %s", r.Certificate)
	}
	return nil
}

// order makes of a request what the authority may be asked for.
func (o *csrSignOptions) order(r fileRequest) (ca.Order, error) {
	purpose := ca.Purpose(o.profile)
	switch {
	case purpose != "" && purpose != ca.Server && purpose != ca.Client && purpose != ca.Issuing:
		return ca.Order{}, usagef("--profile %q is none of server, client, issuing", o.profile)
	case r.Authority && purpose != ca.Issuing:
		return ca.Order{}, hinted(fmt.Errorf("the request %s asks for the powers of an authority", r), "--profile issuing gives them, at a root; nothing else may")
	case purpose == "" && len(r.Asked.DNSNames)+len(r.Asked.Addresses)+len(o.sans) > 0:
		purpose = ca.Server
	case purpose == "":
		purpose = ca.Client
	}
	name := o.name
	if name == "" {
		name = r.Name()
	}
	if name == "" {
		return ca.Order{}, hinted(fmt.Errorf("the request %s suggests no name", r), "give --name")
	}
	request, err := r.As(name, o.groups)
	if err != nil {
		return ca.Order{}, &usageError{fmt.Errorf("the request %s: %w", r, err)}
	}
	hosts, addresses, err := csr.Names(o.sans)
	if err != nil {
		return ca.Order{}, &usageError{err}
	}
	for _, h := range hosts {
		if !slices.Contains(request.DNSNames, h) {
			request.DNSNames = append(slices.Clip(request.DNSNames), h)
		}
	}
	for _, a := range addresses {
		if !slices.Contains(request.Addresses, a) {
			request.Addresses = append(slices.Clip(request.Addresses), a)
		}
	}
	return ca.Order{Purpose: purpose, Request: request, Days: o.days, AllowLong: o.force, NewGeneration: o.newGeneration}, nil
}

// answer is what goes back to who made a request: the certificate, those above it, and for an authority the root's
// revocation list.
func (k *keyring) answer(ctx context.Context, e ca.Entry) ([]byte, error) {
	above := k.authorities.ChainOf(k.authorities.Current)
	answer := append(encodePEM(e.Certificate), encodePEM(above...)...)
	if e.Purpose != ca.Issuing {
		return answer, nil
	}
	list, err := k.store.SignedList(ctx, k.authorities.Current)
	return append(answer, list...), err
}
