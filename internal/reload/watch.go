package reload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/ftsca/ftsca/internal/mtls"
)

const (
	// gather is how long a look waits for more events after the first: most changes come as several.
	gather = 10 * time.Millisecond
	// grace is how long a fault has to last, with nobody writing, before it is told. A file that is written in place is
	// broken for a moment, and certificate and key cannot be replaced in the same instant.
	grace = 100 * time.Millisecond
	// longGrace is how long it has to last while somebody goes on writing.
	longGrace = time.Second
	// everyLook is short enough that a revocation bites within a second where a folder has no events.
	everyLook = 500 * time.Millisecond
)

// A Watcher follows the endpoint's folder. OnTrust and OnError are required; Run calls them, never two at once.
type Watcher struct {
	// Interval is the time between two looks at the files, for folders without events such as those of other machines.
	// Zero: 500 ms.
	Interval time.Duration
	// Now is the clock. Zero: time.Now.
	Now func() time.Time
	// Trigger, when it yields, has everything read anew, and OnTrust called though nothing changed. Nil: never.
	Trigger <-chan struct{}
	// Asked is called when Trigger has yielded and everything is about to be read anew, and what it returns when all was
	// told. Nil: nobody wants to know.
	Asked func() (done func())
	// OnTrust takes each new trust. The report tells of parts that are still broken.
	OnTrust func(*mtls.Trust, Report)
	// OnError takes what could not be loaded, once for each new content, after OnTrust has had what is good. A fault is
	// over with the next OnTrust whose report has no Broken. A *[WatchError] is no such fault.
	OnError func(error)

	quiet bool // there are no events; only tests have use for that
}

// WatchError says that the folder's events cannot be had. The files are looked at every so often all the same.
type WatchError struct{ Err error }

func (e *WatchError) Error() string {
	return fmt.Sprintf("changes are seen by looking at the files alone: %v", e.Err)
}

// Unwrap returns why there are no events.
func (e *WatchError) Unwrap() error { return e.Err }

// Run follows the folder until ctx is done, and then returns nil. first is what Load returned; what changed since then
// is seen at once. Each Report of Load is good for one Run; with any other report Run returns an error.
func (w *Watcher) Run(ctx context.Context, first Report) error {
	if first.loader == nil {
		return errors.New("watching the endpoint's folder: the report is not one of Load")
	}
	f := w.follower(first)
	folder, err := openFolder(f.loader.files.Dir, w.quiet)
	if err != nil {
		w.OnError(&WatchError{err})
	}
	defer folder.close()
	f.run(ctx, folder)
	return nil
}

// follower is a Watcher at work.
type follower struct {
	*Watcher
	loader *loader

	forced map[string]bool   // files that an event named since the last look
	told   [partCount]string // by part: the fault that OnError has had, "" for none
	doubt  [partCount]doubt  // by part: the fault that it has not had yet
}

// doubt is a fault that may be over in a moment.
type doubt struct {
	key            string
	begun, written time.Time
}

func (w *Watcher) follower(first Report) *follower {
	f := &follower{Watcher: w, loader: first.loader, forced: map[string]bool{}}
	if f.Now == nil {
		f.Now = time.Now
	}
	if f.Asked == nil {
		f.Asked = func() func() { return func() {} }
	}
	return f
}

// over tells whether the fault has lasted long enough to be believed.
func (d doubt) over(now time.Time) bool {
	return now.Sub(d.written) >= grace || now.Sub(d.begun) >= longGrace
}

func (f *follower) run(ctx context.Context, folder *folder) {
	interval := f.Interval
	if interval <= 0 {
		interval = everyLook
	}
	poll := time.NewTicker(interval)
	defer poll.Stop()
	soon := time.NewTimer(0) // what changed since Load
	defer soon.Stop()
	waiting := true
	events := 0
	trigger := f.Trigger
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-folder.events:
			f.forced[filepath.Base(e.Name)] = true
			if events++; events == 1 {
				waiting = true
				soon.Reset(gather)
			}
			continue
		case <-folder.errors:
			// Events were lost. Which ones, nobody knows.
			f.forceAll()
		case _, open := <-trigger:
			if !open {
				trigger = nil
				continue
			}
			done := f.Asked()
			f.forceAll()
			f.told = [partCount]string{}
			f.look(true)
			done()
			continue
		case <-soon.C:
			waiting = false
		case <-poll.C:
			folder.refresh()
		}
		events = 0
		if f.look(false) && !waiting {
			waiting = true
			soon.Reset(grace)
		}
	}
}

func (f *follower) forceAll() {
	for name := range f.loader.sources {
		f.forced[name] = true
	}
}

// look loads what changed and tells of it. It returns whether there is something that another look should confirm. asked
// has everything told, at once.
func (f *follower) look(asked bool) (doubtful bool) {
	changed := f.loader.look(f.Now(), func(name string) bool { return f.forced[name] })
	clear(f.forced)
	if asked || f.loader.members.settled() {
		changed = f.loader.members.take() || changed
	}
	doubtful = f.loader.members.next != nil
	var fresh, standing []error
	healed, now := false, time.Now() // the real time: a clock that is set does not prolong a fault
	for i, p := range f.loader.parts() {
		d := &f.doubt[i]
		if p.key != d.key {
			*d = doubt{key: p.key, begun: now}
		}
		if p.touched || d.written.IsZero() {
			d.written = now
		}
		switch {
		case p.err == nil:
			healed = healed || f.told[i] != ""
			f.told[i] = ""
		case p.key == f.told[i]:
			standing = append(standing, p.err)
		case asked || d.over(now):
			f.told[i] = p.key
			fresh = append(fresh, p.err)
		default:
			doubtful = true
			if f.told[i] != "" {
				standing = append(standing, p.err) // one fault after another is no recovery
			}
		}
	}
	if changed || healed || asked {
		trust, report := f.loader.picture(f.Now())
		report.Broken = append(standing, fresh...)
		f.OnTrust(trust, report)
	}
	for _, err := range fresh {
		f.OnError(err)
	}
	return doubtful
}

// folder is where the events of a folder come from. The zero folder has none.
type folder struct {
	dir     string
	info    fs.FileInfo // of the folder that is watched
	watcher *fsnotify.Watcher
	events  chan fsnotify.Event
	errors  chan error
}

func openFolder(dir string, quiet bool) (*folder, error) {
	f := &folder{dir: dir}
	if quiet {
		return f, nil
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return f, err
	}
	info, err := os.Stat(dir)
	if err == nil {
		err = watcher.Add(dir)
	}
	if err != nil {
		_ = watcher.Close()
		return f, err
	}
	f.info, f.watcher, f.events, f.errors = info, watcher, watcher.Events, watcher.Errors
	return f, nil
}

// refresh watches the folder that now has the name, if it is another one.
func (f *folder) refresh() {
	if f.watcher == nil {
		return
	}
	info, err := os.Stat(f.dir)
	if err != nil || os.SameFile(info, f.info) {
		return
	}
	_ = f.watcher.Remove(f.dir)
	if f.watcher.Add(f.dir) == nil {
		f.info = info
	}
}

func (f *folder) close() {
	if f.watcher != nil {
		_ = f.watcher.Close()
	}
}
