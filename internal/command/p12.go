package command

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ftsca/ftsca/internal/prompt"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
)

// maxP12 bounds a p12 file and a file with certificates, in bytes.
const maxP12 = 1 << 20

func newP12Command(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "p12",
		Short: "Show, make and mend p12 files",
		Long: `Show what is in a p12 file and which devices open it, make one from PEM files, mend one that devices refuse,
and make trust stores. No store is needed.`,
		Args: cobra.NoArgs,
		RunE: help,
	}
	cmd.AddCommand(newP12ShowCommand(g, runP12Show), newP12MakeCommand(g, runP12Make),
		newP12ConvertCommand(g, runP12Convert), newP12TrustCommand(g, runP12Trust))
	return cmd
}

// warnDates says of certificates that devices would refuse today.
func (g *global) warnDates(certs ...*x509.Certificate) {
	now := g.env.Now()
	for _, c := range certs {
		switch {
		case now.After(c.NotAfter):
			g.talk("note: %s expired at %s", pkcs12.Describe(c), stamp(c.NotAfter))
		case now.Before(c.NotBefore):
			g.talk("note: %s is not valid before %s", pkcs12.Describe(c), stamp(c.NotBefore))
		}
	}
}

// refuseAuthority keeps the key of an authority out of a file that devices are given.
func refuseAuthority(cert *x509.Certificate, allowed bool) error {
	if !cert.IsCA || allowed {
		return nil
	}
	return hinted(fmt.Errorf("%s is an authority: whoever has its key can pass for anybody", pkcs12.Describe(cert)),
		"no device needs that; --allow-ca packs it all the same, as a TAK Server wants it that signs certificates itself")
}

// anyCertificates reads the certificates of a file in PEM or DER, at least one, and tells of a private key beside them.
func (g *global) anyCertificates(name string) ([]*x509.Certificate, error) {
	data, err := readBounded(name, maxP12)
	if err != nil {
		return nil, fmt.Errorf("reading certificates: %w", err)
	}
	block, rest := pem.Decode(data)
	if block == nil {
		certs, err := x509.ParseCertificates(data)
		switch {
		case err != nil:
			err = hinted(fmt.Errorf("%s holds no certificate in PEM or DER", name), "ftsca p12 show %s tells whether it is a p12 file", name)
		case len(certs) == 0:
			err = fmt.Errorf("%s is empty", name)
		}
		return certs, err
	}
	for ; block != nil; block, rest = pem.Decode(rest) {
		if strings.Contains(block.Type, "PRIVATE KEY") {
			g.talk("note: %s holds a private key beside its certificates, which is not taken from there", name)
		}
	}
	certs, err := parsePEM(data)
	if err != nil {
		return nil, fmt.Errorf("reading certificates from %s: %w", name, err)
	}
	return certs, nil
}

// p12Password is where the password of an existing file comes from.
type p12Password struct {
	source secretSource
	empty  bool
}

func (p *p12Password) bind(flags *pflag.FlagSet) {
	p.source.bind(flags, "password", "the password of the file")
	flags.BoolVar(&p.empty, "empty-password", false, "the password of the file is empty")
}

// read returns the password, and whether there is one: an empty one is.
func (p p12Password) read() (value secret.Secret, given bool, err error) {
	if p.empty && p.source.given() {
		return value, false, usagef("the password is either empty or in a file, not both")
	}
	value, err = p.source.read()
	return value, p.empty || p.source.given(), err
}

// ask is read, and where nothing is given a question.
func (p p12Password) ask(g *global, file string) (secret.Secret, error) {
	value, given, err := p.read()
	if err != nil || given {
		return value, err
	}
	return g.env.Prompt().Secret(prompt.Question{Text: "Password of " + file, Flag: "--password-file"})
}

// plain is a foreign text on one line, with whatever would act on a terminal written out.
func plain(s string) string {
	quoted := fmt.Sprintf("%q", s)
	if inner := quoted[1 : len(quoted)-1]; inner == s {
		return s
	}
	return quoted
}
