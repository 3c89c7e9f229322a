package endpoint_test

import (
	"io"
	"log/slog"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
)

// starved is a listener that finds no descriptor left until a time, but for every third connection.
type starved struct {
	pipes
	until time.Time
	calls int
}

func (l *starved) Accept() (net.Conn, error) {
	if time.Now().After(l.until) {
		return l.pipes.Accept()
	}
	if l.calls++; l.calls%3 == 0 {
		here, there := net.Pipe()
		there.Close()
		return here, nil
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
}

func TestWantOfDescriptorsNeitherSpinsNorFillsTheLogAndPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPKI(t, time.Now)
		w.e = endpoint.New(endpoint.Config{Gate: w.gate, Log: slog.New(slog.NewJSONHandler(w.log, nil))})
		l := &starved{
			pipes: pipes{conns: make(chan net.Conn), closed: make(chan struct{})},
			until: time.Now().Add(10 * time.Second),
		}
		w.serve(l)
		here, there := net.Pipe()
		l.conns <- here // taken as soon as there are descriptors again
		io.Copy(io.Discard, there)
		w.stop()
		if l.calls > 3000 {
			t.Errorf("it tried %d times in ten seconds", l.calls)
		}
		lines := w.log.lines(t, "connection not accepted")
		if len(lines) < 10 || len(lines) > 11 {
			t.Errorf("%d lines in ten seconds, want one each second", len(lines))
		}
		if got := lines[1]; got["error"] != "accept tcp: accept4: too many open files" || got["failures"].(float64) < 2 {
			t.Errorf("the log says %v", got)
		}
	})
}
