package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/durable"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/output"
)

// requestExt ends the name of a request's file.
const requestExt = ".csr"

// maxRequests bounds a file with requests, in bytes.
const maxRequests = 1 << 20

func newCSRCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "csr",
		Short: "Make, show and sign certificate requests",
		Args:  cobra.NoArgs,
		RunE:  help,
	}
	cmd.AddCommand(newCSRNewCommand(g, runCSRNew), newCSRShowCommand(g, runCSRShow), newCSRSignCommand(g, runCSRSign))
	return cmd
}

type csrNewOptions struct {
	g       *global
	name    string
	purpose string
	key     string
	sans    []string
	subject subjectFlags
	seal    secretSource
	out     string
	dryRun  bool
	json    bool
}

func newCSRNewCommand(g *global, runF func(context.Context, *csrNewOptions) error) *cobra.Command {
	o := &csrNewOptions{g: g}
	cmd := &cobra.Command{
		Use:   "new NAME --type server|client",
		Short: "Make a key and a request for its certificate",
		Long: `Make a key, which stays where it is, and a request that an authority elsewhere signs (ftsca csr sign). No
store is needed. On an endpoint without the authority, --out pki/endpoint puts both where ftsca transfer
finds the request and brings the certificate back to.`,
		Example: `  ftsca csr new fts.example.org --type server --san 10.0.0.5
  ftsca csr new relay.example.org --type server --out pki/endpoint
  ftsca csr new alice --type client --key ecdsa-p256`,
		Args: cobra.ExactArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.name = args[0]
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.purpose, "type", "", "`what` the certificate is for: server or client")
	bindKey(flags, &o.key, keyfile.RSA2048)
	bindSAN(flags, &o.sans)
	o.subject.bind(flags)
	o.seal.bind(flags, "key-passphrase", "a passphrase to seal the key with")
	flags.StringVar(&o.out, "out", ".", "`folder` for the key and the request")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would be made, and make nothing")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return cmd
}

// requested is the result of csr new, for JSON.
type requested struct {
	Name        string `json:"name"`
	Request     string `json:"request"` // path
	KeyFile     string `json:"key_file"`
	Key         string `json:"key"`
	Fingerprint string `json:"fingerprint_sha256"`
}

func runCSRNew(ctx context.Context, o *csrNewOptions) error {
	g := o.g
	algorithm, err := keyfile.ParseAlgorithm(o.key)
	if err != nil {
		return &usageError{err}
	}
	sans := o.sans
	switch o.purpose {
	case "server":
		if sans, err = serverNames(o.name, o.sans); err != nil {
			return err
		}
	case "client":
	default:
		return hinted(usagef("--type %q is neither server nor client", o.purpose), "give --type: it decides what the request needs")
	}
	subject, err := o.subject.subject(o.name, nil).Vet()
	if err != nil {
		return &usageError{err}
	}
	if _, _, err := csr.Names(sans); err != nil {
		return &usageError{err}
	}
	passphrase, err := o.seal.read()
	if err != nil {
		return err
	}
	if o.dryRun {
		g.say("would request  a %s's certificate for %q, with a key of %s, in %s", o.purpose, subject.CommonName, algorithm, o.out)
		return nil
	}
	key, err := g.generate(ctx, algorithm)
	if err != nil {
		return err
	}
	request, err := csr.New(key.Public(), subject, sans)
	if err != nil {
		return &usageError{err}
	}
	text, err := csr.Create(key, request)
	if err != nil {
		return err
	}
	parsed, err := csr.Parse(text)
	if err != nil {
		return fmt.Errorf("reading the request that was made: %w", err)
	}
	sealed, err := keyfile.NewSealer(g.env.KeyRounds).Seal(key, passphrase)
	if err != nil {
		return err
	}
	if err := makeFolder(o.out); err != nil {
		return err
	}
	stem := filepath.Join(o.out, datapackage.FileStem(subject.CommonName, parsed[0].Fingerprint))
	// The key comes first: a request in place means that its key is.
	if err := durable.Create(stem+keyExt, sealed, 0o600); err != nil {
		return err
	}
	if err := durable.Create(stem+requestExt, text, 0o644); err != nil {
		return err
	}
	r := requested{Name: subject.CommonName, Request: stem + requestExt, KeyFile: stem + keyExt, Key: keyName(key.Public()), Fingerprint: parsed[0].Fingerprint}
	if o.json {
		return output.JSON(g.env.Stdout, r)
	}
	g.say("request      %s", r.Request)
	g.say("key          %s, %s", r.KeyFile, map[bool]string{true: "not sealed", false: "sealed with the passphrase"}[passphrase.IsZero()])
	g.say("fingerprint  %s", r.Fingerprint)
	return nil
}

// serverNames returns the names and addresses of a server: its own name where that is one, and those given.
func serverNames(name string, sans []string) ([]string, error) {
	if csr.IsHost(name) {
		sans = append([]string{name}, sans...)
	}
	if len(sans) == 0 {
		return nil, hinted(usagef("the name %q is neither a DNS name nor an address, so no device could connect to it", name),
			"give the names and addresses that devices connect to with --san")
	}
	return sans, nil
}

type csrShowOptions struct {
	g     *global
	files []string
}

func newCSRShowCommand(g *global, runF func(context.Context, *csrShowOptions) error) *cobra.Command {
	o := &csrShowOptions{g: g}
	return &cobra.Command{
		Use:   "show FILE...",
		Short: "Show requests in full, and what of them would not be taken",
		Long: `Show the requests in files, PEM, DER or base64: what they ask for, whether they are signed by their own key,
and what no certificate of ours would take over. The exit code is 1 where one cannot be signed, and why.`,
		Example: "  ftsca csr show device.csr",
		Args:    cobra.MinimumNArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.files = args
			return runF(ctx, o)
		}),
	}
}

func runCSRShow(_ context.Context, o *csrShowOptions) error {
	requests, err := readRequests(o.files)
	if err != nil {
		return err
	}
	for i, r := range requests {
		if i > 0 {
			o.g.say("")
		}
		for _, row := range r.rows() {
			o.g.say("%-12s %s", row[0], row[1])
		}
	}
	return nil
}

// fileRequest is a request and the file it came in.
type fileRequest struct {
	csr.Foreign
	file string
	part int // counts from 1 where the file has several, else 0
}

func (r fileRequest) rows() [][2]string {
	return append([][2]string{{"file", r.String()}}, r.Rows()...)
}

func (r fileRequest) String() string {
	if r.part == 0 {
		return r.file
	}
	return fmt.Sprintf("%s, request %d", r.file, r.part)
}

// readRequests reads every request in the files.
func readRequests(files []string) ([]fileRequest, error) {
	var all []fileRequest
	for _, file := range files {
		data, err := readBounded(file, maxRequests)
		if err != nil {
			return nil, fmt.Errorf("reading the request: %w", err)
		}
		requests, err := csr.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("the request %s: %w", file, err)
		}
		for i, r := range requests {
			one := fileRequest{Foreign: r, file: file}
			if len(requests) > 1 {
				one.part = i + 1
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// answerFile is where the certificate for a request goes: beside it, or into a folder.
func answerFile(r fileRequest, out string) string {
	base := filepath.Base(r.file)
	base = base[:len(base)-len(filepath.Ext(base))]
	if r.part > 0 {
		base = fmt.Sprintf("%s-%d", base, r.part)
	}
	dir := out
	if dir == "" {
		dir = filepath.Dir(r.file)
	}
	return filepath.Join(dir, base+certificateExt)
}

// makeFolder makes a folder for keys or certificates, unless it is there.
func makeFolder(dir string) error {
	if err := durable.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// checkFree refuses a file that is there already.
func checkFree(name string) error {
	if _, err := os.Lstat(name); err == nil {
		return hinted(fmt.Errorf("%s is there already, and may be an earlier answer", name), "move it away, or give another folder with --out")
	}
	return nil
}

// checkWritable tries that a file can be made in a folder: better before anything is signed than after.
func checkWritable(dir string) error {
	f, err := os.CreateTemp(dir, ".ftsca-*")
	if err != nil {
		return &fs.PathError{Op: "creating a file in", Path: dir, Err: errors.Unwrap(err)}
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
