package command

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/output"
)

type showOptions struct {
	g       *global
	address string
	json    bool
}

func newShowCommand(g *global, runF func(context.Context, *showOptions) error) *cobra.Command {
	o := &showOptions{g: g}
	cmd := &cobra.Command{
		Use:   "show NAME | NAME#GENERATION | SERIAL | FILE",
		Short: "Show certificates and whether they are good",
		Long: `Show a name's certificates, one generation, one serial, or the certificate in a PEM file, and whether
they are good. The exit code is 3 where none of those shown is: revoked, on hold, or out of its time. A serial or
a file that the store has no record of is shown where it is revoked.

Revoked is what the store's list says, and the further lists that ftsca serve was last given with --crl.`,
		Example: "  ftsca show alice\n  ftsca show alice#2 --json\n  ftsca show pki/endpoint/server.pem",
		Args:    cobra.ExactArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.address = args[0]
			return runF(ctx, o)
		}),
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print the certificates as JSON")
	return cmd
}

// shown is a certificate in full, for JSON.
type shown struct {
	listed
	Unknown     bool     `json:"unknown,omitempty"`   // the store has no record of it
	Authority   string   `json:"authority,omitempty"` // of one unknown: whose it is
	Issuer      string   `json:"issuer,omitempty"`
	Subject     string   `json:"subject,omitempty"`
	Key         string   `json:"key,omitempty"`
	Fingerprint string   `json:"fingerprint_sha256,omitempty"`
	Names       []string `json:"names,omitempty"`
	IssuedAt    string   `json:"issued_at,omitempty"`
}

func runShow(ctx context.Context, o *showOptions) error {
	g := o.g
	s, standing, err := g.open(ctx)
	if err != nil {
		return err
	}
	revoked, now := revocationsOf(g.inForce(s, standing)), g.env.Now()
	records, err := findOrRead(ctx, s, o.address)
	if err != nil {
		return o.showStranger(ctx, s, revoked, err)
	}
	good := false
	all := make([]shown, 0, len(records))
	for _, r := range records {
		one := shown{listed: listedOf(r, revoked, now), IssuedAt: stamp(r.IssuedAt)}
		if s.HasAuthority() {
			cert, err := s.Certificate(ctx, r.Serial)
			if err != nil {
				return err
			}
			one.describe(cert)
		}
		good = good || one.State == stateValid
		all = append(all, one)
	}
	if o.json {
		if err := output.JSON(g.env.Stdout, all); err != nil {
			return err
		}
	} else {
		for i, one := range all {
			if i > 0 {
				g.say("")
			}
			one.print(g)
		}
	}
	if !good {
		return &noError{fmt.Sprintf("%s is not good: %s", o.address, all[len(all)-1].State)}
	}
	return nil
}

func (c *shown) describe(cert *x509.Certificate) {
	c.Issuer, c.Subject, c.Key = distinguished(cert.RawIssuer), distinguished(cert.RawSubject), keyName(cert.PublicKey)
	c.Fingerprint, c.Names = fingerprint(cert), alternativeNames(cert)
}

func (c shown) print(g *global) {
	state := c.State
	if c.Revoked != "" {
		state += " " + c.Revoked + ", " + c.Reason
	}
	generation, valid := strconv.Itoa(c.Generation), c.NotBefore+" to "+c.NotAfter
	if c.Unknown {
		generation = ""
	}
	if c.NotAfter == "" {
		valid = ""
	}
	rows := [][2]string{
		{"name", c.Name},
		{"generation", generation},
		{"for", c.Purpose},
		{"state", state},
		{"valid", valid},
		{"serial", c.Serial},
		{"subject", c.Subject},
		{"issuer", c.Issuer},
		{"authority", c.Authority},
		{"key", c.Key},
		{"fingerprint", c.Fingerprint},
		{"names", strings.Join(c.Names, " ")},
		{"groups", strings.Join(c.Groups, " ")},
		{"contact", c.Contact},
		{"connects", strings.Join(c.Hosts, " ")},
		{"for clients", strings.Join(c.Families, " ")},
		{"packages", strings.Join(c.Packages, " ")},
		{"delivered", c.Delivered},
	}
	for _, r := range rows {
		if r[1] != "" {
			g.say("%-12s %s", r[0], r[1])
		}
	}
}

// findOrRead resolves an address in the store, and as a certificate's file where the store knows no such name.
func findOrRead(ctx context.Context, s *store.Store, address string) ([]store.Record, error) {
	records, err := s.Find(ctx, address)
	var unknown *store.UnknownError
	if !errors.As(err, &unknown) {
		return records, err
	}
	if _, statErr := os.Stat(address); statErr != nil {
		return nil, err
	}
	cert, readErr := readCertificate(address)
	if readErr != nil {
		return nil, readErr
	}
	records, err = s.Find(ctx, serialOf(cert))
	if errors.As(err, &unknown) {
		return nil, &strangerError{file: address, cert: cert, err: err}
	}
	if err != nil {
		return nil, err
	}
	// The same serial under another authority is another certificate.
	other := &strangerError{file: address, cert: cert, err: errors.New("the store has that serial of another certificate")}
	if s.HasAuthority() {
		ours, err := s.Certificate(ctx, records[0].Serial)
		if err != nil {
			return nil, err
		}
		if !ours.Equal(cert) {
			return nil, other
		}
		return records, nil
	}
	issuer := hex.EncodeToString(cert.AuthorityKeyId)
	if ca := issuerOf(cert, s.Published()); ca != nil {
		issuer = crl.KeyID(ca)
	}
	if of := records[0].Issuer; of != "" && of != issuer {
		return nil, other
	}
	return records, nil
}

// readCertificate reads the first certificate of a PEM file.
func readCertificate(name string) (*x509.Certificate, error) {
	certs, err := readCertificates(name)
	if err != nil {
		return nil, err
	}
	return certs[0], nil
}

// readCertificates reads the certificates of a PEM file, at least one.
func readCertificates(name string) ([]*x509.Certificate, error) {
	if certs := plainCertificates(name); len(certs) > 0 {
		return certs, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	certs, err := parsePEM(data)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate %s: %w", name, err)
	}
	return certs, nil
}

// plainCertificates reads those of a file as we write it, without holding the revocation list that may stand behind them;
// none of any other file.
func plainCertificates(name string) (certs []*x509.Certificate) {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	// A pipe can be read once.
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	const usual = 64 << 10
	blocks, err := crl.ReadBlocks(f, usual, func(kind string) bool { return kind == "CERTIFICATE" })
	if err != nil {
		return nil
	}
	for _, b := range blocks {
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil
		}
		certs = append(certs, c)
	}
	return certs
}
