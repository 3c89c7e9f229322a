package command

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
)

type p12ConvertOptions struct {
	p12Writing
	g           *global
	file        string
	allowCA     bool
	password    p12Password
	newPassword secretSource
}

func newP12ConvertCommand(g *global, runF func(context.Context, *p12ConvertOptions) error) *cobra.Command {
	o := &p12ConvertOptions{g: g}
	cmd := &cobra.Command{
		Use:   "convert FILE --out FILE",
		Short: "Write a p12 file anew, so that devices open it",
		Long: `Read a p12 file, an identity or a trust store, and write it in another profile: 3DES, which every TAK device
opens, of the AES that OpenSSL 3 and Java write, or of the RC2 of older tools. The key, its certificate and name,
and the authorities above it are kept; so are the certificates and names of a trust store, which get the mark
that Java looks for.

The password stays as it is unless another is given; one that is empty, with which ATAK connects nothing, is
replaced by a random one, and told once. The file itself is left alone.`,
		Example: `  ftsca p12 convert alice.p12 --out alice-tak.p12
  ftsca p12 convert alice.p12 --p12 tak --password-file pw.txt --out alice-tak.p12
  ftsca p12 convert truststore.p12 --password-file pw.txt --new-password-file new.txt --out ca.p12`,
		Args: cobra.ExactArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.file = args[0]
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	o.password.bind(flags)
	o.newPassword.bind(flags, "new-password", "the password of the new file")
	flags.BoolVar(&o.allowCA, "allow-ca", false, "take the key of an authority")
	o.p12Writing.bind(flags)
	return cmd
}

func runP12Convert(_ context.Context, o *p12ConvertOptions) error {
	g := o.g
	encoder, err := o.begin(g)
	if err != nil {
		return err
	}
	data, err := readBounded(o.file, maxP12)
	if err != nil {
		return fmt.Errorf("reading the p12 file: %w", err)
	}
	form, err := pkcs12.Inspect(data)
	if err != nil {
		return fmt.Errorf("%s: %w", o.file, err)
	}
	old, err := o.password.ask(g, o.file)
	if err != nil {
		return err
	}
	r := writtenP12{PreviousForm: form.String()}
	write, err := o.open(data, old, &r)
	if err != nil {
		return err
	}
	password, made, err := o.secondPassword(old)
	if err != nil {
		return err
	}
	converted, err := write(encoder, password.Reveal())
	if err != nil {
		return err
	}
	return o.end(g, converted, r, password, made)
}

// open reads the file as an identity, else as a trust store, and returns what writes the same anew.
func (o *p12ConvertOptions) open(data []byte, password secret.Secret, r *writtenP12) (func(pkcs12.Encoder, string) ([]byte, error), error) {
	id, err := pkcs12.ReadIdentity(data, password.Reveal())
	if errors.Is(err, pkcs12.ErrNoKey) {
		anchors, err := pkcs12.ReadTrustStore(data, password.Reveal())
		if err != nil {
			return nil, o.explain(err)
		}
		var certs []*x509.Certificate
		for _, a := range anchors {
			certs = append(certs, a.Certificate)
		}
		r.addAuthorities(certs)
		o.g.warnDates(certs...)
		return func(e pkcs12.Encoder, password string) ([]byte, error) {
			converted, err := e.WriteTrustStore(anchors, password)
			if err != nil {
				err = hinted(fmt.Errorf("%s: %w", o.file, err), "ftsca p12 trust makes a trust store of the files of all authorities up to the root")
			}
			return converted, err
		}, nil
	}
	if err != nil {
		return nil, o.explain(err)
	}
	if err := refuseAuthority(id.Certificate, o.allowCA); err != nil {
		return nil, err
	}
	for _, c := range id.Others {
		o.g.talk("note: left out: %s, which does not stand above %s", pkcs12.Describe(c), pkcs12.Describe(id.Certificate))
	}
	if id.Name == "" {
		id.Name = commonName(id.Certificate.RawSubject)
	}
	r.describe(id.Certificate, id.Chain)
	r.Name = plain(id.Name)
	o.g.warnDates(id.Certificate)
	return func(e pkcs12.Encoder, password string) ([]byte, error) { return e.WriteIdentity(id, password) }, nil
}

func (o *p12ConvertOptions) explain(err error) error {
	err = fmt.Errorf("%s: %w", o.file, err)
	switch {
	case errors.Is(err, pkcs12.ErrAltered):
		return hinted(err, "get it anew from where it was made; ftsca p12 show tells what is in it now")
	case errors.Is(err, pkcs12.ErrPassword):
		return hinted(err, "a file that was altered may look the same; --empty-password is for one without a password")
	}
	return err
}

// secondPassword is the password of the new file: the one given, else the old one, else a random one.
func (o *p12ConvertOptions) secondPassword(old secret.Secret) (value secret.Secret, made bool, err error) {
	if o.newPassword.given() {
		return o.g.clientPassword(o.newPassword, o.allowWeak)
	}
	if old.IsZero() {
		o.g.talk("note: %s has an empty password, with which ATAK connects nothing: the new file gets a random one", o.file)
		return secret.Random(), true, nil
	}
	if old.WellKnown() && !o.allowWeak {
		o.g.talk("note: the password is one that everybody knows; --new-password-file gives the new file another")
	}
	return old, false, nil
}
