package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/testdevice"
)

// An endpointBench is ftsca serve on a store, as a process, and the package of a client of it.
type endpointBench struct {
	b       *testing.B
	store   string
	cmd     *exec.Cmd
	address string
	ready   time.Duration // from its start until it had answered a client
	client  *testdevice.Package
	reloads atomic.Int64 // that it has logged
}

// withServer is a store with a server, a client, and so many revocations on its signed list.
func (w workbench) withServer(revocations int) string {
	w.b.Helper()
	store := w.found("ecdsa-p256")
	w.run(w.ftsca, "issue", "server", "localhost", "--key", "ecdsa-p256", "--store", store)
	w.run(w.ftsca, "issue", "client", "alice", "--host", "localhost", "--key", "ecdsa-p256", "--store", store)
	if revocations > 0 {
		w.revokeMany(store, revocations)
	}
	return store
}

func (w workbench) serve(store string) *endpointBench {
	w.b.Helper()
	e := &endpointBench{b: w.b, store: store, cmd: exec.Command(w.ftsca, "serve", "--listen", "127.0.0.1:0", "--store", store, "--allow-root")}
	e.client = w.packageOf(store, "alice")
	talk, err := e.cmd.StderrPipe()
	if err != nil {
		w.b.Fatal(err)
	}
	start := time.Now()
	if err := e.cmd.Start(); err != nil {
		w.b.Fatal(err)
	}
	lines := bufio.NewScanner(talk)
	for e.address == "" && lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil && strings.Contains(lines.Text(), "listening") {
			e.address = m[1]
		}
	}
	if e.address == "" {
		w.b.Fatal("serve did not listen")
	}
	e.connect(e.client).Close()
	e.ready = time.Since(start)
	go func() {
		for lines.Scan() {
			if strings.Contains(lines.Text(), "msg=reloaded") {
				e.reloads.Add(1)
			}
		}
	}()
	return e
}

// packageOf opens a client's package.
func (w workbench) packageOf(store, name string) *testdevice.Package {
	w.b.Helper()
	packages, err := filepath.Glob(filepath.Join(store, "clientPackages", name+"-*.zip"))
	if err != nil || len(packages) != 1 {
		w.b.Fatalf("%v, %v", packages, err)
	}
	client, err := testdevice.Open(w.read(packages[0]))
	if err != nil {
		w.b.Fatal(err)
	}
	return client
}

// end stops the endpoint and returns what it cost, how long it took until it answered, and the most memory that it had.
func (e *endpointBench) end() usage {
	e.b.Helper()
	u := usage{wall: e.ready, cpu: e.cpu(), memory: e.memory()}
	if err := e.cmd.Process.Signal(os.Interrupt); err != nil {
		e.b.Fatal(err)
	}
	_ = e.cmd.Wait() // the pipe is closed under its reader
	return u
}

// memory is the most that the endpoint had at once, in octets.
func (e *endpointBench) memory() int64 {
	e.b.Helper()
	return peak(fmt.Sprintf("/proc/%d/status", e.cmd.Process.Pid))
}

// shake makes so many handshakes, one after the other, and returns how long each took.
func (e *endpointBench) shake(n int) []usage {
	e.b.Helper()
	var took []usage
	for range n {
		start := time.Now()
		d := e.connect(e.client)
		took = append(took, usage{wall: time.Since(start)})
		d.Close()
	}
	return took
}

// connect has a device connect, and returns when the endpoint has answered it.
func (e *endpointBench) connect(client *testdevice.Package) *testdevice.Device {
	e.b.Helper()
	d, err := client.Dial(context.Background(), e.address)
	if err == nil {
		err = d.Ping(context.Background())
	}
	if err != nil {
		e.b.Fatal(err)
	}
	return d
}

// cpu is the CPU time that the endpoint's threads have used, far more finely than the process as a whole tells.
func (e *endpointBench) cpu() time.Duration {
	e.b.Helper()
	var ns int64
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", e.cmd.Process.Pid))
	if err != nil {
		e.b.Fatal(err)
	}
	for _, task := range tasks {
		data, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has just ended
		}
		var one int64
		fmt.Sscan(string(data), &one)
		ns += one
	}
	return time.Duration(ns)
}

// BenchmarkServeStart measures how long an endpoint takes until it answers a client, and what it has in memory at most above
// one with an empty list. The clock says how long, and not the CPU time, which an endpoint that waits for something has none of;
// what others do on this machine meanwhile delays some starts, but not most.
func BenchmarkServeStart(b *testing.B) {
	const starts = 7
	w := newWorkbench(b)
	bare := w.withServer(0)
	for _, of := range []struct {
		certificates, revocations int
		seconds, megabytes        float64
	}{{100_000, 10_000, 0.1, 40}, {0, 100_000, 0.5, 40}, {0, 1_000_000, 4, 250}} {
		b.Run(fmt.Sprintf("certificates=%d/revocations=%d", of.certificates, of.revocations), func(b *testing.B) {
			w := w.sub(b)
			store := w.withServer(of.revocations)
			w.listMany(store, of.certificates)
			for b.Loop() {
				var empty, full []usage
				for range starts {
					empty = append(empty, w.serve(bare).end())
					full = append(full, w.serve(store).end())
				}
				most := func(all []usage) (of int64) {
					for _, u := range all {
						of = max(of, u.memory)
					}
					return of
				}
				b.Logf("until it answers: %s, empty %s; CPU %s, empty %s", spread(full, wall), spread(empty, wall), spread(full, cpu), spread(empty, cpu))
				limit(b, "s", median(full, wall).Seconds(), of.seconds)
				limit(b, "MB", float64(most(full)-most(empty))/1e6, of.megabytes)
			}
		})
	}
}

// listMany has the endpoint's list of certificates name so many more, each with a name and a serial of its own.
func (w workbench) listMany(store string, n int) {
	w.b.Helper()
	name := filepath.Join(store, "endpoint", "issued.jsonl")
	data, err := os.ReadFile(name)
	if err != nil {
		w.b.Fatal(err)
	}
	line := string(data[bytes.LastIndexByte(data[:len(data)-1], '\n')+1:])
	var of struct{ Name, Serial string }
	if err := json.Unmarshal([]byte(line), &of); err != nil {
		w.b.Fatal(err)
	}
	for i := range n {
		data = append(data, strings.NewReplacer(strconv.Quote(of.Name), fmt.Sprintf(`"client-%06d"`, i), of.Serial, w.serial().String()).Replace(line)...)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		w.b.Fatal(err)
	}
}

// BenchmarkHandshakeWithList compares the server's CPU time for a handshake under a list of a hundred thousand with that
// under an empty one, and looks how much longer the slowest handshake takes while such a list is read anew.
func BenchmarkHandshakeWithList(b *testing.B) {
	w := newWorkbench(b)
	empty, full := w.serve(w.withServer(0)), w.serve(w.withServer(100_000))
	defer empty.end()
	defer full.end()
	for b.Loop() {
		const handshakes = 200
		all := race(rounds+1,
			contestant{"empty", func() usage { before := empty.cpu(); empty.shake(handshakes); return usage{cpu: empty.cpu() - before} }},
			contestant{"full", func() usage { before := full.cpu(); full.shake(handshakes); return usage{cpu: full.cpu() - before} }})
		b.Logf("%d handshakes: empty %s, full %s", handshakes, spread(all[0], cpu), spread(all[1], cpu))
		limit(b, "ratio", float64(median(all[1], cpu))/float64(median(all[0], cpu)), 1.05)

		quiet := full.shake(3 * handshakes)
		list := w.read(filepath.Join(full.store, "endpoint", "FTS_CRL.json"))
		rest := bytes.LastIndexByte(list, ']')
		stop, before, written := make(chan struct{}), full.reloads.Load(), 0
		var writing sync.WaitGroup
		writing.Go(func() {
			for ; ; written++ {
				select {
				case <-stop:
					return
				case <-time.After(300 * time.Millisecond):
				}
				// One more entry each time, so that the endpoint tells of it.
				entry := fmt.Sprintf(`,{"serial_number": "%s", "revocation_date": "2026-01-01T00:00:00Z", "reason": "superseded"}`, w.serial())
				list = slices.Insert(list, rest, []byte(entry)...)
				rest += len(entry)
				temporary := filepath.Join(full.store, "endpoint", "new.json")
				if os.WriteFile(temporary, list, 0o644) != nil || os.Rename(temporary, filepath.Join(full.store, "endpoint", "FTS_CRL.json")) != nil {
					b.Error("the list could not be written")
					return
				}
			}
		})
		reloading := full.shake(3 * handshakes)
		close(stop)
		writing.Wait()
		reloads := full.reloads.Load() - before
		if reloads < 2 {
			b.Errorf("the list was written %d times and read anew %d times: nothing was measured", written, reloads)
		}
		b.Logf("%d reloads; a handshake: %s, beside reloads %s; the slowest of hundred %v and %v", reloads, spread(quiet, wall), spread(reloading, wall),
			rounded(quantile(quiet, wall, 0.99)), rounded(quantile(reloading, wall, 0.99)))
		limit(b, "ms-longer", float64(quantile(reloading, wall, 0.99)-quantile(quiet, wall, 0.99))/1e6, 10)
	}
}

// BenchmarkRevokedSessionEnds measures how long a session of somebody who is revoked goes on after the list was changed,
// and that nobody else's ends. It is the file that changes here, as by another hand: what ftsca revoke takes comes before.
func BenchmarkRevokedSessionEnds(b *testing.B) {
	w := newWorkbench(b)
	for _, revocations := range []int{0, 100_000} {
		b.Run(fmt.Sprintf("revocations=%d", revocations), func(b *testing.B) {
			w := w.sub(b)
			store := w.withServer(revocations)
			file := filepath.Join(store, "endpoint", "FTS_CRL.json")
			for b.Loop() {
				var lost []string // who is revoked, stays so
				for range rounds + 1 {
					lost = append(lost, w.name())
					w.run(w.ftsca, "issue", "client", lost[len(lost)-1], "--host", "localhost", "--key", "ecdsa-p256", "--store", store)
				}
				e := w.serve(store)
				stays := e.connect(e.client)
				var took []usage
				for _, name := range lost {
					client := w.packageOf(store, name)
					device := e.connect(client)
					list, err := crl.Parse(w.read(file))
					if err != nil {
						b.Fatal(err)
					}
					list.Add(crl.Entry{Serial: crl.SerialOf(client.Identity.Leaf.SerialNumber), Date: time.Now(), Reason: crl.KeyCompromise})
					if err := os.WriteFile(file+".new", list.Bytes(), 0o644); err != nil {
						b.Fatal(err)
					}
					start := time.Now()
					if err := os.Rename(file+".new", file); err != nil {
						b.Fatal(err)
					}
					for err == nil {
						_, err = device.Next(context.Background())
					}
					took = append(took, usage{wall: time.Since(start)})
					device.Close()
				}
				if err := stays.Ping(context.Background()); err != nil {
					b.Errorf("who is not revoked: %v", err)
				}
				stays.Close()
				e.end()
				b.Logf("a revoked session ends after %s, the slowest of %d after %v", spread(took, wall), len(took), rounded(quantile(took, wall, 1)))
				limit(b, "ms", float64(quantile(took, wall, 1))/1e6, 250)
			}
		})
	}
}
