package reload

import (
	"context"

	"github.com/fsnotify/fsnotify"
)

// WithoutEvents has w look at the files alone, as in a folder whose file system tells of no change.
func (w *Watcher) WithoutEvents() { w.quiet = true }

// RunOn is Run with the events that a test sends, in the place of those of the file system.
func (w *Watcher) RunOn(ctx context.Context, first Report, events chan fsnotify.Event) {
	w.follower(first).run(ctx, &folder{events: events})
}
