package command

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/ftsca/ftsca/internal/endpoint"
)

// limitsOf is what an endpoint is told where serve is given these arguments.
func limitsOf(args ...string) (c endpoint.Config, err error) {
	serve := newServeCommand(&global{}, func(_ context.Context, o *serveOptions) error { return o.limits.apply(&c) })
	serve.SilenceErrors, serve.SilenceUsage = true, true
	serve.SetArgs(append([]string{}, args...))
	err = serve.Execute()
	return c, err
}

func TestLimitsOfServeAreReadFromItsFlags(t *testing.T) {
	networks := func(texts ...string) (all []netip.Prefix) {
		for _, text := range texts {
			all = append(all, netip.MustParsePrefix(text))
		}
		return all
	}
	tests := []struct {
		args string
		want func(*endpoint.Config) // what they change
	}{
		{"", func(*endpoint.Config) {}},
		{"--max-clients=1", func(c *endpoint.Config) { c.MaxClients = 1 }},
		{"--max-sessions-per-cert=5", func(c *endpoint.Config) { c.MaxSessionsPerCert = 5 }},
		{"--max-sessions-per-cert=0", func(c *endpoint.Config) { c.MaxSessionsPerCert = endpoint.NoLimit }},
		{"--max-events-per-second=2", func(c *endpoint.Config) { c.MaxEventsPerSecond = 2 }},
		{"--max-bytes-per-second=3", func(c *endpoint.Config) { c.MaxBytesPerSecond = 3 }},
		{"--max-failures-per-minute=4", func(c *endpoint.Config) { c.MaxFailures = 4 }},
		{"--max-clients=0", func(c *endpoint.Config) { c.MaxClients = endpoint.NoLimit }},
		{"--max-events-per-second=0", func(c *endpoint.Config) { c.MaxEventsPerSecond = endpoint.NoLimit }},
		{"--max-bytes-per-second=0", func(c *endpoint.Config) { c.MaxBytesPerSecond = endpoint.NoLimit }},
		{"--max-failures-per-minute=0", func(c *endpoint.Config) { c.MaxFailures = endpoint.NoLimit }},
		{"--flood-grace=2m5s", func(c *endpoint.Config) { c.Grace = 125 * time.Second }},
		{"--flood-grace=1ns", func(c *endpoint.Config) { c.Grace = 1 }},
		// With commas and repeated; addresses; IPv4 within IPv6.
		{"--allow=10.20.0.0/16,2001:db8::/32 --allow=0.0.0.0/0",
			func(c *endpoint.Config) { c.Allow = networks("10.20.0.0/16", "2001:db8::/32", "0.0.0.0/0") }},
		{"--allow=192.0.2.7,2001:db8::7,::ffff:192.0.2.8",
			func(c *endpoint.Config) { c.Allow = networks("192.0.2.7/32", "2001:db8::7/128", "192.0.2.8/32") }},
		{"--allow=::ffff:10.20.0.0/112", func(c *endpoint.Config) { c.Allow = networks("10.20.0.0/16") }},
	}
	for _, tc := range tests {
		t.Run("serve "+tc.args, func(t *testing.T) {
			want := endpoint.Config{MaxClients: endpoint.NoLimit, MaxSessionsPerCert: 8, MaxEventsPerSecond: 200, MaxBytesPerSecond: 262144,
				MaxFailures: 120, Grace: 30 * time.Second}
			tc.want(&want)
			got, err := limitsOf(strings.Fields(tc.args)...)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v (%v), want %+v", got, err, want)
			}
		})
	}
	all := pflag.NewFlagSet("limits", pflag.ContinueOnError)
	(&limitFlags{}).bind(all)
	all.VisitAll(func(f *pflag.Flag) {
		for _, tc := range tests {
			if strings.HasPrefix(tc.args, "--"+f.Name+"=") {
				return
			}
		}
		t.Errorf("nothing here gives --%s", f.Name)
	})
	// A blank behind a comma is none of the network's.
	if got, err := limitsOf("--allow", "10.20.0.0/16, 2001:db8::/32"); err != nil || !slices.Equal(got.Allow, networks("10.20.0.0/16", "2001:db8::/32")) {
		t.Errorf("got %v (%v)", got.Allow, err)
	}
}

func TestLimitsThatCannotBeMeantAreUsageErrors(t *testing.T) {
	for _, tc := range []struct{ arg, want string }{
		{"--max-clients=-1", "--max-clients -1: give a number from 1, or 0 for no limit"},
		{"--max-sessions-per-cert=-1", "--max-sessions-per-cert -1: give a number from 1, or 0 for no limit"},
		{"--max-events-per-second=-2", "--max-events-per-second -2: give a number from 1, or 0 for no limit"},
		{"--max-bytes-per-second=-3", "--max-bytes-per-second -3: give a number from 1, or 0 for no limit"},
		{"--max-failures-per-minute=-4", "--max-failures-per-minute -4: give a number from 1, or 0 for no limit"},
		{"--flood-grace=0", "--flood-grace 0s: give a time longer than 0"},
		{"--flood-grace=-30s", "--flood-grace -30s: give a time longer than 0"},
		{"--allow=", `--allow "" is neither an address nor a network`},
		{"--allow=10.0.0.0/8,", `--allow "" is neither an address nor a network`},
		{"--allow=tak.example", `--allow "tak.example" is neither an address nor a network`},
		{"--allow=10.0.0.0/33", `--allow "10.0.0.0/33" is neither an address nor a network`},
		{"--allow=10.0.0.0/255.0.0.0", `--allow "10.0.0.0/255.0.0.0" is neither an address nor a network`},
		{"--allow=fe80::1%eth0", `--allow "fe80::1%eth0" is neither an address nor a network`},
		{"--allow=10.20.30.40/16", "--allow 10.20.30.40/16: 10.20.0.0/16 is the network, 10.20.30.40 the one address in it"},
	} {
		t.Run("serve "+tc.arg, func(t *testing.T) {
			_, err := limitsOf(tc.arg)
			var usage *usageError
			if err == nil || err.Error() != tc.want || !errors.As(err, &usage) {
				t.Errorf("got %v, want the usage error %s", err, tc.want)
			}
		})
	}
}

func TestClientsFitIntoTheDescriptors(t *testing.T) {
	tests := []struct {
		name                string
		descriptors, asked  int
		clients, handshakes int
		warning             string
	}{
		{"plenty", 1 << 20, endpoint.NoLimit, 1<<20 - 1024 - 64, 1024, ""},
		{"plenty for what was asked", 1 << 20, 5000, 5000, 1024, ""},
		{"not known", 0, endpoint.NoLimit, endpoint.NoLimit, 0, ""},
		{"enough for a small deployment", 1024, endpoint.NoLimit, 704, 256, ""},
		{"too few for what was asked", 1024, 5000, 704, 256,
			`level=WARN msg="too few descriptors for --max-clients: no more clients are taken than there are descriptors for" descriptors=1024 clients=704 max_clients=5000 hint="raise the hard limit: ulimit -Hn, or LimitNOFILE= in a systemd unit"`},
		{"few", 256, endpoint.NoLimit, 128, 64,
			`level=WARN msg="descriptors for few clients only" descriptors=256 clients=128 hint="raise the hard limit: ulimit -Hn, or LimitNOFILE= in a systemd unit"`},
		{"few, and no more asked for", 256, 100, 100, 64, ""},
		{"next to none", 16, endpoint.NoLimit, 1, 4,
			`level=WARN msg="descriptors for few clients only" descriptors=16 clients=1 hint="raise the hard limit: ulimit -Hn, or LimitNOFILE= in a systemd unit"`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}}))
			c := endpoint.Config{MaxClients: tc.asked}
			fit(&c, tc.descriptors, log)
			if c.MaxClients != tc.clients || c.MaxHandshakes != tc.handshakes {
				t.Errorf("%d clients and %d handshakes, want %d and %d", c.MaxClients, c.MaxHandshakes, tc.clients, tc.handshakes)
			}
			if got := strings.TrimSpace(out.String()); got != tc.warning {
				t.Errorf("the log says\n%s\nwant\n%s", got, tc.warning)
			}
		})
	}
}
