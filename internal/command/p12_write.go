package command

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/pflag"

	"github.com/ftsca/ftsca/internal/durable"
	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
)

// p12Writing is what the commands that write a p12 file have in common.
type p12Writing struct {
	out       string
	profile   string
	allowWeak bool
	dryRun    bool
	json      bool
}

func (w *p12Writing) bind(flags *pflag.FlagSet) {
	flags.StringVar(&w.out, "out", "", "the `file` to write, which is not there yet")
	flags.StringVar(&w.profile, "p12", string(pkcs12.TAK), "`profile`: tak, which all devices open, or modern (AES-256)")
	flags.BoolVar(&w.allowWeak, "allow-weak-password", false, "take a password that everybody knows, such as atakatak")
	flags.BoolVar(&w.dryRun, "dry-run", false, "say what would be written, and write nothing")
	flags.BoolVar(&w.json, "json", false, "print the result as JSON")
}

// begin checks what can be checked before anything is read, and says what the profile costs.
func (w *p12Writing) begin(g *global) (pkcs12.Encoder, error) {
	profile, err := pkcs12.ParseProfile(w.profile)
	if err != nil {
		return pkcs12.Encoder{}, &usageError{err}
	}
	if w.out == "" {
		return pkcs12.Encoder{}, hinted(usagef("no file to write is named"), "give --out")
	}
	if _, err := os.Lstat(w.out); err == nil {
		return pkcs12.Encoder{}, errTaken(w.out)
	}
	for _, v := range pkcs12.Families(profile.Form()) {
		if v.Reads != pkcs12.Yes {
			g.talk("note: with --p12 %s, not every device of %s opens it: %s", profile, v.Reader, v.Why)
		}
	}
	return pkcs12.NewEncoder(profile, g.env.BundleRounds), nil
}

func errTaken(name string) error {
	return hinted(fmt.Errorf("%s is there already, and is not overwritten", name), "move it away, or give another name with --out")
}

// end writes the file, which only its owner may read, and says what is in it. A password that was made here is told.
func (w *p12Writing) end(g *global, data []byte, r writtenP12, password secret.Secret, made bool) error {
	form, err := pkcs12.Inspect(data)
	if err != nil {
		return fmt.Errorf("looking at the file that was made: %w", err)
	}
	r.File, r.Profile, r.Form = w.out, w.profile, form.String()
	if !w.dryRun {
		err := durable.Create(w.out, data, 0o600)
		switch {
		case errors.Is(err, fs.ErrExist):
			return errTaken(w.out)
		case err != nil:
			return err
		case made:
			r.Password = password.Reveal()
		}
	}
	if w.json {
		return output.JSON(g.env.Stdout, r)
	}
	r.print(g, w.dryRun)
	return nil
}

// writtenP12 is the result, for JSON.
type writtenP12 struct {
	File         string         `json:"file"`
	Profile      string         `json:"profile"`
	Form         string         `json:"form"`
	Name         string         `json:"name,omitempty"`
	Until        string         `json:"until,omitempty"`
	Fingerprint  string         `json:"fingerprint_sha256,omitempty"`
	Authorities  []p12Authority `json:"authorities"`
	Password     string         `json:"password,omitempty"`
	PreviousForm string         `json:"previous_form,omitempty"`
}

type p12Authority struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint_sha256"`
}

func (r writtenP12) print(g *global, dryRun bool) {
	verb := "file"
	if dryRun {
		verb = "would write"
	}
	rows := [][2]string{{verb, r.File}, {"was", r.PreviousForm}, {"form", r.Form}, {"name", r.Name}, {"until", r.Until}, {"fingerprint", r.Fingerprint}}
	for _, a := range r.Authorities {
		rows = append(rows, [2]string{"authority", a.Name + " (" + a.Fingerprint + ")"})
	}
	rows = append(rows, [2]string{"password", r.Password})
	for _, row := range rows {
		if row[1] != "" {
			g.say("%-12s %s", row[0], row[1])
		}
	}
	if r.Password != "" {
		g.talk("note: the password is told this once")
	}
}

// describe fills in what is known of an identity.
func (r *writtenP12) describe(cert *x509.Certificate, chain []*x509.Certificate) {
	r.Name, r.Until, r.Fingerprint = plain(commonName(cert.RawSubject)), stamp(cert.NotAfter), fingerprint(cert)
	r.addAuthorities(chain)
}

func (r *writtenP12) addAuthorities(cas []*x509.Certificate) {
	r.Authorities = []p12Authority{}
	for _, c := range cas {
		r.Authorities = append(r.Authorities, p12Authority{plain(commonName(c.RawSubject)), fingerprint(c)})
	}
}
