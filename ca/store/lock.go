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
// dies lets it go.
func (s *Store) lock(ctx context.Context, wait time.Duration) (unlock func(), err error) {
	path := s.endpoint(lockFile)
	l := flock.New(path)
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	ok, err := l.TryLockContext(waiting, lockPoll)
	switch {
	case ok:
		return func() { l.Unlock() }, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &BusyError{Path: path, Waited: wait}
	}
	return nil, fmt.Errorf("locking the store: %w", err)
}
