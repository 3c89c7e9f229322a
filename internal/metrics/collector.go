package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ftsca/ftsca/internal/endpoint"
)

// A collector turns what is counted elsewhere into metrics when somebody looks.
type collector struct {
	state *State
	stats func() endpoint.Stats
}

// Names end in _total where they only rise, and say their unit, as Prometheus has it.
var (
	sessions     = describe("sessions", "Sessions that are served now.")
	turned       = describe("connections_turned_away_total", "Connections closed before any work was done for them.", "cause")
	handshakes   = describe("handshakes_total", "TLS handshakes by how they ended.", "result")
	received     = describe("events_received_total", "Events received and passed on or answered.", "encoding")
	receivedSize = describe("received_bytes_total", "Bytes of the events received.", "encoding")
	sent         = describe("events_sent_total", "Events written to clients; one that goes to five counts five times.", "encoding")
	sentSize     = describe("sent_bytes_total", "Bytes written to clients.", "encoding")
	dropped      = describe("events_dropped_total", "Pieces that were not passed on.", "cause")
	ended        = describe("sessions_ended_total", "Sessions that are over, by why.", "cause")
	queued       = describe("queue_events", "Events that wait for clients, all together.")
	queuedSize   = describe("queue_bytes", "Bytes that wait for clients, all together.")
	longest      = describe("queue_longest_events", "Events that wait for the client that is furthest behind.")
	items        = describe("items", "Last positions, markers and the like that are kept for newcomers.")
	held         = describe("held_events", "Events that are kept for devices that are away.")

	revocations = describe("revocations", "Revocations in force.")
	listAge     = describe("revocation_list_made_timestamp_seconds", "When a signed revocation list was made.", "authority")
	listEnd     = describe("revocation_list_next_update_timestamp_seconds", "When a signed revocation list lapses, and other servers refuse everyone.", "authority")
	expiry      = describe("certificate_expiry_timestamp_seconds", "When a certificate expires.", "role", "name")
	loadedAt    = describe("loaded_timestamp_seconds", "When the endpoint's files were last read.")
	reloads     = describe("reloads_total", "How often the endpoint's files were read anew.")
	faults      = describe("reload_faults_total", "How often one of them could not be read, and what was in force stayed so.")
	ready       = describe("ready", "Whether /readyz says yes.")
	sandboxed   = describe("sandboxed", "Whether the process is confined to the endpoint's folder.")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("ftsca_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		sessions, turned, handshakes, received, receivedSize, sent, sentSize, dropped, ended, queued, queuedSize, longest, items, held,
		revocations, listAge, listEnd, expiry, loadedAt, reloads, faults, ready, sandboxed,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, value uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	s := c.stats()
	gauge(sessions, float64(s.Sessions))
	gauge(queued, float64(s.Queued.Events))
	gauge(queuedSize, float64(s.Queued.Bytes))
	gauge(longest, float64(s.Longest))
	gauge(items, float64(s.Items))
	gauge(held, float64(s.Held))
	for d, by := range map[*prometheus.Desc]map[endpoint.Cause]uint64{turned: s.TurnedAway, handshakes: s.Handshakes, dropped: s.Dropped, ended: s.Ended} {
		for cause, n := range by {
			counter(d, n, string(cause))
		}
	}
	for encoding, t := range map[string]endpoint.Traffic{"xml": s.XML, "protobuf": s.Protobuf} {
		counter(received, t.EventsIn, encoding)
		counter(receivedSize, t.BytesIn, encoding)
		counter(sent, t.EventsOut, encoding)
		counter(sentSize, t.BytesOut, encoding)
	}
	loaded, at, read, failed := c.state.picture()
	gauge(revocations, float64(loaded.Revocations))
	if !at.IsZero() {
		gauge(loadedAt, float64(at.UnixMilli())/1e3)
	}
	counter(reloads, read)
	counter(faults, failed)
	gauge(ready, truth(len(c.state.Unready()) == 0))
	gauge(sandboxed, truth(c.state.confined()))
	for _, l := range distinct(loaded.Lists, func(l List) string { return l.Authority }) {
		gauge(listAge, float64(l.Made.Unix()), l.Authority)
		gauge(listEnd, float64(l.Next.Unix()), l.Authority)
	}
	for _, cert := range distinct(loaded.Certificates, func(c Certificate) string { return c.Role + "\x00" + c.Name }) {
		gauge(expiry, float64(cert.End.Unix()), cert.Role, cert.Name)
	}
}

// truth is how Prometheus writes yes and no.
func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// distinct leaves the first of those with the same labels, of which Prometheus takes one: after a rollover under one name,
// there are two.
func distinct[T any](all []T, key func(T) string) (left []T) {
	seen := map[string]bool{}
	for _, one := range all {
		if k := key(one); !seen[k] {
			seen[k] = true
			left = append(left, one)
		}
	}
	return left
}
