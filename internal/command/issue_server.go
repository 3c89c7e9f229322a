package command

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/output"
)

// The files of the server that the endpoint serves as.
const (
	serverStem     = "server"
	certificateExt = ".pem"
	keyExt         = ".key"
)

type issueServerOptions struct {
	issueOptions
	preset     bool
	alsoClient bool
	force      bool
	sealWith   secretSource
}

func newIssueServerCommand(g *global, runF func(context.Context, *issueServerOptions) error) *cobra.Command {
	o := &issueServerOptions{issueOptions: issueOptions{g: g}}
	cmd := &cobra.Command{
		Use:   "server NAME",
		Short: "Issue a server's certificate and key",
		Long: `Issue a server's certificate and key into the endpoint room. The name and every --san are names and
addresses that devices may connect to.

The first server's files are server.pem and server.key, as which ftsca serve serves; further ones get
files of their own name, unless they are marked --default.`,
		Example: `  ftsca issue server fts.example.org --san 10.0.0.5 --san localhost
  ftsca issue server relay.example.org --days 365 --key ecdsa-p256
  ftsca issue server fts.example.org --new-generation`,
		Args: cobra.ExactArgs(1),
		RunE: g.act(func(ctx context.Context, args []string) error {
			o.name = args[0]
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	o.bind(flags)
	flags.BoolVar(&o.preset, "default", false, "serve as this server; the earlier one's files are kept under its own name")
	flags.BoolVar(&o.alsoClient, "also-client", false, "let the certificate act as a client's too, for federation")
	flags.BoolVar(&o.force, "force", false, "allow more than 825 days in all, which Apple devices refuse, and during a rollover what devices that have not moved will not trust")
	o.sealWith.bind(flags, "server-key-passphrase", "a passphrase to seal the server's key with")
	return cmd
}

func runIssueServer(ctx context.Context, o *issueServerOptions) error {
	sans, err := serverNames(o.name, o.sans)
	if err != nil {
		return err
	}
	seal, err := o.sealWith.read()
	if err != nil {
		return err
	}
	i, err := o.prepare(ctx, ca.Server, sans, nil)
	if err != nil {
		return err
	}
	defer i.store.Close()
	i.order.AllowLong, i.order.AlsoClient = o.force, o.alsoClient
	if !o.force {
		if err := i.store.CheckMoved(ctx, i.authorities); err != nil {
			return err
		}
	}
	if err := o.warnDropped(ctx, i); err != nil {
		return err
	}
	if o.dryRun {
		return o.preview(i)
	}
	stem, products := "", []ca.Product(nil)
	i.order.Pack = func(e ca.Entry) ([]ca.Product, error) {
		key, err := keyfile.NewSealer(o.g.env.KeyRounds).Seal(i.key, seal)
		if err != nil {
			return nil, err
		}
		stem, products, err = serverFiles(i.store.Endpoint(), i.authority.Certificate(), e, key, o.preset)
		return products, err
	}
	entry, err := i.authority.Issue(ctx, i.order)
	if err != nil {
		return err
	}
	r := issuedOf(entry)
	r.Certificate = filepath.Join(i.store.Endpoint(), stem+certificateExt)
	r.KeyFile = filepath.Join(i.store.Endpoint(), stem+keyExt)
	o.g.sayCut(entry.Cut, entry.Certificate.NotAfter)
	if o.json {
		return output.JSON(o.g.env.Stdout, r)
	}
	o.g.say("issued       %s (server, generation %d)", r.Name, r.Generation)
	o.g.say("serial       %s", r.Serial)
	o.g.say("until        %s", r.NotAfter)
	for _, name := range r.Names {
		o.g.say("name         %s", name)
	}
	o.g.say("certificate  %s", r.Certificate)
	o.g.say("key          %s", r.KeyFile)
	if stem != serverStem {
		o.g.talk("note: ftsca serve goes on serving as the default server; --default marks another one")
	}
	return nil
}

// warnDropped tells of names that the generation before has and the new one has not: devices that connect to one of them
// will not trust the server any more.
func (o *issueServerOptions) warnDropped(ctx context.Context, i *issuing) error {
	if !o.newGeneration {
		return nil
	}
	records, err := i.store.Find(ctx, o.name)
	var unknown *store.UnknownError
	if errors.As(err, &unknown) {
		return nil // the first generation
	}
	if err != nil {
		return err
	}
	before, err := i.store.Certificate(ctx, records[len(records)-1].Serial)
	if err != nil {
		return err
	}
	next, _, err := ca.Preview(i.authorities.Current, o.g.env.Now(), i.order)
	if err != nil {
		return nil // what stands against it is said when it is issued
	}
	names := alternativeNames(next)
	dropped := slices.DeleteFunc(alternativeNames(before), func(name string) bool { return slices.Contains(names, name) })
	if len(dropped) > 0 {
		o.g.talk("warning: the generation before is for %s too, and this one is not; --san adds it, and ftsca renew keeps all names", strings.Join(dropped, ", "))
	}
	return nil
}

// serverFiles makes a server's files of its certificate and key file. The key comes first: a certificate in place means
// that its key is.
func serverFiles(dir string, issuer *x509.Certificate, e ca.Entry, key []byte, preset bool) (stem string, products []ca.Product, err error) {
	current, err := currentServer(dir)
	if err != nil {
		return "", nil, err
	}
	stem = datapackage.FileStem(e.Name, serialOf(e.Certificate))
	replace, kept := false, ""
	if current == nil {
		stem = serverStem
	} else if preset || current.Subject.CommonName == e.Name {
		stem, replace = serverStem, true
		kept = datapackage.FileStem(current.Subject.CommonName, serialOf(current))
	}
	product := func(ext string, data []byte, mode fs.FileMode) ca.Product {
		p := ca.Product{Room: ca.Endpoint, Name: stem + ext, Data: data, Mode: mode, Replace: replace}
		if replace {
			p.Keep = kept + ext
		}
		return p
	}
	return stem, []ca.Product{product(keyExt, key, 0o600), product(certificateExt, encodePEM(e.Certificate, issuer), 0o644)}, nil
}

// currentServer returns the certificate that the endpoint serves with, or nil where it has none yet.
func currentServer(dir string) (*x509.Certificate, error) {
	name := filepath.Join(dir, serverStem+certificateExt)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking at the present server's certificate: %w", err)
	}
	certs, err := parsePEM(data)
	if err != nil {
		return nil, fmt.Errorf("looking at the present server's certificate %s: %w", name, err)
	}
	return certs[0], nil
}

func encodePEM(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// parsePEM returns the certificates among the PEM blocks, at least one.
func parsePEM(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("there is no certificate in it")
	}
	return certs, nil
}

func alternativeNames(cert *x509.Certificate) []string {
	names := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}
