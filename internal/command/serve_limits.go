package command

import (
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ftsca/ftsca/internal/endpoint"
)

const (
	// mostHandshakes is how many handshakes are in progress at one time at most, if there are descriptors for four
	// times as many: peers who say nothing shall not keep the others from theirs.
	mostHandshakes = 1024
	// otherFiles is how many descriptors the endpoint may need for all but its clients.
	otherFiles = 64
	// fewClients is how many clients a small deployment may have.
	fewClients = 300
)

// limitFlags are what serve is told about how much a peer may do. In the numbers 0 means that there is no limit.
type limitFlags struct {
	allow    []string
	clients  int
	sessions int
	events   int
	bytes    int
	failures int
	grace    time.Duration
}

func (l *limitFlags) bind(flags *pflag.FlagSet) {
	flags.StringArrayVar(&l.allow, "allow", nil, "`networks` (10.20.0.0/16,2001:db8::/32) or addresses to take connections from, and no others; may be repeated")
	flags.IntVar(&l.clients, "max-clients", 0, "how many may be connected at a time; 0: as many as there are descriptors for")
	flags.IntVar(&l.sessions, "max-sessions-per-cert", endpoint.DefaultSessionsPerCert, "how often one certificate may be connected at a time; 0: no limit")
	flags.IntVar(&l.events, "max-events-per-second", endpoint.DefaultEventsPerSecond, "how many events one client may send; 0: no limit")
	flags.IntVar(&l.bytes, "max-bytes-per-second", endpoint.DefaultBytesPerSecond, "how many bytes one client may send; 0: no limit")
	flags.DurationVar(&l.grace, "flood-grace", endpoint.DefaultGrace, "how long a client may go on above its budget before it is cut")
	flags.IntVar(&l.failures, "max-failures-per-minute", endpoint.DefaultFailures, "how many handshakes from one address may fail; 0: no limit")
}

// apply sets in c what the flags say.
func (l *limitFlags) apply(c *endpoint.Config) error {
	numbers := []struct {
		flag  string
		value int
		to    *int
	}{
		{"--max-clients", l.clients, &c.MaxClients},
		{"--max-sessions-per-cert", l.sessions, &c.MaxSessionsPerCert},
		{"--max-events-per-second", l.events, &c.MaxEventsPerSecond},
		{"--max-bytes-per-second", l.bytes, &c.MaxBytesPerSecond},
		{"--max-failures-per-minute", l.failures, &c.MaxFailures},
	}
	for _, n := range numbers {
		switch {
		case n.value < 0:
			return usagef("%s %d: give a number from 1, or 0 for no limit", n.flag, n.value)
		case n.value == 0:
			*n.to = endpoint.NoLimit
		default:
			*n.to = n.value
		}
	}
	if l.grace <= 0 {
		return usagef("--flood-grace %s: give a time longer than 0", l.grace)
	}
	c.Grace = l.grace
	for _, list := range l.allow {
		for text := range strings.SplitSeq(list, ",") {
			p, err := parseNetwork(strings.TrimSpace(text))
			if err != nil {
				return err
			}
			c.Allow = append(c.Allow, p)
		}
	}
	return nil
}

// parseNetwork reads a network, or an address as the network that holds it alone. IPv4 within IPv6 is IPv4.
func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, hinted(usagef("--allow %q is neither an address nor a network", text), "give 192.0.2.7, 10.20.0.0/16 or 2001:db8::/32, several with commas between them")
	}
	if p != p.Masked() {
		return p, usagef("--allow %s: %s is the network, %s the one address in it", text, p.Masked(), p.Addr())
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p, nil
}

// fit makes c fit into so many descriptors, so that they never run out: who finds none left could not even be turned
// away. It warns where that is less than was asked for or than a small deployment needs. Go has raised the soft limit
// to the hard one, or to one less, already (package syscall, since 1.19).
func fit(c *endpoint.Config, descriptors int, log *slog.Logger) {
	if descriptors <= 0 {
		return
	}
	c.MaxHandshakes = min(mostHandshakes, max(1, descriptors/4))
	room := max(1, descriptors-c.MaxHandshakes-otherFiles)
	numbers := []any{slog.Int("descriptors", descriptors), slog.Int("clients", room)}
	const hint = "raise the hard limit: ulimit -Hn, or LimitNOFILE= in a systemd unit"
	switch {
	case c.MaxClients != endpoint.NoLimit && c.MaxClients > room:
		log.Warn("too few descriptors for --max-clients: no more clients are taken than there are descriptors for",
			append(numbers, slog.Int("max_clients", c.MaxClients), slog.String("hint", hint))...)
	case c.MaxClients == endpoint.NoLimit && room < fewClients:
		log.Warn("descriptors for few clients only", append(numbers, slog.String("hint", hint))...)
	}
	c.MaxClients = min(c.MaxClients, room)
}
