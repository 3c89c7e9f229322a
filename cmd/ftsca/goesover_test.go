package main_test

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ftsca/ftsca/internal/teststream"
)

// atak is a device that has gone over to TAK protocol version 1, as ATAK does.
type atak struct {
	client *teststream.Client
	leave  context.CancelFunc
	ended  chan struct{}

	mu    sync.Mutex
	heard []string // that no script has asked for yet
}

func (a *atak) hear(m teststream.Message) {
	form := "xml"
	if m.Protobuf {
		form = "protobuf"
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.heard = append(a.heard, fmt.Sprintf("%s %s %s %s", form, m.Type, m.UID, m.Callsign))
}

// next is the next message that it has heard, "" where there is none yet: its form (xml or protobuf), type, uid and
// callsign.
func (a *atak) next() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.heard) == 0 {
		return ""
	}
	first := a.heard[0]
	a.heard = a.heard[1:]
	return first
}

func (a *atak) close() {
	a.leave()
	<-a.ended
}

// cmdGoesOver has a device take up the endpoint's offer of TAK protocol version 1, and waits until that is agreed:
// goesover NAME. From then on it sends its position only, and hears has a line for a message: its form, type, uid and
// callsign.
func cmdGoesOver(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: goesover NAME")
	}
	w, name := worldOf(ts), args[0]
	conn, err := w.device(ts, name).Stream()
	ts.Check(err)
	delete(w.devices, name)
	ctx, leave := context.WithCancel(context.Background())
	a := &atak{leave: leave, ended: make(chan struct{})}
	a.client = teststream.New(conn, teststream.Options{UID: "ANDROID-" + name, Callsign: name, Protobuf: true, Heard: a.hear})
	w.ataks[name] = a
	go func() {
		defer close(a.ended)
		// Why it ended the script does not ask: what it waits for does not come then.
		_ = a.client.Run(ctx)
	}()
	for end := time.Now().Add(patience); !a.client.Stats().Protobuf; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("%s did not go over to protobuf:\n%s", name, w.logged)
		}
	}
}

// sends is cmdSends for one that has gone over.
func (a *atak) sends(ts *testscript.TestScript, what string) {
	if what != "position" {
		ts.Fatalf("who has gone over to protobuf sends its position only")
	}
	// The first position goes out at once, and no script takes so long as to see the second.
	a.client.Report(time.Hour)
}

// hears is cmdHears for one that has gone over.
func (a *atak) hears(ts *testscript.TestScript, name string, pattern *regexp.Regexp) {
	for end := time.Now().Add(patience); ; {
		message := a.next()
		if n := a.client.Stats().Garbage; n > 0 {
			ts.Fatalf("%s cannot read %d bytes of what it heard", name, n)
		}
		if message != "" && pattern.MatchString(message) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s has not heard %s", name, pattern)
		}
		if message == "" {
			time.Sleep(time.Millisecond)
		}
	}
}

// cut is cmdCut for one that has gone over.
func (a *atak) cut(ts *testscript.TestScript, name string) {
	select {
	case <-a.ended:
		delete(worldOf(ts).ataks, name)
		a.leave()
	case <-time.After(patience):
		ts.Fatalf("%s is still connected", name)
	}
}
