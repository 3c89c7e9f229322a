package command

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/control"
	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/metrics"
)

// socketOf is where the status socket of a store is.
func socketOf(s *store.Store) string { return filepath.Join(s.Endpoint(), control.SocketName) }

// control answers ftsca status and ftsca kick until hang up is called. Where it cannot, it says so, and serve goes on:
// devices need the endpoint, and nobody needs the socket as much.
func (o *serveOptions) control(ctx context.Context, s *store.Store, e *endpoint.Endpoint, shown *metrics.State, waits *waiting, address net.Addr, log *slog.Logger) (hangUp func()) {
	l, err := control.Listen(socketOf(s))
	var inUse *control.InUseError
	switch {
	case errors.As(err, &inUse):
		log.Warn("another ftsca serve runs on this store: ftsca status and ftsca kick reach that one, and not this", slog.String("socket", inUse.Path))
		return func() {}
	case errors.Is(err, errors.ErrUnsupported):
		log.Info("ftsca status and ftsca kick do not reach this process: this system has no socket for it; --metrics shows what it does")
		return func() {}
	case err != nil:
		log.Warn("ftsca status and ftsca kick will not reach this process", slog.Any("error", err))
		return func() {}
	}
	d := &desk{endpoint: e, shown: shown, waits: waits, log: log, status: control.Status{Address: address.String(), Started: second(o.g.env.Now())}}
	server := control.Server{Handlers: map[string]control.Handler{
		control.VerbStatus: d.tell,
		control.VerbKick:   d.kick,
		control.VerbUnbind: d.unbind,
	}}
	// Until the endpoint has drained, and so for longer than ctx.
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l) }()
	return func() {
		stop()
		if err := <-ended; err != nil {
			log.Error("status socket", slog.Any("error", err))
		}
	}
}

// desk is where the requests on the status socket are answered.
type desk struct {
	endpoint *endpoint.Endpoint
	shown    *metrics.State
	waits    *waiting
	log      *slog.Logger
	status   control.Status // what does not change
}

func (d *desk) tell(control.Request) (any, error) {
	loaded, at := d.shown.Loaded()
	status := d.status
	status.Faults = append([]string{}, d.shown.Unready()...)
	status.Ready = len(status.Faults) == 0
	status.Loaded, status.Revocations = second(at), loaded.Revocations
	var first time.Time
	if status.Unsigned, first = d.waits.now(); !first.IsZero() {
		first = second(first)
		status.UnsignedSince = &first
	}
	status.Expires = []control.Expiry{}
	for _, c := range loaded.Certificates {
		end := c.End.UTC()
		status.Expires = append(status.Expires, control.Expiry{What: c.Role, Name: c.Name, End: &end})
	}
	for _, l := range loaded.Lists {
		expiry := control.Expiry{What: "list", Name: l.Authority}
		if next := l.Next.UTC(); !next.IsZero() {
			expiry.End = &next
		}
		status.Expires = append(status.Expires, expiry)
	}
	status.Sessions = []control.Session{}
	for _, s := range d.endpoint.Sessions() {
		status.Sessions = append(status.Sessions, sessionOf(s))
	}
	return status, nil
}

// second is t as scripts are told times.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func sessionOf(s endpoint.SessionStats) control.Session {
	return control.Session{
		Name: s.Name, Callsign: s.Callsign, Groups: s.Groups, Serial: s.Serial, Generation: s.Generation,
		Fingerprint: s.Fingerprint, Address: s.Address,
		Since: second(s.Since), Encoding: s.Encoding, TLS: tls.VersionName(s.TLS),
		QueueEvents: s.Queued.Events, QueueBytes: s.Queued.Bytes,
		Received: s.Received, Sent: s.Sent, Dropped: s.Dropped,
	}
}

func (d *desk) kick(r control.Request) (any, error) {
	var k control.Kick
	if err := r.Decode(&k); err != nil {
		return nil, err
	}
	if k.Name == "" {
		return nil, &control.Error{Code: control.BadRequest, Message: "kick needs a name"}
	}
	n := d.endpoint.Kick(k.Name)
	d.log.Info("kick", slog.String("name", k.Name), slog.Int("sessions", n))
	return control.Kicked{Name: k.Name, Cut: n}, nil
}

func (d *desk) unbind(r control.Request) (any, error) {
	var u control.Unbind
	if err := r.Decode(&u); err != nil {
		return nil, err
	}
	bound := d.endpoint.Unbind(u.UID)
	d.log.Info("unbind", slog.String("uid", u.UID), slog.Bool("was_bound", bound))
	return control.Unbound{UID: u.UID, Bound: bound}, nil
}
