package metrics_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/metrics"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// loaded is what an endpoint has read a while after a rollover under one name.
func loaded() metrics.Loaded {
	return metrics.Loaded{
		Revocations: 3,
		Certificates: []metrics.Certificate{
			{Role: "server", Name: "fts.example.org", End: noon.AddDate(2, 0, 0)},
			{Role: "authority", Name: "Valley Rescue CA", End: noon.AddDate(10, 0, 0)},
			{Role: "authority", Name: "Valley Rescue CA", End: noon.AddDate(1, 0, 0)},
		},
		Lists: []metrics.List{{Authority: "Valley Rescue CA", Made: noon, Next: noon.AddDate(1, 0, 0)}},
	}
}

func stats() endpoint.Stats {
	return endpoint.Stats{
		Sessions:   2,
		TurnedAway: map[endpoint.Cause]uint64{endpoint.NotAllowed: 7},
		Handshakes: map[endpoint.Cause]uint64{endpoint.OK: 5, "revoked": 1},
		XML:        endpoint.Traffic{EventsIn: 10, BytesIn: 6000, EventsOut: 20, BytesOut: 12000},
		Protobuf:   endpoint.Traffic{EventsIn: 1, BytesIn: 300, EventsOut: 2, BytesOut: 600},
		Dropped:    map[endpoint.Cause]uint64{endpoint.Malformed: 4},
		Ended:      map[endpoint.Cause]uint64{endpoint.Slow: 1},
		Queued:     endpoint.Load{Events: 9, Bytes: 5400}, Longest: 8, Items: 6, Held: 2,
	}
}

// seconds is how Prometheus writes a time.
func seconds(at time.Time) string { return strconv.FormatFloat(float64(at.Unix()), 'g', -1, 64) }

func get(t *testing.T, m *metrics.Metrics, path string) (code int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestMetricsSayWhatTheEndpointCountsAndHasRead(t *testing.T) {
	state := &metrics.State{}
	state.Load(loaded(), noon)
	state.Serve(true)
	state.Confine(true)
	m := metrics.New(state, stats)
	m.Handshake(endpoint.OK, 3*time.Millisecond)
	code, body := get(t, m, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("%d: %s", code, body)
	}
	for _, line := range []string{
		`ftsca_sessions 2`,
		`ftsca_connections_turned_away_total{cause="not_allowed"} 7`,
		`ftsca_handshakes_total{result="ok"} 5`,
		`ftsca_handshakes_total{result="revoked"} 1`,
		`ftsca_handshake_duration_seconds_bucket{result="ok",le="0.0025"} 0`,
		`ftsca_handshake_duration_seconds_bucket{result="ok",le="0.005"} 1`,
		`ftsca_events_received_total{encoding="xml"} 10`,
		`ftsca_events_received_total{encoding="protobuf"} 1`,
		`ftsca_received_bytes_total{encoding="xml"} 6000`,
		`ftsca_events_sent_total{encoding="protobuf"} 2`,
		`ftsca_sent_bytes_total{encoding="xml"} 12000`,
		`ftsca_events_dropped_total{cause="malformed"} 4`,
		`ftsca_sessions_ended_total{cause="slow"} 1`,
		`ftsca_queue_events 9`,
		`ftsca_queue_bytes 5400`,
		`ftsca_queue_longest_events 8`,
		`ftsca_items 6`, `ftsca_held_events 2`,
		`ftsca_revocations 3`,
		`ftsca_revocation_list_made_timestamp_seconds{authority="Valley Rescue CA"} ` + seconds(noon),
		`ftsca_revocation_list_next_update_timestamp_seconds{authority="Valley Rescue CA"} ` + seconds(noon.AddDate(1, 0, 0)),
		`ftsca_certificate_expiry_timestamp_seconds{name="fts.example.org",role="server"} ` + seconds(noon.AddDate(2, 0, 0)),
		`ftsca_reloads_total 0`,
		`ftsca_reload_faults_total 0`,
		`ftsca_ready 1`,
		`ftsca_sandboxed 1`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("there is no %s", line)
		}
	}
	if !strings.Contains(body, "\ngo_goroutines ") {
		t.Error("nothing is said of the process itself")
	}
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "ftsca_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestReadinessGoesRedAndComesBack(t *testing.T) {
	state := &metrics.State{}
	m := metrics.New(state, stats)
	want := func(code int, body string) {
		t.Helper()
		if gotCode, got := get(t, m, "/readyz"); gotCode != code || got != body {
			t.Errorf("/readyz: %d %q, want %d %q", gotCode, got, code, body)
		}
		if code, body := get(t, m, "/healthz"); code != http.StatusOK || body != "ok\n" {
			t.Errorf("/healthz: %d %q", code, body)
		}
	}
	want(503, "no connections are taken\n")
	state.Load(loaded(), noon)
	state.Serve(true)
	want(200, "ready\n")

	// The same fault is told by the watcher and by the report after it.
	state.Fault("the revocation list cannot be used")
	broken := loaded()
	broken.Faults = []string{"the revocation list cannot be used"}
	want(503, "the revocation list cannot be used\n")
	state.Load(broken, noon)
	state.Fault("the revocation list cannot be used")
	want(503, "the revocation list cannot be used\n")
	if _, body := get(t, m, "/metrics"); !strings.Contains(body, "\nftsca_ready 0\n") || !strings.Contains(body, "\nftsca_sandboxed 0\n") || !strings.Contains(body, "\nftsca_reload_faults_total 2\n") ||
		!strings.Contains(body, "\nftsca_reloads_total 1\n") || !strings.Contains(body, "\nftsca_revocations 3\n") {
		t.Errorf("with a fault, the metrics are\n%s", body)
	}
	state.Load(loaded(), noon)
	want(200, "ready\n")
	state.Serve(false)
	want(503, "no connections are taken\n")
}

func TestServeEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- metrics.New(&metrics.State{}, stats).Serve(ctx, l) }()
	answer, err := http.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil || string(body) != "ok\n" {
		t.Errorf("%q, %v", body, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve returned %v", err)
	}
}

func TestNothingElseIsAnswered(t *testing.T) {
	m := metrics.New(&metrics.State{}, stats)
	if code, _ := get(t, m, "/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("another path: %d", code)
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/metrics", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}
