package command

import (
	"context"
	"crypto"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
)

func newIssueCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "issue",
		Short: "Issue a server's certificate or a client's package",
		Args:  cobra.NoArgs,
		RunE:  help,
	}
	cmd.AddCommand(newIssueServerCommand(g, runIssueServer), newIssueClientCommand(g, runIssueClient))
	return cmd
}

// issueOptions is what servers and clients have in common.
type issueOptions struct {
	g             *global
	name          string
	key           string
	days          int
	sans          []string
	subject       subjectFlags
	passphrase    secretSource
	newGeneration bool
	dryRun        bool
	json          bool
}

func (o *issueOptions) bind(flags *pflag.FlagSet) {
	bindKey(flags, &o.key, keyfile.RSA2048)
	flags.IntVar(&o.days, "days", 0, "validity in days from now (default 730)")
	bindSAN(flags, &o.sans)
	o.subject.bind(flags)
	o.passphrase.bind(flags, "ca-passphrase", passphraseWhat)
	flags.BoolVar(&o.newGeneration, "new-generation", false, "issue the next certificate under a name in use; the earlier ones stay valid")
	o.g.bindClock(flags)
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be issued, and issue nothing")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
}

// issuing is an issue under way: an opened authority, but for a dry run, and the certificate's own key.
type issuing struct {
	store       *store.Store
	authorities store.Authorities
	authority   *ca.Authority
	key         crypto.Signer
	order       ca.Order
}

// prepare checks all that can be checked before a passphrase is asked for and a key is made, in that order.
func (o *issueOptions) prepare(ctx context.Context, purpose ca.Purpose, sans, groups []string) (*issuing, error) {
	g := o.g
	algorithm, err := keyfile.ParseAlgorithm(o.key)
	if err != nil {
		return nil, &usageError{err}
	}
	subject, err := o.subject.subject(o.name, groups).Vet()
	if err != nil {
		return nil, &usageError{err}
	}
	if _, _, err := csr.Names(sans); err != nil {
		return nil, &usageError{err}
	}
	s, _, err := g.open(ctx)
	if err != nil {
		return nil, err
	}
	if !s.HasAuthority() {
		return nil, store.ErrNoAuthority
	}
	if err := checkName(ctx, s, subject.CommonName, purpose, o.newGeneration); err != nil {
		return nil, err
	}
	keys, err := g.keyring(ctx, s, o.passphrase, true)
	if err != nil {
		return nil, err
	}
	if err := issuesHere(keys.authorities); err != nil {
		return nil, err
	}
	var authority *ca.Authority
	if !o.dryRun {
		if authority, err = keys.current(); err != nil {
			return nil, err
		}
	}
	key, err := g.generate(ctx, algorithm)
	if err != nil {
		return nil, err
	}
	request, err := csr.New(key.Public(), subject, sans)
	if err != nil {
		return nil, &usageError{err}
	}
	order := ca.Order{Purpose: purpose, Request: request, Days: o.days, NewGeneration: o.newGeneration}
	return &issuing{store: s, authorities: keys.authorities, authority: authority, key: key, order: order}, nil
}

// checkName refuses a name that is in use, or that with a new generation would be another kind of certificate's.
func checkName(ctx context.Context, s *store.Store, name string, purpose ca.Purpose, newGeneration bool) error {
	found, err := s.Find(ctx, name)
	var unknown *store.UnknownError
	if err != nil && !errors.As(err, &unknown) {
		return err
	}
	for _, r := range found {
		if r.Name == name && (!newGeneration || r.Purpose != purpose) {
			latest := found[len(found)-1]
			if r.Purpose != purpose {
				return usagef("the name %q belongs to a certificate of the kind %q", r.Name, r.Purpose)
			}
			return &ca.NameInUseError{Name: latest.Name, Generation: latest.Generation}
		}
	}
	return nil
}

// issued is the result of an issue, for JSON.
type issued struct {
	Name        string   `json:"name"`
	Generation  int      `json:"generation"`
	Purpose     string   `json:"purpose"`
	Serial      string   `json:"serial"`
	Fingerprint string   `json:"fingerprint_sha256"`
	Key         string   `json:"key"`
	NotBefore   string   `json:"not_before"`
	NotAfter    string   `json:"not_after"`
	Names       []string `json:"names,omitempty"`
	Groups      []string `json:"groups,omitempty"`
	Certificate string   `json:"certificate,omitempty"` // path
	KeyFile     string   `json:"key_file,omitempty"`    // path
	Packages    []string `json:"packages,omitempty"`    // paths
	Hosts       []string `json:"hosts,omitempty"`
	Password    string   `json:"password,omitempty"` // only where it was made here, and only here
}

func issuedOf(e ca.Entry) issued {
	cert := e.Certificate
	return issued{
		Name: e.Name, Generation: e.Generation, Purpose: string(e.Purpose), Serial: serialOf(cert), Fingerprint: fingerprint(cert),
		Key: keyName(cert.PublicKey), NotBefore: stamp(cert.NotBefore), NotAfter: stamp(cert.NotAfter),
		Names: alternativeNames(cert), Groups: e.Groups,
	}
}

// preview prints what an order would lead to.
func (o *issueOptions) preview(i *issuing) error {
	cert, cut, err := ca.Preview(i.authorities.Current, o.g.env.Now(), i.order)
	if err != nil {
		return err
	}
	o.g.say("would issue  %s for %q, key %s", i.order.Purpose, i.order.Request.Subject.CommonName, keyName(cert.PublicKey))
	o.g.say("valid        %s to %s", stamp(cert.NotBefore), stamp(cert.NotAfter))
	for _, name := range alternativeNames(cert) {
		o.g.say("name         %s", name)
	}
	for _, group := range i.order.Request.Subject.Groups {
		o.g.say("group        %s", group)
	}
	o.g.sayCut(cut, cert.NotAfter)
	return nil
}

func (g *global) sayCut(cut bool, end time.Time) {
	if cut {
		g.talk("note: the certificate ends with its authority, on %s, and so earlier than asked for", stamp(end))
	}
}
