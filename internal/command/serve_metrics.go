package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/metrics"
	"github.com/ftsca/ftsca/internal/mtls"
	"github.com/ftsca/ftsca/internal/reload"
)

// show serves the metrics where --metrics says, if it says so, until hide is called.
func (o *serveOptions) show(ctx context.Context, m *metrics.Metrics, log *slog.Logger) (hide func(), err error) {
	if o.metrics == "" {
		return func() {}, nil
	}
	// Whoever means the whole network says so.
	address := o.metrics
	if !strings.Contains(address, ":") {
		address = ":" + address
	}
	if strings.HasPrefix(address, ":") {
		address = "127.0.0.1" + address
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, hinted(fmt.Errorf("listening for --metrics: %w", err), "another program serves on %s; --metrics takes another address", address)
	}
	if err != nil {
		return nil, hinted(fmt.Errorf("listening for --metrics: %w", err), "--metrics takes a port of this machine, or an address: 9089, 10.0.0.5:9089")
	}
	log.Info("showing metrics", slog.String("url", "http://"+l.Addr().String()+"/metrics"))
	// Until the endpoint has drained, and so for longer than ctx.
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- m.Serve(ctx, l) }()
	return func() {
		stop()
		if err := <-ended; err != nil {
			log.Error("metrics", slog.Any("error", err))
		}
	}, nil
}

// loaded is what the endpoint has read, for the metrics.
func loaded(s *store.Store, trust *mtls.Trust, r reload.Report) metrics.Loaded {
	l := metrics.Loaded{Revocations: len(r.Entries)}
	leaf := trust.Certificate.Leaf
	l.Certificates = append(l.Certificates, metrics.Certificate{Role: "server", Name: leaf.Subject.CommonName, End: leaf.NotAfter})
	// All that stand in ca.pem, the roots too: their end is everybody's.
	authorities, _ := readCertificates(s.CAFile())
	for _, c := range authorities {
		l.Certificates = append(l.Certificates, metrics.Certificate{Role: "authority", Name: c.Subject.CommonName, End: c.NotAfter})
	}
	for _, list := range r.Lists {
		l.Lists = append(l.Lists, metrics.List{Authority: list.Authority, Made: list.Made, Next: list.Next})
	}
	for _, fault := range r.Broken {
		l.Faults = append(l.Faults, fault.Error())
	}
	return l
}
