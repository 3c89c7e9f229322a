package command

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftsca/ftsca/internal/check"
	"github.com/ftsca/ftsca/internal/connect"
	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/output"
)

type packageCheckOptions struct {
	g        *global
	file     string
	families string
	password secretSource
	connect  bool
	address  string
	json     bool
}

func newPackageCheckCommand(g *global, runF func(context.Context, *packageCheckOptions) error) *cobra.Command {
	o := &packageCheckOptions{g: g}
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Read a package as devices do, and say what they refuse",
		Long: `Read a package, ours or any other tool's, as the devices of each family do when their user imports it, and say
what they take, what will trouble their user, and what they silently refuse. No store is needed.

The exit code is 3 where a family that --for names refuses the package, or, without --for, where every family
does. --connect then connects as the device would, with that identity and trust store, sends a position and a
ping, and says what it met.`,
		Example: `  ftsca package check alice.zip
  ftsca package check alice.zip --for atak --connect
  ftsca package check theirs.zip --for itak --json`,
		Args: cobra.ExactArgs(1),
		RunE: g.run(func(ctx context.Context, args []string) error {
			o.file = args[0]
			return runF(ctx, o)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.families, "for", "", "the `clients` to play: atak, wintak, itak, takaware, several with commas, or all (default all)")
	o.password.bind(flags, "password", "the password of p12 files for which the package has none")
	flags.BoolVar(&o.connect, "connect", false, "connect as the device would")
	flags.StringVar(&o.address, "connect-to", "", "with --connect, the `address` to connect to in the place of the package's, host or host:port")
	flags.BoolVar(&o.json, "json", false, "print the report as JSON")
	return cmd
}

// checkReport is the result of package check, for JSON.
type checkReport struct {
	check.Summary
	Met []met `json:"met,omitempty"`
}

// met is what a connection met, for JSON.
type met struct {
	Address    string `json:"address"`
	Error      string `json:"error,omitempty"`
	Version    string `json:"tls_version,omitempty"`
	Cipher     string `json:"cipher,omitempty"`
	Server     string `json:"server,omitempty"`
	Until      string `json:"server_until,omitempty"`
	NameFault  string `json:"name_fault,omitempty"`
	Open       bool   `json:"asks_for_no_certificate,omitempty"`
	LatencyMS  int64  `json:"latency_ms,omitempty"`
	Protobuf   bool   `json:"offers_protobuf,omitempty"`
	PingEchoed bool   `json:"ping_echoed,omitempty"`
}

func runPackageCheck(ctx context.Context, o *packageCheckOptions) error {
	g := o.g
	families, err := checkFamilies(o.families)
	if err != nil {
		return err
	}
	password, err := o.password.read()
	if err != nil {
		return err
	}
	data, err := readBounded(o.file, maxPackage)
	if err != nil {
		return fmt.Errorf("reading the package: %w", err)
	}
	report, err := check.Package(data, check.Options{Families: families, Now: g.env.Now(), Password: password})
	if err != nil {
		return err
	}
	var meetings []met
	var failures []error
	if o.connect {
		if meetings, failures, err = o.meet(ctx, report); err != nil {
			return err
		}
	}
	if o.json {
		err = output.JSON(g.env.Stdout, checkReport{Summary: report.Summary(), Met: meetings})
	} else {
		err = o.print(report, meetings)
	}
	if err != nil {
		return err
	}
	if len(failures) > 0 {
		return errors.Join(failures...)
	}
	refused := refusing(report)
	if len(refused) > 0 && (o.families != "" || len(refused) == len(report.Verdicts)) {
		return &noError{fmt.Sprintf("%s is refused by %s", o.file, strings.Join(refused, ", "))}
	}
	return nil
}

func checkFamilies(list string) ([]check.Family, error) {
	if list == "" {
		return check.Families(), nil
	}
	named, err := datapackage.ParseFamilies(list)
	if err != nil {
		return nil, &usageError{err}
	}
	var families []check.Family
	for _, name := range named {
		f, err := check.ParseFamily(string(name))
		if err != nil {
			return nil, &usageError{err}
		}
		families = append(families, f)
	}
	return families, nil
}

// refusing names the families that refuse the package.
func refusing(r check.Report) []string {
	var names []string
	for _, v := range r.Verdicts {
		if v.Level() == check.Refusal {
			names = append(names, v.Family.String())
		}
	}
	return names
}

func (o *packageCheckOptions) print(r check.Report, meetings []met) error {
	g := o.g
	tty, width := g.env.tty()
	var rows [][]string
	for _, row := range r.Rows() {
		rows = append(rows, []string{string(row.Level), row.Families, row.Rule, row.Where, row.Text})
	}
	// On a terminal the text would be cut: it stands below its row.
	if tty {
		for _, row := range rows {
			g.say("%-8s %-16s %s (%s)", row[0], row[2], row[3], row[1])
			g.say("         %s", row[4])
		}
	} else if err := output.Table(g.env.Stdout, width, []string{"level", "clients", "rule", "where", "finding"}, rows); err != nil {
		return err
	}
	for _, v := range r.Verdicts {
		g.say("%-10s %s", v.Family, v.Level())
	}
	for _, m := range meetings {
		if m.Error != "" {
			continue
		}
		for _, row := range [][2]string{
			{"connected", m.Address}, {"protocol", m.Version + ", " + m.Cipher}, {"server", m.Server + ", until " + m.Until},
			{"name", m.NameFault}, {"answered", fmt.Sprintf("in %d ms", m.LatencyMS)},
		} {
			if row[1] != "" {
				g.say("%-10s %s", row[0], row[1])
			}
		}
		if m.Open {
			g.say("%-10s the server asked for no client certificate: it lets anybody in", "warning")
		}
	}
	return nil
}

// meet connects to every server of the package, as the first family that takes it does.
func (o *packageCheckOptions) meet(ctx context.Context, r check.Report) ([]met, []error, error) {
	var connections []check.Connection
	for _, v := range r.Verdicts {
		if v.Level() != check.Refusal {
			connections = v.Connections
			break
		}
	}
	if len(connections) == 0 {
		return nil, nil, &noError{o.file + " is refused by every client that was played, so that none of them would connect"}
	}
	var meetings []met
	var failures []error
	for _, c := range connections {
		if c.Key == nil || c.Certificate == nil {
			return nil, nil, hinted(errors.New("the package has no identity that opens"), "give its password with --password-file")
		}
		options := connect.Options{Host: c.Host, Port: c.Port, Authorities: c.Authorities, Now: o.g.env.Now,
			Identity: tls.Certificate{Certificate: [][]byte{c.Certificate.Raw}, PrivateKey: c.Key, Leaf: c.Certificate}}
		if o.address != "" {
			host, port, err := splitAddress(o.address)
			if err != nil {
				return nil, nil, err
			}
			options.Host, options.Port = host, port
		}
		seen, err := connect.Device(ctx, options)
		m := met{Address: seen.Address, Version: seen.Version, Cipher: seen.Cipher, NameFault: seen.NameFault, Open: err == nil && !seen.AskedForCertificate,
			LatencyMS: seen.Latency.Round(time.Millisecond).Milliseconds(), Protobuf: seen.OffersProtobuf, PingEchoed: seen.Echoed}
		if seen.Server != nil {
			m.Server, m.Until = seen.Server.Subject.CommonName, stamp(seen.Server.NotAfter)
		}
		if err != nil {
			m.Error = err.Error()
			failures = append(failures, err)
		}
		meetings = append(meetings, m)
	}
	return meetings, failures, nil
}

// splitAddress reads host or host:port of a server to connect to, which may be an IPv6 address.
func splitAddress(text string) (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(text)
	if err != nil {
		return text, datapackage.DefaultPort, nil
	}
	if port, err = strconv.Atoi(digits); err != nil || port < 1 || port > 65535 {
		return "", 0, usagef("--connect-to %q: the port is no number from 1 to 65535", text)
	}
	return host, port, nil
}
