package main_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ftsca/ftsca/internal/testdevice"
)

// patience bounds what a script waits for. It is no measure of speed: a loaded machine may need some of it.
const patience = 15 * time.Second

// world is what runs beside a script: one endpoint, and devices that play ATAK.
type world struct {
	dir     string
	devices map[string]*testdevice.Device
	ataks   map[string]*atak // devices that have gone over to protobuf
	serve   *exec.Cmd
	logged  *log
	exited  chan error
}

type worldKey struct{}

// log keeps what the endpoint writes to its standard error.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newWorld(e *testscript.Env) *world {
	return &world{dir: e.WorkDir, devices: map[string]*testdevice.Device{}, ataks: map[string]*atak{}}
}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func (w *world) close() {
	for _, d := range w.devices {
		d.Close()
	}
	for _, a := range w.ataks {
		a.close()
	}
	if w.serve != nil {
		w.serve.Process.Kill()
		<-w.exited
	}
}

var listening = regexp.MustCompile(`address"?[=:]"?([^\s",]+)`)

// cmdServe starts ftsca serve on a free port, waits until it listens, and sets ADDR. With !, it must refuse to start;
// its words are in serve.log either way.
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	start(ts, neg, exec.Command(program(ts), serving(args)...))
}

// program is the ftsca that the scripts run.
func program(ts *testscript.TestScript) string {
	found, err := exec.LookPath(filepath.Join(ts.Getenv("TESTSCRIPT_BIN"), "ftsca"))
	if err != nil {
		for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
			if p := filepath.Join(dir, "ftsca"); isFile(p) {
				return p
			}
		}
	}
	return found
}

// serving is what has ftsca serve on a free port.
func serving(args []string) []string {
	return append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)
}

// start starts what becomes ftsca serve.
func start(ts *testscript.TestScript, neg bool, cmd *exec.Cmd) {
	w := worldOf(ts)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "USER", "GORACE", "FTSCA_TEST_NOW", "FTSCA_TEST_NO_ROOT", "FTSCA_STORE"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	stderr, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	logged, ready := &log{}, make(chan string, 1)
	exited := make(chan error, 1)
	go func() {
		lines := bufio.NewReader(stderr)
		for {
			line, err := lines.ReadString('\n')
			logged.mu.Lock()
			logged.text.WriteString(line)
			logged.mu.Unlock()
			if m := listening.FindStringSubmatch(line); m != nil && strings.Contains(line, "listening") {
				ready <- m[1]
			}
			if err != nil {
				io.Copy(io.Discard, stderr)
				exited <- cmd.Wait()
				return
			}
		}
	}()
	select {
	case addr := <-ready:
		w.serve, w.logged, w.exited = cmd, logged, exited
		if neg {
			ts.Fatalf("serve started")
		}
		ts.Setenv("ADDR", addr)
	case err := <-exited:
		ts.Check(os.WriteFile(ts.MkAbs("serve.log"), []byte(logged.String()), 0o600))
		if !neg {
			ts.Fatalf("serve ended: %v\n%s", err, logged)
		}
		if err == nil {
			ts.Fatalf("serve refused to start with exit code 0")
		}
	case <-time.After(patience):
		cmd.Process.Kill()
		ts.Fatalf("serve neither listened nor ended:\n%s", logged)
	}
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// cmdHangup sends the endpoint SIGHUP and waits until it has read everything anew.
func cmdHangup(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	before := strings.Count(w.logged.String(), "reloaded")
	ts.Check(w.serve.Process.Signal(syscall.SIGHUP))
	for end := time.Now().Add(patience); strings.Count(w.logged.String(), "reloaded") == before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("serve did not reload:\n%s", w.logged)
		}
	}
}

// cmdLogs waits until the endpoint's log has a line that matches: logs PATTERN.
func cmdLogs(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: logs PATTERN")
	}
	w := worldOf(ts)
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	for end := time.Now().Add(patience); !pattern.MatchString(w.logged.String()); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("the log has no %s:\n%s", args[0], w.logged)
		}
	}
}

var showing = regexp.MustCompile(`(http://[^/]+)/metrics`)

// cmdFetch gets a path of what serve --metrics shows, until the answer is 200, or with ! anything else, and every pattern
// that follows matches it; it goes to standard output: fetch PATH [PATTERN...]. What serve has seen shows there a moment
// later than at a device.
func cmdFetch(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: fetch PATH [PATTERN...]")
	}
	var patterns []*regexp.Regexp
	for _, arg := range args[1:] {
		pattern, err := regexp.Compile("(?m)" + arg)
		ts.Check(err)
		patterns = append(patterns, pattern)
	}
	w := worldOf(ts)
	at := showing.FindStringSubmatch(w.logged.String())
	if at == nil {
		ts.Fatalf("serve shows no metrics:\n%s", w.logged)
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		answer, err := http.Get(at[1] + args[0])
		ts.Check(err)
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		ts.Check(err)
		missing := slices.IndexFunc(patterns, func(p *regexp.Regexp) bool { return !p.Match(body) })
		if (answer.StatusCode == http.StatusOK) != neg && missing < 0 {
			fmt.Fprint(ts.Stdout(), string(body))
			return
		}
		if time.Now().After(end) {
			if missing >= 0 {
				ts.Fatalf("%s has no %s: %s\n%s", args[0], args[1+missing], answer.Status, body)
			}
			ts.Fatalf("%s: %s\n%s", args[0], answer.Status, body)
		}
	}
}

// cmdHalt ends the endpoint with SIGTERM, or with SIGINT (halt interrupt), which must end it with exit code 0, and writes
// serve.log. (A command of the name stop is testscript's own, and ends the script.)
func cmdHalt(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if w.serve == nil {
		ts.Fatalf("nothing serves")
	}
	end := syscall.SIGTERM
	if len(args) == 1 && args[0] == "interrupt" {
		end = syscall.SIGINT
	}
	ts.Check(w.serve.Process.Signal(end))
	select {
	case err := <-w.exited:
		w.serve = nil
		ts.Check(os.WriteFile(ts.MkAbs("serve.log"), []byte(w.logged.String()), 0o600))
		if err != nil {
			ts.Fatalf("serve ended with %v:\n%s", err, w.logged)
		}
	case <-time.After(patience):
		ts.Fatalf("serve did not end:\n%s", w.logged)
	}
}

// cmdDevice connects a device with what its package says, at the endpoint's address: device NAME PACKAGE. With !, the
// endpoint must turn it away.
func cmdDevice(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: device NAME PACKAGE")
	}
	w := worldOf(ts)
	data, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	pkg, err := testdevice.Open(data)
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	d, err := pkg.Dial(ctx, ts.Getenv("ADDR"))
	if err == nil {
		// In TLS 1.3 a client learns only afterwards that it was refused.
		err = d.Ping(ctx)
	}
	switch {
	case err == nil && neg:
		ts.Fatalf("%s is connected", args[0])
	case err != nil && !neg:
		ts.Fatalf("%s: %v\n%s", args[0], err, w.logged)
	case err == nil:
		w.devices[args[0]] = d
		if a := w.ataks[args[0]]; a != nil {
			a.close()
			delete(w.ataks, args[0])
		}
	case d != nil:
		d.Close()
	}
}

func (w *world) device(ts *testscript.TestScript, name string) *testdevice.Device {
	d := w.devices[name]
	if d == nil {
		ts.Fatalf("there is no device %q", name)
	}
	return d
}

// cmdSends makes a device send: its position (sends NAME position), or a file's bytes (sends NAME FILE).
func cmdSends(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: sends NAME position|FILE")
	}
	w := worldOf(ts)
	if a := w.ataks[args[0]]; a != nil {
		a.sends(ts, args[1])
		return
	}
	d := w.device(ts, args[0])
	if args[1] == "position" {
		ts.Check(d.Send(d.Position("ANDROID-"+args[0], args[0])))
		return
	}
	data, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	ts.Check(d.Send(data))
}

// cmdHears waits until a device receives an event that matches a pattern: hears NAME PATTERN. With !, it checks that
// the device has received none by the time that its next ping is answered.
func cmdHears(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: hears NAME PATTERN")
	}
	w := worldOf(ts)
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	if a := w.ataks[args[0]]; a != nil && !neg {
		a.hears(ts, args[0], pattern)
		return
	}
	d := w.device(ts, args[0])
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if neg {
		ts.Check(d.Send([]byte(`<event version='2.0' uid='` + args[0] + `-ping' type='t-x-c-t' time='2026-01-01T00:00:00Z' start='2026-01-01T00:00:00Z' stale='2026-01-01T00:00:10Z' how='m-g'><point lat='0' lon='0' hae='0' ce='9' le='9'/><detail/></event>`)))
	}
	for {
		event, err := d.Next(ctx)
		if err != nil {
			ts.Fatalf("%s: %v", args[0], err)
		}
		if pattern.Match(event) {
			if neg {
				ts.Fatalf("%s heard %s", args[0], event)
			}
			return
		}
		if neg && strings.Contains(string(event), "t-x-c-t-r") {
			return
		}
	}
}

// cmdCut checks that the endpoint has ended a device's session, or with ! that it has not: cut NAME.
func cmdCut(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: cut NAME")
	}
	w := worldOf(ts)
	if a := w.ataks[args[0]]; a != nil && !neg {
		a.cut(ts, args[0])
		return
	}
	d := w.device(ts, args[0])
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if neg {
		ts.Check(d.Ping(ctx))
		return
	}
	for {
		if _, err := d.Next(ctx); err != nil {
			if ctx.Err() != nil {
				ts.Fatalf("%s is still connected", args[0])
			}
			d.Close()
			delete(w.devices, args[0])
			return
		}
	}
}
