package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofrs/flock"
)

// BusyError says that another process held the store's lock for longer than was to be waited.
type BusyError struct {
	Path   string
	Waited time.Duration
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("another ftsca has held the store's lock %s for %s", e.Path, e.Waited)
}

// lockPoll is short beside a command's run, and long beside the time that a lock is held.
const lockPoll = 5 * time.Millisecond

// lock takes the store's lock, which excludes other processes and other goroutines of this one alike. A process that
// dies lets it go. The ledger, once it is opened, stays open until unlock.
func (s *Store) lock(ctx context.Context, wait time.Duration) (unlock func(), err error) {
	path := s.endpoint(lockFile)
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	refused := func(err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			return &BusyError{Path: path, Waited: wait}
		}
		return fmt.Errorf("locking the store: %w", err)
	}
	// Goroutines of this process queue up here: each would else ask the system for the lock every few milliseconds.
	select {
	case s.turn <- struct{}{}:
	case <-waiting.Done():
		return nil, refused(waiting.Err())
	}
	l := flock.New(path)
	if ok, err := l.TryLockContext(waiting, lockPoll); !ok {
		<-s.turn
		return nil, refused(err)
	}
	s.book.hold()
	return func() {
		s.book.release()
		l.Unlock()
		<-s.turn
	}, nil
}
