package command

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/endpoint"
)

func TestLimitsOfServeAreReadFromItsFlags(t *testing.T) {
	networks := func(texts ...string) (all []netip.Prefix) {
		for _, text := range texts {
			all = append(all, netip.MustParsePrefix(text))
		}
		return all
	}
	unlimited := endpoint.Config{
		MaxClients: endpoint.NoLimit, MaxEventsPerSecond: endpoint.NoLimit, MaxBytesPerSecond: endpoint.NoLimit,
		MaxFailures: endpoint.NoLimit,
	}
	with := func(change func(*endpoint.Config)) endpoint.Config {
		c := unlimited
		change(&c)
		return c
	}
	tests := []struct {
		name  string
		flags limitFlags
		want  endpoint.Config
		err   string
	}{
		{name: "none", want: unlimited},
		{name: "numbers", flags: limitFlags{clients: 1, events: 2, bytes: 3, failures: 4},
			want: endpoint.Config{MaxClients: 1, MaxEventsPerSecond: 2, MaxBytesPerSecond: 3, MaxFailures: 4}},
		{name: "negative clients", flags: limitFlags{clients: -1}, err: "--max-clients -1: give a number from 1, or 0 for no limit"},
		{name: "negative events", flags: limitFlags{events: -2}, err: "--max-events-per-second -2: give a number from 1, or 0 for no limit"},
		{name: "negative bytes", flags: limitFlags{bytes: -3}, err: "--max-bytes-per-second -3: give a number from 1, or 0 for no limit"},
		{name: "negative failures", flags: limitFlags{failures: -4}, err: "--max-failures-per-minute -4: give a number from 1, or 0 for no limit"},
		{name: "networks, with commas and repeated", flags: limitFlags{allow: []string{"10.20.0.0/16, 2001:db8::/32", "0.0.0.0/0"}},
			want: with(func(c *endpoint.Config) { c.Allow = networks("10.20.0.0/16", "2001:db8::/32", "0.0.0.0/0") })},
		{name: "addresses", flags: limitFlags{allow: []string{"192.0.2.7,2001:db8::7,::ffff:192.0.2.8"}},
			want: with(func(c *endpoint.Config) { c.Allow = networks("192.0.2.7/32", "2001:db8::7/128", "192.0.2.8/32") })},
		{name: "IPv4 within IPv6", flags: limitFlags{allow: []string{"::ffff:10.20.0.0/112"}},
			want: with(func(c *endpoint.Config) { c.Allow = networks("10.20.0.0/16") })},
		{name: "nothing", flags: limitFlags{allow: []string{""}}, err: `--allow "" is neither an address nor a network`},
		{name: "a comma too many", flags: limitFlags{allow: []string{"10.0.0.0/8,"}}, err: `--allow "" is neither an address nor a network`},
		{name: "a name", flags: limitFlags{allow: []string{"tak.example"}}, err: `--allow "tak.example" is neither an address nor a network`},
		{name: "a mask too long", flags: limitFlags{allow: []string{"10.0.0.0/33"}}, err: `--allow "10.0.0.0/33" is neither an address nor a network`},
		{name: "a mask as an address", flags: limitFlags{allow: []string{"10.0.0.0/255.0.0.0"}}, err: `--allow "10.0.0.0/255.0.0.0" is neither an address nor a network`},
		{name: "a zone", flags: limitFlags{allow: []string{"fe80::1%eth0"}}, err: `--allow "fe80::1%eth0" is neither an address nor a network`},
		{name: "an address and a mask", flags: limitFlags{allow: []string{"10.20.30.40/16"}}, err: "--allow 10.20.30.40/16: 10.20.0.0/16 is the network, 10.20.30.40 the one address in it"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var got endpoint.Config
			err := tc.flags.apply(&got)
			if tc.err != "" {
				var usage *usageError
				if err == nil || err.Error() != tc.err || !errors.As(err, &usage) {
					t.Fatalf("got %v, want the usage error %s", err, tc.err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v (%v), want %+v", got, err, tc.want)
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
