package endpoint

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"
)

const (
	firstBackOff = 5 * time.Millisecond
	lastBackOff  = time.Second
)

// accept takes connections until ctx is done (nil) or l is closed by somebody else (net.ErrClosed). Any other error,
// such as no descriptor left, passes: it waits and tries again.
func (e *Endpoint) accept(ctx context.Context, l net.Listener) error {
	backOff, failed, told := firstBackOff, 0, time.Time{}
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			backOff = firstBackOff
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			failed++
			if now := time.Now(); now.Sub(told) >= lastBackOff {
				e.log.Error("connection not accepted", slog.Any("error", err), slog.Int("failures", failed))
				told, failed = now, 0
			}
			if !sleep(ctx, backOff) {
				return nil
			}
			backOff = min(2*backOff, lastBackOff)
			continue
		}
		if !e.door.admits(conn) {
			continue
		}
		place, ok := e.shaking.enter(ctx, conn)
		if !ok {
			_ = conn.Close()
			return nil
		}
		e.running.Go(func() {
			s := e.shake(conn, place)
			e.shaking.leave(place)
			if s != nil {
				s.serve()
			}
		})
	}
}

// sleep waits for d; false when ctx was done first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
