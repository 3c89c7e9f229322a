package command

import (
	"context"
	"crypto/x509"

	"github.com/spf13/cobra"
)

type p12TrustOptions struct {
	p12Writing
	g        *global
	files    []string
	password secretSource
}

func newP12TrustCommand(g *global, runF func(context.Context, *p12TrustOptions) error) *cobra.Command {
	o := &p12TrustOptions{g: g}
	cmd := &cobra.Command{
		Use:   "trust CAFILE... --out FILE",
		Short: "Make a trust store of the certificates of authorities",
		Long: `Put the certificates of authorities, from files in PEM or DER, into a p12 file that devices trust servers by:
each once, under a name of its own, with the mark that Java looks for. Every authority must lead to a root among
them, since ATAK takes no certificate of an authority from the server: what is missing is said.

The password is random unless one is given, and told once.`,
		Example: `  ftsca p12 trust ca.pem --out truststore.p12
  ftsca p12 trust issuing.crt root.der --out truststore.p12 --password-file pw.txt`,
		Args: cobra.MinimumNArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.files = args
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	o.password.bind(flags, "password", "the password of the new file")
	o.p12Writing.bind(flags)
	return cmd
}

func runP12Trust(_ context.Context, o *p12TrustOptions) error {
	g := o.g
	encoder, err := o.begin(g)
	if err != nil {
		return err
	}
	var cas []*x509.Certificate
	seen := map[string]bool{}
	for _, file := range o.files {
		certs, err := g.anyCertificates(file)
		if err != nil {
			return err
		}
		for _, c := range certs {
			if !seen[string(c.Raw)] {
				seen[string(c.Raw)] = true
				cas = append(cas, c)
			}
		}
	}
	password, made, err := g.clientPassword(o.password, o.allowWeak)
	if err != nil {
		return err
	}
	data, err := encoder.TrustStore(cas, password.Reveal())
	if err != nil {
		return hinted(err, "give the files of authorities alone, and of all of them up to the root: they are no secret, and who runs them has them")
	}
	g.warnDates(cas...)
	var r writtenP12
	r.addAuthorities(cas)
	return o.end(g, data, r, password, made)
}
