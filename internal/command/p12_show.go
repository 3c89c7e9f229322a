package command

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/pkcs12"
)

type p12ShowOptions struct {
	g        *global
	file     string
	password p12Password
	json     bool
}

func newP12ShowCommand(g *global, runF func(context.Context, *p12ShowOptions) error) *cobra.Command {
	o := &p12ShowOptions{g: g}
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show what is in a p12 file, and which devices open it",
		Long: `Take a p12 file apart, without trusting it: how it is encrypted and sealed, what is in it and in which order,
under which names, and which devices will open it and which will not, with the reason. With the password, also
the certificates, whose the key is, and whether the chain reaches a root. Nothing of a key is ever shown.

The exit code is 3 where the password is right and the file was altered all the same.`,
		Example: `  ftsca p12 show alice.p12
  ftsca p12 show alice.p12 --password-file pw.txt
  ftsca p12 show truststore.p12 --password-file pw.txt --json`,
		Args: cobra.ExactArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.file = args[0]
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	o.password.bind(flags)
	flags.BoolVar(&o.json, "json", false, "print all of it as JSON")
	return cmd
}

// p12Shown is a p12 file in full, for JSON.
type p12Shown struct {
	File     string         `json:"file"`
	Form     string         `json:"form"`
	Password string         `json:"password"` // "not given", "right", or "right, but the file was altered"
	MAC      *p12Protection `json:"mac"`
	Parts    []p12Part      `json:"parts"`
	Chains   [][]string     `json:"chains,omitempty"`
	Notes    []string       `json:"notes"`
	Families []p12Verdict   `json:"families"`
	Readers  []p12Verdict   `json:"readers"`
}

type p12Protection struct {
	Algorithm  string `json:"algorithm"`
	Derivation string `json:"derivation"`
	Rounds     int    `json:"rounds"`
	Salt       int    `json:"salt_bytes"`
}

type p12Part struct {
	Protection *p12Protection `json:"protection"`
	Open       bool           `json:"open"`
	Fault      string         `json:"fault,omitempty"`
	Bags       []p12Bag       `json:"bags"`
}

type p12Bag struct {
	Kind        string         `json:"kind"`
	Name        string         `json:"name,omitempty"`
	LocalKeyID  string         `json:"local_key_id,omitempty"`
	Java        bool           `json:"java_trusted,omitempty"`
	Protection  *p12Protection `json:"protection,omitempty"`
	Subject     string         `json:"subject,omitempty"`
	Issuer      string         `json:"issuer,omitempty"`
	NotBefore   string         `json:"not_before,omitempty"`
	NotAfter    string         `json:"not_after,omitempty"`
	Key         string         `json:"key,omitempty"`
	Authority   bool           `json:"authority,omitempty"`
	Fingerprint string         `json:"fingerprint_sha256,omitempty"`
	Fault       string         `json:"fault,omitempty"`
}

type p12Verdict struct {
	Reader string `json:"reader"`
	Reads  string `json:"reads"`
	Why    string `json:"why,omitempty"`
	Source string `json:"source"`
}

func runP12Show(_ context.Context, o *p12ShowOptions) error {
	g := o.g
	data, err := readBounded(o.file, maxP12)
	if err != nil {
		return fmt.Errorf("reading the p12 file: %w", err)
	}
	password, given, err := o.password.read()
	if err != nil {
		return err
	}
	shown := p12Shown{File: o.file, Password: "not given"}
	var outline pkcs12.Outline
	if given {
		shown.Password = "right"
		outline, err = pkcs12.ExamineOpen(data, password.Reveal())
	} else {
		outline, err = pkcs12.Examine(data)
	}
	altered := errors.Is(err, pkcs12.ErrAltered)
	switch {
	case altered:
		shown.Password = "right, but the file was altered"
	case errors.Is(err, pkcs12.ErrPassword):
		return hinted(fmt.Errorf("%s: %w", o.file, err), "without a password, ftsca p12 show tells what can be seen from outside")
	case err != nil:
		return fmt.Errorf("%s: %w", o.file, err)
	}
	shown.describe(outline, g.env.Now())
	if o.json {
		err = output.JSON(g.env.Stdout, shown)
	} else {
		err = shown.print(g)
	}
	if err == nil && altered {
		err = &noError{fmt.Sprintf("%s was altered since it was made: its MAC is another", o.file)}
	}
	return err
}

func (s *p12Shown) describe(o pkcs12.Outline, now time.Time) {
	s.Form, s.MAC = o.Form.String(), protectionOf(o.MAC)
	s.Parts = []p12Part{}
	for _, part := range o.Parts {
		p := p12Part{Protection: protectionOf(part.Protection), Open: part.Open, Fault: text(part.Fault), Bags: []p12Bag{}}
		for _, b := range part.Bags {
			p.Bags = append(p.Bags, bagOf(b))
		}
		s.Parts = append(s.Parts, p)
	}
	s.Chains, s.Notes = findings(o, now)
	s.Families, s.Readers = verdictsOf(pkcs12.Families(o.Form)), verdictsOf(pkcs12.Readers(o.Form))
}

func protectionOf(p *pkcs12.Protection) *p12Protection {
	if p == nil {
		return nil
	}
	return &p12Protection{p.Algorithm, p.Derivation, p.Rounds, p.Salt}
}

func bagOf(b pkcs12.Bag) p12Bag {
	shown := p12Bag{Kind: string(b.Kind), Name: b.Name, LocalKeyID: hex.EncodeToString(b.LocalKeyID), Java: b.Java,
		Protection: protectionOf(b.Protection), Fault: text(b.Fault)}
	if b.Public != nil {
		shown.Key = keyName(b.Public)
	}
	if c := b.Certificate; c != nil {
		shown.Subject, shown.Issuer = distinguished(c.RawSubject), distinguished(c.RawIssuer)
		shown.NotBefore, shown.NotAfter = stamp(c.NotBefore), stamp(c.NotAfter)
		shown.Key, shown.Authority, shown.Fingerprint = keyName(c.PublicKey), c.BasicConstraintsValid && c.IsCA, fingerprint(c)
	}
	return shown
}

func verdictsOf(verdicts []pkcs12.Verdict) []p12Verdict {
	var all []p12Verdict
	for _, v := range verdicts {
		all = append(all, p12Verdict{v.Reader, string(v.Reads), v.Why, v.Source})
	}
	return all
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// findings tells how the certificates of a file stand to each other and to its keys, and what of it would fail on a
// device.
func findings(o pkcs12.Outline, now time.Time) (chains [][]string, notes []string) {
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	var keys []pkcs12.Bag
	var certs []*x509.Certificate
	names := map[string]bool{}
	closed, marked := false, true
	for _, part := range o.Parts {
		closed = closed || !part.Open && part.Fault == nil
		for _, b := range part.Bags {
			switch b.Kind {
			case pkcs12.KindKey, pkcs12.KindSealedKey:
				keys = append(keys, b)
				closed = closed || b.Public == nil && b.Fault == nil
				if b.Kind == pkcs12.KindKey {
					note("a private key in it is not encrypted: whoever has the file has the key")
				}
			case pkcs12.KindCertificate:
				marked = marked && b.Java
				if b.Certificate == nil {
					break
				}
				certs = append(certs, b.Certificate)
				if lower := strings.ToLower(b.Name); b.Name != "" && names[lower] {
					note("two certificates are called %q, of which Java and Android keep one", b.Name)
				} else {
					names[lower] = true
				}
			}
		}
	}
	if o.MAC == nil {
		note("it has no MAC: nothing tells whether another hand changed it")
	}
	if closed {
		return nil, append(notes, "what is encrypted was not looked at")
	}
	for _, c := range certs {
		switch {
		case now.After(c.NotAfter):
			note("%s expired at %s", pkcs12.Describe(c), stamp(c.NotAfter))
		case now.Before(c.NotBefore):
			note("%s is not valid before %s", pkcs12.Describe(c), stamp(c.NotBefore))
		}
	}
	if len(keys) == 0 {
		return trustFindings(certs, marked, note), notes
	}
	if len(keys) > 1 {
		note("it holds %d private keys, and devices take one", len(keys))
	}
	for _, k := range keys {
		if k.Public == nil {
			continue
		}
		leaf := leafOf(k, certs)
		if leaf == nil {
			note("the private key, %s, belongs to none of the certificates", keyName(k.Public))
			continue
		}
		if leaf.IsCA {
			note("it holds the key of the authority %s: whoever has it can pass for anybody", pkcs12.Describe(leaf))
		}
		chain, _ := pkcs12.ChainOf(leaf, certs)
		chains = append(chains, namesOf(append([]*x509.Certificate{leaf}, chain...)))
	}
	return chains, notes
}

// trustFindings are those of a file without a key.
func trustFindings(certs []*x509.Certificate, marked bool, note func(string, ...any)) (chains [][]string) {
	if len(certs) > 0 && !marked {
		note("it lacks the mark by which Java trusts a certificate, so that Java sees an empty store: ftsca p12 convert adds it")
	}
	for _, c := range certs {
		if !c.IsCA {
			note("%s is no authority", pkcs12.Describe(c))
			continue
		}
		chain, _ := pkcs12.ChainOf(c, certs)
		all := append([]*x509.Certificate{c}, chain...)
		if top := all[len(all)-1]; string(top.RawIssuer) != string(top.RawSubject) {
			note("%s does not lead to a root: the certificate of %q is missing, and ATAK takes none from the server", pkcs12.Describe(c), distinguished(top.RawIssuer))
		}
		if len(chain) > 0 {
			chains = append(chains, namesOf(all))
		}
	}
	return chains
}

func leafOf(key pkcs12.Bag, certs []*x509.Certificate) *x509.Certificate {
	for _, c := range certs {
		var same bool
		switch k := key.Public.(type) {
		case *rsa.PublicKey:
			same = k.Equal(c.PublicKey)
		case *ecdsa.PublicKey:
			same = k.Equal(c.PublicKey)
		}
		if same {
			return c
		}
	}
	return nil
}

func namesOf(certs []*x509.Certificate) []string {
	var names []string
	for _, c := range certs {
		names = append(names, commonName(c.RawSubject))
	}
	return names
}

func (s p12Shown) print(g *global) error {
	row := func(name, format string, args ...any) { g.say("%-12s %s", name, fmt.Sprintf(format, args...)) }
	row("file", "%s", s.File)
	row("form", "%s", s.Form)
	row("password", "%s", s.Password)
	if s.MAC != nil {
		row("mac", "%s", s.MAC)
	}
	for i, p := range s.Parts {
		switch {
		case p.Fault != "":
			row(fmt.Sprintf("part %d", i+1), "%s: %s", p.Protection, p.Fault)
		case !p.Open:
			row(fmt.Sprintf("part %d", i+1), "%s, closed", p.Protection)
		case p.Protection != nil:
			row(fmt.Sprintf("part %d", i+1), "%s", p.Protection)
		default:
			row(fmt.Sprintf("part %d", i+1), "in clear")
		}
		for _, b := range p.Bags {
			row("", "%s", b)
		}
	}
	for _, c := range s.Chains {
		for i := range c {
			c[i] = plain(c[i])
		}
		row("chain", "%s", strings.Join(c, " ← "))
	}
	for _, n := range s.Notes {
		row("note", "%s", n)
	}
	if err := verdictTable(g, "family", map[string]string{"no": "not every device", "unknown": "perhaps"}, s.Families); err != nil {
		return err
	}
	return verdictTable(g, "reader", nil, s.Readers)
}

// verdictTable prints verdicts, with other words for some.
func verdictTable(g *global, heading string, words map[string]string, verdicts []p12Verdict) error {
	g.say("")
	var rows [][]string
	for _, v := range verdicts {
		if word := words[v.Reads]; word != "" {
			v.Reads = word
		}
		rows = append(rows, []string{v.Reader, v.Reads, v.Why})
	}
	// The reasons are what this is for: they are not shortened, on however narrow a terminal.
	width := 0
	if tty, _ := g.env.tty(); tty {
		width = 1000
	}
	return output.Table(g.env.Stdout, width, []string{heading, "opens it", "why not"}, rows)
}

func (p p12Protection) String() string {
	return fmt.Sprintf("%s by %s, %s, salt of %s", p.Algorithm, p.Derivation, plural(p.Rounds, "round", "rounds"), plural(p.Salt, "byte", "bytes"))
}

func (b p12Bag) String() string {
	var parts []string
	add := func(condition bool, format string, args ...any) {
		if condition {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(true, "%s", b.Kind)
	add(b.Name != "", "called %q", b.Name)
	add(b.Subject != "", "of %s", plain(b.Subject))
	add(b.Issuer != "" && b.Issuer != b.Subject, "issued by %s", plain(b.Issuer))
	add(b.Issuer != "" && b.Issuer == b.Subject, "self-signed")
	add(b.Authority, "an authority")
	add(b.Key != "", "%s", b.Key)
	add(b.NotAfter != "", "%s to %s", b.NotBefore, b.NotAfter)
	add(b.LocalKeyID != "", "id %s", b.LocalKeyID[:min(8, len(b.LocalKeyID))])
	add(b.Java, "with Java's mark")
	add(b.Protection != nil, "%s", b.Protection)
	add(b.Fault != "", "%s", plain(b.Fault))
	return strings.Join(parts, ", ")
}
