package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/durable"
	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/templates"
)

func newQRCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "qr",
		Short: "Show QR codes that devices take connections and packages from",
		Args:  cobra.NoArgs,
		RunE:  help,
	}
	cmd.AddCommand(newQRConnectCommand(g, runQRConnect), newQRImportCommand(g, runQRImport))
	return cmd
}

// qrOutput is where a code goes.
type qrOutput struct {
	png    string
	svg    string
	dryRun bool
	json   bool
}

func (o *qrOutput) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.png, "png", "", "write the code to this `file` as an image, and do not show it")
	flags.StringVar(&o.svg, "svg", "", "write the code to this `file` as a drawing, and do not show it")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would be in the code, and make none")
	flags.BoolVar(&o.json, "json", false, "print what is in the code as JSON, and do not show it")
}

// coded is the result, for JSON.
type coded struct {
	Text string `json:"text"`
	PNG  string `json:"png,omitempty"`
	SVG  string `json:"svg,omitempty"`
}

type qrConnectOptions struct {
	qrOutput
	g           *global
	host        string
	description string
}

func newQRConnectCommand(g *global, runF func(context.Context, *qrConnectOptions) error) *cobra.Command {
	o := &qrConnectOptions{g: g}
	cmd := &cobra.Command{
		Use:   "connect --host HOST",
		Short: "Show the code by which iTAK knows a server",
		Long: `Show a QR code with a server's address in the form that iTAK scans (quick connect). It holds nothing secret and
no certificate: the device enrols, or has its certificate from a package.`,
		Example: `  ftsca qr connect --host fts.example.org --description "Valley Rescue"
  ftsca qr connect --host fts.example.org:8089 --png connect.png`,
		Args: cobra.NoArgs,
		RunE: g.run(func(ctx context.Context, _ []string) error { return runF(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.host, "host", "", "the server that the device connects to, `host` or host:port (port 8089)")
	flags.StringVar(&o.description, "description", "", "how the connection is called on the device (default the host)")
	o.bind(flags)
	return cmd
}

func runQRConnect(_ context.Context, o *qrConnectOptions) error {
	if o.host == "" {
		return hinted(usagef("a connection needs a server"), "give --host")
	}
	host, port, err := datapackage.ParseHost(o.host)
	if err != nil {
		return &usageError{err}
	}
	description := o.description
	if description == "" {
		description = host
	}
	content, err := templates.RenderQuickConnect(templates.QuickConnect{Description: description, Host: host, Port: port, Protocol: "ssl"})
	if err != nil {
		return &usageError{err}
	}
	return o.show(o.g, content)
}

type qrImportOptions struct {
	qrOutput
	g       *global
	address string
}

func newQRImportCommand(g *global, runF func(context.Context, *qrImportOptions) error) *cobra.Command {
	o := &qrImportOptions{g: g}
	cmd := &cobra.Command{
		Use:   "import URL",
		Short: "Show the code by which ATAK fetches a package",
		Long: `Show a QR code by which ATAK downloads a package from an address, and imports it. Whoever learns the address of
a client's package has the client: let it be one that nobody guesses, reached by https, and take the package away
when it has arrived.`,
		Example: `  ftsca qr import https://files.example.org/7f3a/alice.zip
  ftsca qr import https://files.example.org/7f3a/alice.zip --svg alice.svg`,
		Args: cobra.ExactArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.address = args[0]
			return runF(ctx, o)
		}),
	}
	o.bind(cmd.Flags())
	return cmd
}

func runQRImport(_ context.Context, o *qrImportOptions) error {
	content, err := templates.RenderImportLink(o.address)
	if err != nil {
		return &usageError{err}
	}
	if strings.HasPrefix(strings.ToLower(o.address), "http:") {
		o.g.talk("note: by http, everybody on the way can take the package, and with it the client's key: give an https address")
	}
	return o.show(o.g, content)
}

// show makes a code of a text and puts it where the flags say.
func (o *qrOutput) show(g *global, content string) error {
	code, err := output.NewQR(content)
	if err != nil {
		return &usageError{err}
	}
	if o.dryRun {
		g.say("would show   %s", content)
		return nil
	}
	for _, name := range []string{o.png, o.svg} {
		if _, err := os.Lstat(name); name != "" && err == nil {
			return errCodeTaken(name)
		}
	}
	if o.png != "" {
		picture, err := code.PNG()
		if err == nil {
			err = createCode(o.png, picture)
		}
		if err != nil {
			return err
		}
	}
	if o.svg != "" {
		if err := createCode(o.svg, code.SVG()); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		return output.JSON(g.env.Stdout, coded{content, o.png, o.svg})
	case o.png != "" || o.svg != "":
		for _, name := range []string{o.png, o.svg} {
			if name != "" {
				g.say("code         %s", name)
			}
		}
	default:
		if err := drawCode(g, code); err != nil {
			return err
		}
	}
	g.say("content      %s", content)
	return nil
}

// createCode writes a file whose reader can be a client, where the code leads to a package.
func createCode(name string, data []byte) error {
	err := durable.Create(name, data, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return errCodeTaken(name)
	}
	return err
}

func errCodeTaken(name string) error {
	return hinted(fmt.Errorf("%s is there already, and is not overwritten", name), "move it away, or give another name")
}

func drawCode(g *global, code output.QR) error {
	tty, width := g.env.tty()
	switch {
	case !tty:
		return code.Text(g.env.Stdout)
	case width < code.Columns():
		return hinted(fmt.Errorf("the terminal has %d columns, and the code needs %d", width, code.Columns()), "make it wider, or its letters smaller, or give --png")
	}
	return code.Terminal(g.env.Stdout)
}
