package metrics

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ftsca/ftsca/internal/endpoint"
)

// handshakeBuckets are bounds in seconds: a handshake takes a millisecond on a quiet server, and is cut after ten seconds.
var handshakeBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Metrics are those of one endpoint.
type Metrics struct {
	state     *State
	registry  *prometheus.Registry
	handshake *prometheus.HistogramVec
}

// New returns the metrics of an endpoint whose counters stats returns.
func New(state *State, stats func() endpoint.Stats) *Metrics {
	m := &Metrics{
		state: state, registry: prometheus.NewRegistry(),
		handshake: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ftsca_handshake_duration_seconds", Help: "How long handshakes took, from the connection on, by how they ended.", Buckets: handshakeBuckets,
		}, []string{"result"}),
	}
	m.registry.MustRegister(collector{state, stats}, m.handshake, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handshake notes a handshake that has ended.
func (m *Metrics) Handshake(result endpoint.Cause, took time.Duration) {
	m.handshake.WithLabelValues(string(result)).Observe(took.Seconds())
}

// Handler answers GET /metrics in Prometheus's text form; /healthz with 200, always; /readyz with 200 where connections
// are taken and all that was read last was good, else with 503 and why, a line each.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		why := m.state.Unready()
		if len(why) == 0 {
			fmt.Fprintln(w, "ready")
			return
		}
		http.Error(w, strings.Join(why, "\n"), http.StatusServiceUnavailable)
	})
	return mux
}

// Serve answers on l until ctx is done. Whoever is slow is given up: these answers are short.
func (m *Metrics) Serve(ctx context.Context, l net.Listener) error {
	const patience = 10 * time.Second
	server := &http.Server{Handler: m.Handler(), ReadTimeout: patience, WriteTimeout: patience, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); ctx.Err() == nil {
		return fmt.Errorf("serving metrics on %s: %w", l.Addr(), err)
	}
	return nil
}
