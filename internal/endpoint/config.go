package endpoint

import (
	"log/slog"
	"math"
	"net/netip"
	"time"

	"github.com/ftsca/ftsca/internal/mtls"
)

// What a Config stands for that says nothing else.
const (
	DefaultFailures        = 120
	DefaultSessionsPerCert = 8
	DefaultEventsPerSecond = 200
	DefaultBytesPerSecond  = 256 << 10
	DefaultGrace           = 30 * time.Second
	DefaultHold            = 10 * time.Minute
)

// NoLimit in a field of Config means that there is no limit of this kind.
const NoLimit = math.MaxInt

// Config says what an Endpoint works with and where its limits are. Gate is required; every other field may be zero,
// which stands for the default named beside it. A negative number counts as zero, but for Hold.
type Config struct {
	// Gate holds the trust in force: server certificate, accepted issuers, revocations.
	Gate *mtls.Gate
	// Log takes one line for each session that starts or ends and each connection refused. Zero: nothing is logged.
	Log *slog.Logger
	// Now is the clock by which certificates are judged and control events are stamped. Zero: time.Now. Deadlines
	// always run by the system's own monotonic clock.
	Now func() time.Time

	// Generation tells which generation of its name the certificate with a serial is, for log and picture of a session; 0
	// where it does not know. It is asked once for each session, from many goroutines. Zero: nobody knows.
	Generation func(serial string) int
	// Handshaken is told of each handshake that has ended, how it did, and how long it took from the connection on; from
	// many goroutines. Zero: nobody is.
	Handshaken func(result Cause, took time.Duration)

	// Drain is how long Serve lets the queues empty once its context is done. Zero: 10 s.
	Drain time.Duration
	// Handshake is how long a peer may take from its connection to the end of the TLS handshake. Zero: 10 s.
	Handshake time.Duration
	// Idle is how long a session may pass with nothing received and nothing delivered before it is cut. It is looked
	// at in tenths, so the cut comes at most a tenth late. Zero: 5 min. iTAK sends nothing in its first minute.
	Idle time.Duration
	// Write is how long one write to a peer (at most 16 KiB) may take. Zero: 10 s.
	Write time.Duration

	// QueueEvents and QueueBytes bound what waits for one peer; who exceeds either is cut. The bytes are shared by
	// all queues they stand in. Zero: 8192 events, 4 MiB.
	QueueEvents int
	QueueBytes  int
	// MaxHandshakes bounds the handshakes in progress at one time. Zero: 1024.
	MaxHandshakes int
	// MaxFailures is how many handshakes from one address (one /64 of IPv6) may fail at once, and in each minute
	// after. Further connections from it are closed before any work is done for them. One that succeeds makes the
	// address as good as new. Zero: DefaultFailures.
	MaxFailures int
	// Allow holds the networks that connections may come from; others are closed before any work is done for them.
	// Addresses of IPv4 are looked for in networks of IPv4, also where they come as ::ffff:a.b.c.d. Zero: all.
	Allow []netip.Prefix

	// MaxClients bounds the sessions. When it is reached, a peer is let in only in place of an earlier session with its
	// own certificate that has said nothing for half a minute. Zero: NoLimit.
	MaxClients int
	// MaxSessionsPerCert bounds the sessions of one certificate. One more takes the place of the one that has been silent
	// longest. Zero: DefaultSessionsPerCert.
	MaxSessionsPerCert int
	// MaxEventsPerSecond and MaxBytesPerSecond are what one session may send, pings and malformed pieces included. It
	// may send ten seconds' worth ahead of time, which is heard within a second. Who sends more is read from no faster than this, so that nobody else bears
	// it; a read costs 256 bytes at least. Zero: DefaultEventsPerSecond and DefaultBytesPerSecond, far beyond what a
	// device sends, but not beyond what a gateway may.
	MaxEventsPerSecond int
	MaxBytesPerSecond  int
	// Grace is how long a session may be held back in that way before it is cut. It begins anew when the peer had
	// nothing to send for a thirtieth of it. Zero: DefaultGrace.
	Grace time.Duration

	// Bind says what becomes of a position under a uid that another name has claimed as its own. Zero: BindStrict.
	Bind Binding
	// NoProtobuf keeps every session in XML: TAK protocol version 1 is not offered.
	NoProtobuf bool

	// Groups are the groups of names, in place of those in their certificates; see [Endpoint.Regroup]. Nil: those in the
	// certificates.
	Groups map[string][]string
	// Hold is how long events are kept for destinations that are away. Zero: DefaultHold. Negative: none are.
	Hold time.Duration

	// Items and ItemBytes bound what is kept for newcomers, of all names together: last positions, and what is on the map
	// until it goes stale. The last few own positions of each session do not count. Zero: 20,000 and 32 MiB.
	Items     int
	ItemBytes int
	// NameItems and NameItemBytes bound what is kept of any one name. A gateway speaks for hundreds of devices. Zero: 1000
	// and 1 MiB.
	NameItems     int
	NameItemBytes int
}

// withDefaults returns c with every zero or negative limit replaced by its default.
func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Generation == nil {
		c.Generation = func(string) int { return 0 }
	}
	if c.Handshaken == nil {
		c.Handshaken = func(Cause, time.Duration) {}
	}
	duration(&c.Drain, 10*time.Second)
	duration(&c.Handshake, 10*time.Second)
	duration(&c.Idle, 5*time.Minute)
	duration(&c.Write, 10*time.Second)
	number(&c.QueueEvents, 8192)
	number(&c.QueueBytes, 4<<20)
	number(&c.MaxHandshakes, 1024)
	number(&c.MaxFailures, DefaultFailures)
	number(&c.MaxClients, NoLimit)
	number(&c.MaxSessionsPerCert, DefaultSessionsPerCert)
	number(&c.MaxEventsPerSecond, DefaultEventsPerSecond)
	number(&c.MaxBytesPerSecond, DefaultBytesPerSecond)
	duration(&c.Grace, DefaultGrace)
	if c.Hold == 0 {
		c.Hold = DefaultHold
	}
	number(&c.Items, 20_000)
	number(&c.ItemBytes, 32<<20)
	number(&c.NameItems, 1000)
	number(&c.NameItemBytes, 1<<20)
	return c
}

func duration(d *time.Duration, standard time.Duration) {
	if *d <= 0 {
		*d = standard
	}
}

func number(n *int, standard int) {
	if *n <= 0 {
		*n = standard
	}
}
