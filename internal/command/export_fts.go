package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/internal/durable"
	"github.com/ftsca/ftsca/internal/export"
	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/internal/prompt"
	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
	"github.com/ftsca/ftsca/templates"
)

// ftsFolder is where FreeTAKServer has its certificates unless it is told otherwise.
const ftsFolder = "/opt/fts/certs"

type exportFTSOptions struct {
	g            *global
	to           string
	follow       bool
	asDocumented bool
	p12WithKey   bool
	password     secretSource
	allowWeak    bool
	unseal       secretSource
	replace      bool
	dryRun       bool
	json         bool
	given        func(flag string) bool // on the command line
}

func newExportFTSCommand(g *global, runF func(context.Context, *exportFTSOptions) error) *cobra.Command {
	o := &exportFTSOptions{g: g}
	cmd := &cobra.Command{
		Use:   "fts",
		Short: "Export to the folder of a FreeTAKServer",
		Long: `Put every file that a running FreeTAKServer 2.2.1 loads into its folder, in the form that it really loads:
ca.pem with the signed revocation lists, FTS_CRL.json (signed lists in PEM, whatever its name says) and the
JSON list beside it, the server's certificate and key, server.p12, and the client packages. The folder is --to,
else $FTS_CERTS_PATH, else /opt/fts/certs.

What an earlier export to the same folder was told holds until a flag says otherwise.

It never gets the authority's key. Two files there only keep FreeTAKServer from founding an authority of its own.
server.p12 holds the authorities' certificates alone, since FreeTAKServer gives it to its clients.

With --follow, every command that revokes, signs, issues or renews publishes there before it ends, and ends with 1
where that fails. Files of others are replaced with --replace alone, and kept beside.`,
		Example: `  ftsca export fts --follow
  ftsca export fts --to /opt/fts/certs --replace --follow
  ftsca export fts --to certs --as-documented --server-p12-password-file pw.txt
  ftsca export fts --to /opt/fts/certs --follow=false`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = g.run(func(ctx context.Context, _ []string) error {
		o.given = cmd.Flags().Changed
		return runF(ctx, o)
	})
	flags := cmd.Flags()
	flags.StringVar(&o.to, "to", "", "`folder` of the FreeTAKServer")
	flags.BoolVar(&o.follow, "follow", false, "publish there with every change from now on; --follow=false ends that")
	flags.BoolVar(&o.asDocumented, "as-documented", false, "put the JSON list into FTS_CRL.json, and the signed lists into FTS_CRL.pem")
	flags.BoolVar(&o.p12WithKey, "server-p12-with-key", false, "put the server's key into server.p12, which FreeTAKServer gives to clients")
	o.password.bind(flags, "server-p12-password", "the password of server.p12")
	flags.BoolVar(&o.allowWeak, "allow-weak-password", false, "take a password that everybody knows")
	o.unseal.bind(flags, "server-key-passphrase", "the passphrase of a sealed server.key")
	flags.BoolVar(&o.replace, "replace", false, "take the place of files that ftsca did not write; they are kept beside")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be written, and write nothing")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return cmd
}

// exportedFTS is the result of export fts, for JSON.
type exportedFTS struct {
	Folder      string   `json:"folder"`
	Follows     bool     `json:"follows"`
	DryRun      bool     `json:"dry_run,omitempty"`
	Written     []string `json:"written"`
	Removed     []string `json:"removed,omitempty"`
	Kept        []string `json:"kept,omitempty"`
	Config      string   `json:"fts_config_yaml"`
	Environment string   `json:"environment"`
}

func runExportFTS(ctx context.Context, o *exportFTSOptions) error {
	g := o.g
	if o.to == "" {
		o.to = g.env.Getenv("FTS_CERTS_PATH")
	}
	if o.to == "" {
		o.to = ftsFolder
	}
	path, err := filepath.Abs(o.to)
	if err != nil {
		return err
	}
	s, _, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	registry, unlock, err := lockedExports(ctx, s)
	if err != nil {
		return err
	}
	defer unlock()
	e := registry.Find(path)
	if e == nil {
		e = &export.Export{Folder: path, Form: export.FormFTS}
		registry.Exports = append(registry.Exports, e)
	}
	made, err := o.settle(e)
	if err != nil {
		return err
	}
	if err := g.takeUp(ctx, s, e); err != nil {
		return err
	}
	material, err := g.material(ctx, s)
	if err != nil {
		return err
	}
	material.Unseal = o.passphrase
	g.warnLists(material)
	config, environment, err := ftsLines(e, g.form(e))
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !o.dryRun {
		if err := durable.Mkdir(path, 0o750); err != nil {
			return fmt.Errorf("making the folder: %w", err)
		}
	}
	report, err := e.Publish(g.form(e).Files(material), material.Packages,
		export.Publishing{Now: g.env.Now(), Replace: o.replace, Save: registry.Save, DryRun: o.dryRun})
	if err != nil {
		return explainExport(fmt.Errorf("exporting to %s: %w", path, err))
	}
	g.tellKept(e, report)
	if made && !o.dryRun {
		g.talk("the password of server.p12 is %s: FreeTAKServer calls it FTS_CLIENT_CERT_PASSWORD", e.TrustPassword)
	}
	r := exportedFTS{Folder: path, Follows: e.Follow, DryRun: o.dryRun, Written: append([]string{}, report.Written...), Removed: report.Removed,
		Kept: report.Kept, Config: config, Environment: environment}
	if o.json {
		return output.JSON(g.env.Stdout, r)
	}
	r.print(g)
	return nil
}

// settle takes over what the flags say of an export; made tells that a password was made, and has to be told.
func (o *exportFTSOptions) settle(e *export.Export) (made bool, err error) {
	for flag, set := range map[string]struct{ to, value *bool }{
		"follow":              {&e.Follow, &o.follow},
		"as-documented":       {&e.AsDocumented, &o.asDocumented},
		"server-p12-with-key": {&e.KeyInTrustStore, &o.p12WithKey},
	} {
		if o.given(flag) {
			*set.to = *set.value
		}
	}
	if e.TrustPassword != "" && !o.password.given() {
		return false, nil
	}
	password, made, err := o.g.clientPassword(o.password, o.allowWeak)
	if err != nil {
		return false, err
	}
	e.TrustPassword = password.Reveal()
	return made, nil
}

func (o *exportFTSOptions) passphrase() (secret.Secret, error) {
	value, err := o.unseal.read()
	if err == nil && value.IsZero() {
		value, err = o.g.env.Prompt().Secret(prompt.Question{Text: "Passphrase of the server's key", Flag: "--server-key-passphrase-file"})
	}
	return value, err
}

// form is the form of an export.
func (g *global) form(e *export.Export) export.FTS {
	return export.FTS{AsDocumented: e.AsDocumented, KeyInTrustStore: e.KeyInTrustStore, Password: secret.FromString(e.TrustPassword),
		Encoder: pkcs12.NewEncoder(pkcs12.TAK, g.env.BundleRounds)}
}

func ftsLines(e *export.Export, form export.FTS) (config, environment string, err error) {
	paths := templates.FTSPaths{Folder: e.Folder, CRLFile: form.CRLFile()}
	yaml, err := templates.RenderFTSConfig(paths)
	if err != nil {
		return "", "", err
	}
	env, err := templates.RenderFTSEnvironment(paths)
	return string(yaml), string(env), err
}

// warnLists says of the signed lists what would lock devices out.
func (g *global) warnLists(m export.Material) {
	lists, err := m.SignedLists()
	if err != nil {
		g.talk("warning: %v", err)
	}
	for _, l := range lists {
		if g.env.Now().After(l.NextUpdate) {
			g.talk("warning: the revocation list of %q lapsed on %s, and FreeTAKServer refuses everyone with it", commonName(l.RawIssuer), stamp(l.NextUpdate))
		}
	}
}

// tellKept says where the work of another hand is now, and what has to be done for a change to count.
func (g *global) tellKept(e *export.Export, r export.Report) {
	for _, name := range r.Kept {
		g.talk("warning: another hand had written in %s; what was there is kept as %s", e.Folder, name)
	}
	if slices.Contains(r.Written, "server.pem") {
		g.talk("note: FreeTAKServer loads the server's certificate, its key and FTS_CRLDIR when it starts: restart it; ca.pem it reads at each connection")
	}
}

// explainExport says what to do about a folder that could not be written to.
func explainExport(err error) error {
	var occupied *export.OccupiedError
	if errors.As(err, &occupied) {
		return hinted(err, "--replace takes their place, and keeps them beside; devices that the other authority let in need new packages then")
	}
	return err
}

func (r exportedFTS) print(g *global) {
	verb := "exported"
	if r.DryRun {
		verb = "would export"
	}
	g.say("%s  %s", verb, r.Folder)
	for _, name := range r.Written {
		g.say("  %s", name)
	}
	if len(r.Written) == 0 {
		g.say("  everything there is up to date")
	}
	for _, name := range r.Removed {
		g.say("  without %s", name)
	}
	g.say("\n# for FTSConfig.yaml\n%s\n# or for its environment\n%s", r.Config, r.Environment)
}
