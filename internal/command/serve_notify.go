package command

import (
	"context"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/notify"
)

// supervisor is the service manager, as serve talks to it. What it cannot be told is logged, and serve goes on: devices
// need the endpoint, whoever watches over it.
type supervisor struct {
	manager *notify.Manager
	status  string
	log     *slog.Logger
}

func (o *serveOptions) supervisor(listening net.Addr, log *slog.Logger) *supervisor {
	manager, err := notify.Connect(o.g.env.Getenv("NOTIFY_SOCKET"))
	s := &supervisor{manager: manager, status: "listening on " + listening.String(), log: log}
	s.note(err)
	return s
}

func (s *supervisor) note(err error) {
	if err != nil {
		s.log.Warn("the service manager does not know how serve is", slog.Any("error", err))
	}
}

func (s *supervisor) ready()    { s.note(s.manager.Ready(s.status)) }
func (s *supervisor) stopping() { s.note(s.manager.Stopping()) }

// reloading is what reload.Watcher.Asked wants to be.
func (s *supervisor) reloading() (done func()) {
	s.note(s.manager.Reloading())
	return s.ready
}

// attend tells the manager that serve lives, if it is to be told, until ctx is done. Each time it takes every lock that
// events, sessions and names go through: where one of these is held for ever, the manager ends serve and starts it anew.
func (s *supervisor) attend(ctx context.Context, e *endpoint.Endpoint, within time.Duration) {
	if within <= 0 {
		return
	}
	beat := time.NewTicker(within / 2)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			e.Alive()
			s.note(s.manager.Alive())
		}
	}
}

// watchdog is within what time the manager wants to hear that this process lives; 0: never.
func watchdog(getenv func(string) string) time.Duration {
	if pid := getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	d, err := time.ParseDuration(getenv("WATCHDOG_USEC") + "us")
	if err != nil {
		return 0
	}
	return d
}
