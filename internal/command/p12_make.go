package command

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/prompt"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
)

type p12MakeOptions struct {
	p12Writing
	g          *global
	key        string
	cert       string
	chain      []string
	name       string
	allowCA    bool
	passphrase secretSource
	password   secretSource
}

func newP12MakeCommand(g *global, runF func(context.Context, *p12MakeOptions) error) *cobra.Command {
	o := &p12MakeOptions{g: g}
	cmd := &cobra.Command{
		Use:   "make --key FILE --cert FILE --out FILE",
		Short: "Make an identity of a key and its certificate",
		Long: `Put a private key, its certificate and the authorities above that into a p12 file. The files may be in any
order and hold more than is needed: the certificate is that of the key, the authorities are those that signed
it and each other. Certificates may be in PEM or DER.

The password is random unless one is given, and told once. The key of an authority is refused: whoever has the
file could issue certificates.`,
		Example: `  ftsca p12 make --key alice.key --cert alice.pem --chain ca.pem --out alice.p12
  ftsca p12 make --key bundle.pem --out alice.p12 --password-file pw.txt
  ftsca p12 make --key alice.key --cert alice.pem --out alice.p12 --p12 modern`,
		Args: cobra.NoArgs,
		RunE: g.run(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.key, "key", "", "`file` of the private key, in PEM")
	flags.StringVar(&o.cert, "cert", "", "`file` of the certificate (default that of the key)")
	flags.StringArrayVar(&o.chain, "chain", nil, "`file` of authorities above it; may be repeated")
	flags.StringVar(&o.name, "name", "", "friendly `name` of the key (default the certificate's common name)")
	flags.BoolVar(&o.allowCA, "allow-ca", false, "pack the key of an authority")
	o.passphrase.bind(flags, "key-passphrase", "the passphrase of the key")
	o.password.bind(flags, "password", "the password of the new file")
	o.p12Writing.bind(flags)
	return cmd
}

func runP12Make(_ context.Context, o *p12MakeOptions) error {
	g := o.g
	if o.key == "" {
		return hinted(usagef("no key is named"), "give --key")
	}
	encoder, err := o.begin(g)
	if err != nil {
		return err
	}
	key, err := keyfile.Load(o.key, o.askPassphrase)
	if err != nil {
		return err
	}
	id, err := o.identity(key)
	if err != nil {
		return err
	}
	if err := refuseAuthority(id.Certificate, o.allowCA); err != nil {
		return err
	}
	password, made, err := g.clientPassword(o.password, o.allowWeak)
	if err != nil {
		return err
	}
	for _, c := range id.Others {
		g.talk("note: left out: %s, which does not stand above %s", pkcs12.Describe(c), pkcs12.Describe(id.Certificate))
	}
	g.warnDates(append([]*x509.Certificate{id.Certificate}, id.Chain...)...)
	data, err := encoder.WriteIdentity(id, password.Reveal())
	if err != nil {
		return err
	}
	var r writtenP12
	r.describe(id.Certificate, id.Chain)
	return o.end(g, data, r, password, made)
}

func (o *p12MakeOptions) askPassphrase() (secret.Secret, error) {
	value, err := o.passphrase.read()
	if err != nil || !value.IsZero() {
		return value, err
	}
	return o.g.env.Prompt().Secret(prompt.Question{Text: "Passphrase of the key", Flag: "--key-passphrase-file"})
}

// identity finds the key's certificate and those above it in the files.
func (o *p12MakeOptions) identity(key crypto.Signer) (pkcs12.Identity, error) {
	file := o.cert
	if file == "" {
		file = o.key
	}
	var own, rest []*x509.Certificate
	for _, name := range append([]string{file}, o.chain...) {
		certs, err := o.certificates(name)
		if err != nil {
			return pkcs12.Identity{}, err
		}
		for _, c := range certs {
			if keyfile.Match(key, c) != nil || name != file {
				rest = append(rest, c)
			} else if len(own) == 0 || !own[0].Equal(c) {
				own = append(own, c)
			}
		}
	}
	switch {
	case len(own) == 0:
		return pkcs12.Identity{}, hinted(fmt.Errorf("%s holds no certificate of the key %s", file, o.key), "give the certificate that was issued for this key with --cert")
	case len(own) > 1:
		return pkcs12.Identity{}, hinted(fmt.Errorf("%s holds %d certificates of the key %s", file, len(own), o.key), "give a file with the one that is meant with --cert")
	}
	id := pkcs12.Identity{Key: key, Certificate: own[0], Name: o.name}
	if id.Name == "" {
		id.Name = commonName(own[0].RawSubject)
	}
	id.Chain, id.Others = pkcs12.ChainOf(own[0], rest)
	return id, nil
}

// certificates reads a file, in silence about the key where that is the key's own.
func (o *p12MakeOptions) certificates(name string) ([]*x509.Certificate, error) {
	if name == o.key {
		return readCertificates(name)
	}
	return o.g.anyCertificates(name)
}
