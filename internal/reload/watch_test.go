package reload_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/mtls"
	"github.com/ftsca/ftsca/internal/reload"
	"github.com/ftsca/ftsca/internal/testpki"
)

// patience bounds what hangs; it measures nothing.
const patience = 20 * time.Second

// watch is a watcher at work on a folder, and all that it told.
type watch struct {
	*folder
	trigger chan struct{}

	mu      sync.Mutex
	trust   *mtls.Trust
	report  reload.Report
	trusts  int
	errs    []error
	asked   []string      // what came when the trigger yielded
	changed chan struct{} // yields after each word of the watcher
}

// follow starts a watcher. Without events it looks at the files every few milliseconds.
func follow(f *folder, events bool) *watch {
	f.t.Helper()
	trust, report := f.load()
	return followFrom(f, events, trust, report)
}

func followFrom(f *folder, events bool, trust *mtls.Trust, report reload.Report) *watch {
	f.t.Helper()
	w := &watch{folder: f, trust: trust, report: report, trigger: make(chan struct{}), changed: make(chan struct{}, 1)}
	told := func(tell func()) {
		w.mu.Lock()
		tell()
		w.mu.Unlock()
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
	watcher := &reload.Watcher{
		Interval: time.Hour,
		Trigger:  w.trigger,
		OnTrust: func(t *mtls.Trust, r reload.Report) {
			told(func() { w.trust, w.report, w.trusts, w.asked = t, r, w.trusts+1, append(w.asked, "trust") })
		},
		Asked: func() func() {
			told(func() { w.asked = []string{"asked"} })
			return func() { told(func() { w.asked = append(w.asked, "done") }) }
		},
		OnError: func(err error) { told(func() { w.errs, w.asked = append(w.errs, err), append(w.asked, "error") }) },
	}
	if !events {
		watcher.Interval = 20 * time.Millisecond
		watcher.WithoutEvents()
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- watcher.Run(ctx, report) }()
	f.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			f.t.Errorf("the watcher ended with: %v", err)
		}
	})
	return w
}

// until waits for what the watcher told to satisfy a condition.
func (w *watch) until(what string, reached func() bool) {
	w.t.Helper()
	deadline := time.After(patience)
	for {
		w.mu.Lock()
		ok := reached()
		w.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-w.changed:
		case <-deadline:
			w.mu.Lock()
			defer w.mu.Unlock()
			w.t.Fatalf("not reached: %s; revoked %q, %d trusts, errors %v", what, w.revokedBy(w.trust), w.trusts, w.errs)
		}
	}
}

// untilRevoked waits until exactly these clients are refused.
func (w *watch) untilRevoked(certs ...*x509.Certificate) {
	w.t.Helper()
	w.until("revoked "+names(certs), func() bool { return w.revokedBy(w.trust) == names(certs) })
}

// untilError waits for one more error, and returns it with the folder's name taken out.
func (w *watch) untilError(n int) string {
	w.t.Helper()
	w.until(fmt.Sprintf("error %d", n), func() bool { return len(w.errs) >= n })
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.errs) > n {
		w.t.Errorf("got errors %v, want %d", w.errs, n)
	}
	return strings.ReplaceAll(w.errs[n-1].Error(), w.dir, "DIR")
}

func (w *watch) errors() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.errs
}

// eachWay runs a test with and without events of the file system.
func eachWay(t *testing.T, test func(*testing.T, bool)) {
	for name, events := range map[string]bool{"by events": true, "by looking": false} {
		t.Run(name, func(t *testing.T) { test(t, events) })
	}
}

func TestListEditedInPlaceIsInForce(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		w := follow(newFolder(t), events)
		w.write("FTS_CRL.json", jsonOf(w.bob))
		w.untilRevoked(w.bob)
		w.write("FTS_CRL.json", jsonOf(w.bob, w.carol))
		w.untilRevoked(w.bob, w.carol)
	})
}

func TestListReplacedByRenameIsInForce(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		w := follow(newFolder(t), events)
		w.replace("FTS_CRL.json", jsonOf(w.bob))
		w.untilRevoked(w.bob)
		w.replace("FTS_CRL.json", jsonOf(w.bob, w.carol))
		w.untilRevoked(w.bob, w.carol)
	})
}

func TestListOfTheSameLengthAndTimeIsInForce(t *testing.T) {
	// What a file system that keeps times to two seconds shows of two edits.
	f := newFolder(t)
	one, two := jsonOf(f.bob), bytes.Replace(jsonOf(f.bob), []byte("0b0b"), []byte("0ca4"), 1)
	w := follow(f, false)
	w.write("FTS_CRL.json", one)
	w.untilRevoked(w.bob)
	info, err := os.Stat(w.path("FTS_CRL.json"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(w.path("FTS_CRL.json"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(two, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(w.path("FTS_CRL.json"), time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	w.until("the other serial", func() bool { return serials(w.report.Entries) == "0b0b 0ca4" })
}

func TestChangeBetweenLoadAndRunIsSeen(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		f := newFolder(t)
		trust, report := f.load()
		f.replace("FTS_CRL.json", jsonOf(f.bob))
		followFrom(f, events, trust, report).untilRevoked(f.bob)
	})
}

func TestEveryFileOfRevocationsIsFollowed(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		w := follow(newFolder(t), events)
		w.replace("FTS_CRL.pem", signedBy(t, w.issuing, nextYear, w.alice))
		w.untilRevoked(w.alice)
		w.replace(".FTS_CRL.last", jsonOf(w.bob))
		w.untilRevoked(w.alice, w.bob)
		w.replace("ca.pem", append(testpki.CertPEM(w.issuing.Cert, w.root.Cert),
			signedBy(t, w.issuing, nextYear, w.carol)...))
		w.untilRevoked(w.alice, w.bob, w.carol)
		w.until("all vanished", func() bool { return len(w.report.Vanished) == 3 })
		w.replace("FTS_CRL.json", jsonOf(w.alice, w.bob, w.carol))
		w.until("none vanished", func() bool { return len(w.report.Vanished) == 0 })
		w.mustJudge(w.trust, w.alice, w.bob, w.carol)
	})
}

func TestEntryThatVanishesStaysInForce(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		f := newFolder(t)
		f.write("FTS_CRL.json", jsonOf(f.bob))
		w := follow(f, events)
		// The documents' own script reads the list, and writes it back without what came in between.
		w.write("FTS_CRL.json", jsonOf(w.carol))
		w.untilRevoked(w.bob, w.carol)
		w.until("bob has vanished", func() bool { return serials(w.report.Vanished) == "0b0b" })
		w.write("FTS_CRL.json", jsonOf(w.bob, w.carol))
		w.until("bob is back", func() bool { return len(w.report.Vanished) == 0 })
		w.mustJudge(w.trust, w.bob, w.carol)
	})
}

func TestBrokenListKeepsTheOldOne(t *testing.T) {
	whole := func(w *watch) []byte { return jsonOf(w.bob, w.carol) }
	tests := []struct {
		name  string
		spoil func(*watch)
		err   string
	}{
		{"half-written", func(w *watch) { w.write("FTS_CRL.json", whole(w)[:len(whole(w))/2]) }, "line "},
		{"truncated", func(w *watch) { w.write("FTS_CRL.json", nil) }, "line "},
		{"a typo", func(w *watch) {
			w.replace("FTS_CRL.json", bytes.Replace(whole(w), []byte(":"), []byte(";"), 1))
		}, "line "},
		{"deleted", func(w *watch) { w.remove("FTS_CRL.json") }, "stat DIR/FTS_CRL.json: no such file or directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachWay(t, func(t *testing.T, events bool) {
				f := newFolder(t)
				f.write("FTS_CRL.json", jsonOf(f.bob))
				w := follow(f, events)
				test.spoil(w)
				start := "the revocation list DIR/FTS_CRL.json cannot be used: " + test.err
				if got := w.untilError(1); !strings.HasPrefix(got, start) {
					t.Errorf("got error  %q\nwant error %q…", got, start)
				}
				w.mu.Lock()
				w.mustJudge(w.trust, w.bob)
				w.mu.Unlock()
				// Others still count.
				w.replace("FTS_CRL.pem", signedBy(t, w.issuing, nextYear, w.alice))
				w.untilRevoked(w.alice, w.bob)
				w.until("it is told as broken", func() bool { return len(w.report.Broken) == 1 })
				// Mended.
				w.write("FTS_CRL.json", whole(w))
				w.untilRevoked(w.alice, w.bob, w.carol)
				w.until("it is whole", func() bool { return len(w.report.Broken) == 0 })
				if n := len(w.errors()); n != 1 {
					t.Errorf("got %d errors: %v", n, w.errs)
				}
			})
		})
	}
}

func TestListReplacedByAFolderKeepsTheOldOne(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		f := newFolder(t)
		f.write("FTS_CRL.json", jsonOf(f.bob))
		w := follow(f, events)
		w.remove("FTS_CRL.json")
		if err := os.Mkdir(w.path("FTS_CRL.json"), 0o700); err != nil {
			t.Fatal(err)
		}
		// On a busy machine, the moment between the two is a fault of its own.
		w.until("it is told", func() bool {
			return slices.ContainsFunc(w.errs, func(err error) bool {
				return strings.HasSuffix(err.Error(), "FTS_CRL.json is not a regular file (ftsca crl repair mends it)")
			})
		})
		w.mu.Lock()
		w.mustJudge(w.trust, w.bob)
		w.mu.Unlock()
		// Others still count.
		w.replace("FTS_CRL.pem", signedBy(t, w.issuing, nextYear, w.alice))
		w.untilRevoked(w.alice, w.bob)
		w.until("it is told as broken", func() bool { return len(w.report.Broken) == 1 })
		w.remove("FTS_CRL.json")
		w.write("FTS_CRL.json", jsonOf(w.bob, w.carol))
		w.untilRevoked(w.alice, w.bob, w.carol)
		w.until("it is whole", func() bool { return len(w.report.Broken) == 0 })
	})
}

func TestListMendedWithItsOldContentIsTold(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		w := follow(newFolder(t), events)
		old := jsonOf()
		w.write("FTS_CRL.json", []byte("{"))
		w.untilError(1)
		w.write("FTS_CRL.json", []byte("{ "))
		w.untilError(2)
		w.write("FTS_CRL.json", old)
		w.until("a trust that says so", func() bool { return w.trusts == 1 && len(w.report.Broken) == 0 })
	})
}

func TestBurstOfChangesEndsWithTheLast(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		w := follow(newFolder(t), events)
		list := []*x509.Certificate{w.bob}
		for range 20 {
			list = append(list, w.issuing.Client(t, "somebody").Leaf)
			w.replace("FTS_CRL.json", jsonOf(list...))
			w.write("issued.jsonl", []byte("{}\n"))
		}
		w.until("the last of them", func() bool { return len(w.report.Entries) == 21 })
		w.mu.Lock()
		defer w.mu.Unlock()
		w.mustJudge(w.trust, w.bob)
		if len(w.errs) > 0 {
			t.Errorf("got errors %v", w.errs)
		}
		if w.trusts > 21 {
			t.Errorf("%d trusts of 20 changes", w.trusts)
		}
	})
}

func TestFaultOfAMomentIsNotTold(t *testing.T) {
	f := newFolder(t)
	w := follow(f, true)
	var slowest time.Duration
	for range 5 {
		begun := time.Now()
		w.write("FTS_CRL.json", []byte("{"))
		time.Sleep(15 * time.Millisecond) // a writer that is slow
		w.write("FTS_CRL.json", jsonOf(w.bob))
		slowest = max(slowest, time.Since(begun))
	}
	w.untilRevoked(w.bob)
	// On a machine so loaded that the writer took longer, the fault was not one of a moment.
	if errs := w.errors(); len(errs) > 0 && slowest < 50*time.Millisecond {
		t.Errorf("got errors %v", errs)
	}
}

func TestServerCertificateIsReplaced(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		w := follow(newFolder(t), events)
		next := w.issuing.Server(t, "localhost")
		w.serve(next) // certificate first, then the key
		w.until("the new certificate", func() bool { return w.trust.Certificate.Leaf.Equal(next.Leaf) })
		if errs := w.errors(); len(errs) > 0 {
			t.Errorf("got errors %v", errs)
		}
	})
}

func TestBrokenServerCertificateHoldsUpNoRevocation(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		w := follow(newFolder(t), events)
		w.write("server.key", []byte("x"))
		if got, want := w.untilError(1), "the server's key: server.key is no key"; got != want {
			t.Errorf("got error %q, want %q", got, want)
		}
		w.write("FTS_CRL.json", jsonOf(w.bob))
		w.untilRevoked(w.bob)
		w.mu.Lock()
		if !w.trust.Certificate.Leaf.Equal(w.server.Leaf) {
			t.Error("the old certificate is not in force")
		}
		w.mu.Unlock()
		w.until("it is told as broken", func() bool { return len(w.report.Broken) == 1 })
		w.serve(w.server)
		w.until("it is whole", func() bool { return len(w.report.Broken) == 0 })
	})
}

func TestServerCertificateThatExpiresHoldsUpNoRevocation(t *testing.T) {
	f := newFolder(t)
	var clock atomic.Pointer[time.Time]
	now := time.Now()
	clock.Store(&now)
	trust, report := f.load()
	told := make(chan *mtls.Trust, 10)
	watcher := &reload.Watcher{
		Now:     func() time.Time { return *clock.Load() },
		OnTrust: func(t *mtls.Trust, _ reload.Report) { told <- t },
		OnError: func(err error) { t.Errorf("got error %v", err) },
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- watcher.Run(ctx, report) }()
	late := trust.Certificate.Leaf.NotAfter.Add(time.Hour)
	clock.Store(&late)
	f.replace("FTS_CRL.json", jsonOf(f.bob))
	select {
	case trust = <-told:
		f.mustJudge(trust, f.bob)
	case <-time.After(patience):
		t.Error("the revocation was not seen")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestNewCAIsTakenIn(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		f := newFolder(t)
		next := f.root.Issuing(t, "Next CA")
		f.write("FTS_CRL.pem", signedBy(t, next, nextYear, f.bob)) // foreign for now
		w := follow(f, events)
		w.mustJudge(w.trust)
		w.replace("ca.pem", testpki.CertPEM(next.Cert, w.issuing.Cert, w.root.Cert))
		w.until("the new issuer", func() bool { return names(w.trust.Issuers) == "Next CA Valley CA" })
		w.mu.Lock()
		defer w.mu.Unlock()
		if got := serials(w.report.Entries); got != "0b0b" {
			t.Errorf("in force is %q: the signed list is not foreign any more", got)
		}
		if !w.trust.Revocations.Revoked(next.Cert, w.bob.SerialNumber) ||
			w.trust.Revocations.Revoked(w.issuing.Cert, w.bob.SerialNumber) {
			t.Error("the new CA's list is in force for its own clients alone")
		}
		mustWarn(t, w.report)
	})
}

func TestBrokenCAsKeepTheOldOnes(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		w := follow(newFolder(t), events)
		w.write("ca.pem", []byte("nothing"))
		if got, want := w.untilError(1), "the CAs in DIR/ca.pem: there is no CA's certificate in it"; got != want {
			t.Errorf("got error %q, want %q", got, want)
		}
		w.replace("FTS_CRL.pem", signedBy(t, w.issuing, nextYear, w.bob))
		w.untilRevoked(w.bob)
		if got := names(w.trust.Issuers); got != "Valley CA" {
			t.Errorf("issuers are %q", got)
		}
	})
}

func TestNewFaultOfASignedListIsWarnedOf(t *testing.T) {
	eachWay(t, func(t *testing.T, events bool) {
		w := follow(newFolder(t), events)
		w.write("FTS_CRL.pem", []byte("nothing"))
		w.until("a warning", func() bool { return len(w.report.Warnings) == 1 })
		w.write("FTS_CRL.pem", signedBy(t, w.issuing, nextYear))
		w.until("no warning", func() bool { return len(w.report.Warnings) == 0 })
		if errs := w.errors(); len(errs) > 0 {
			t.Errorf("got errors %v", errs)
		}
	})
}

func TestTriggerReadsEverythingAndTells(t *testing.T) {
	f := newFolder(t)
	w := follow(f, true)
	w.trigger <- struct{}{}
	w.until("a trust though nothing changed", func() bool { return w.trusts == 1 && slices.Equal(w.asked, []string{"asked", "trust", "done"}) })
	w.write("FTS_CRL.json", []byte("{"))
	w.untilError(1)
	w.trigger <- struct{}{}
	w.untilError(2)
	w.until("told as broken", func() bool { return w.trusts == 2 && len(w.report.Broken) == 1 })
	w.until("done", func() bool { return slices.Equal(w.asked, []string{"asked", "trust", "error", "done"}) })
	close(w.trigger)
}

func TestNothingIsToldWhenNothingChanges(t *testing.T) {
	w := follow(newFolder(t), false)
	w.write("FTS_CRL.json", jsonOf())
	w.replace("FTS_CRL.json", jsonOf())
	w.write("issued.jsonl", []byte("{}\n"))
	time.Sleep(300 * time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trusts > 0 || len(w.errs) > 0 {
		t.Errorf("%d trusts, errors %v", w.trusts, w.errs)
	}
}

func TestFolderThatIsReplacedIsFollowed(t *testing.T) {
	// As when a new endpoint room is carried to the machine and renamed into place.
	parent := t.TempDir()
	f := newFolder(t)
	next := *f
	next.dir = t.TempDir()
	next.serve(f.server)
	next.write("ca.pem", testpki.CertPEM(f.issuing.Cert, f.root.Cert))
	next.write("FTS_CRL.json", jsonOf(f.bob))
	room := filepath.Join(parent, "endpoint")
	if err := os.Rename(f.dir, room); err != nil {
		t.Fatal(err)
	}
	f.dir = room
	trust, report := f.load()
	told := make(chan *mtls.Trust, 10)
	watcher := &reload.Watcher{
		Interval: 50 * time.Millisecond,
		OnTrust:  func(t *mtls.Trust, _ reload.Report) { told <- t },
		OnError:  func(error) {},
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- watcher.Run(ctx, report) }()
	defer func() { cancel(); <-ended }()
	if err := os.Rename(room, room+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next.dir, room); err != nil {
		t.Fatal(err)
	}
	wait := func(certs ...*x509.Certificate) {
		t.Helper()
		for deadline := time.After(patience); f.revokedBy(trust) != names(certs); {
			select {
			case trust = <-told:
			case <-deadline:
				t.Fatalf("revoked are %q, want %q", f.revokedBy(trust), names(certs))
			}
		}
	}
	wait(f.bob)
	f.replace("FTS_CRL.json", jsonOf(f.bob, f.carol))
	wait(f.bob, f.carol)
}

func TestFolderThatCannotBeWatchedIsLookedAt(t *testing.T) {
	f := newFolder(t)
	_, report := f.load()
	if err := os.Rename(f.dir, f.dir+".away"); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 10)
	watcher := &reload.Watcher{OnTrust: func(*mtls.Trust, reload.Report) {}, OnError: func(err error) { errs <- err }}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- watcher.Run(ctx, report) }()
	var unwatched *reload.WatchError
	if err := <-errs; !errors.As(err, &unwatched) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRunWantsAReportOfLoad(t *testing.T) {
	err := new(reload.Watcher).Run(t.Context(), reload.Report{})
	if err == nil || err.Error() != "watching the endpoint's folder: the report is not one of Load" {
		t.Errorf("got %v", err)
	}
}
