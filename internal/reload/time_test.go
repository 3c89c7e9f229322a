package reload_test

import (
	"context"
	"crypto/x509"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/ftsca/ftsca/internal/mtls"
	"github.com/ftsca/ftsca/internal/reload"
)

// How long a watcher waits is told here by a clock that stands still while it works: what is measured is its own waiting,
// whatever else the machine does.

// waits follows a folder, has its list written time and again, and returns how long after each writing the list was in
// force. written tells the watcher of a change, as a file system does, or does not.
func waits(t *testing.T, written func(events chan<- fsnotify.Event)) []time.Duration {
	t.Helper()
	f := newFolder(t)
	_, report := f.load()
	now := time.Now() // the clock that stands still stands long before the certificates
	var took []time.Duration
	synctest.Test(t, func(t *testing.T) {
		inForce, events := make(chan time.Time, 10), make(chan fsnotify.Event)
		watcher := &reload.Watcher{
			Now:     func() time.Time { return now },
			OnTrust: func(*mtls.Trust, reload.Report) { inForce <- time.Now() },
			OnError: func(err error) { t.Errorf("got error %v", err) },
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			watcher.RunOn(ctx, report, events)
			close(ended)
		}()
		for i := range 20 {
			time.Sleep(time.Minute + time.Duration(i)*77*time.Millisecond) // at some moment between two looks
			begun := time.Now()
			f.write("FTS_CRL.json", jsonOf([]*x509.Certificate{f.bob, f.carol}[:1+i%2]...))
			written(events)
			select {
			case at := <-inForce:
				took = append(took, at.Sub(begun))
			case <-time.After(time.Hour):
				t.Error("the list is never in force")
			}
		}
		cancel()
		<-ended
	})
	return took
}

// A session that is revoked ends within 250 ms of the change: most of that is for the reading of a long list.
func TestWhatAnEventTellsIsInForceAtOnce(t *testing.T) {
	for name, written := range map[string]func(chan<- fsnotify.Event){
		"one": func(events chan<- fsnotify.Event) { events <- fsnotify.Event{Name: "FTS_CRL.json"} },
		// Somebody who goes on writing puts nothing off.
		"many": func(events chan<- fsnotify.Event) {
			for range 100 {
				events <- fsnotify.Event{Name: "FTS_CRL.json"}
				time.Sleep(5 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, took := range waits(t, written) {
				if took > 50*time.Millisecond {
					t.Errorf("the list was in force %v after its change", took)
				}
			}
		})
	}
}

func TestWhatNoEventTellsIsInForceWithinASecond(t *testing.T) {
	for _, took := range waits(t, func(chan<- fsnotify.Event) {}) {
		if took > time.Second {
			t.Errorf("the list was in force %v after its change", took)
		}
	}
}
