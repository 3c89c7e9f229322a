package main_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// rounds is how often each of the programs that are held against each other runs. They take turns, so that whatever else
// the machine does befalls all of them alike.
const rounds = 10

// workbench runs the program as it is built for people, and others beside it, and measures what a process costs.
//
// It lies in memory where there is room, and on a disk where TMPDIR names one. What a disk adds is small, the syncing of
// files mostly, but can grow out of all proportion: an ext4 without a journal gives away no inode that was freed within
// the last minutes, and looks on for another. Beside builds and tests of Go, which remove files by the thousand, that is
// a third of what ftsca costs.
type workbench struct {
	b      *testing.B
	folder string
	ftsca  string
	names  *atomic.Int64
}

func newWorkbench(b *testing.B) workbench {
	b.Helper()
	w := workbench{b: b, folder: folder(b), names: new(atomic.Int64)}
	w.ftsca = w.build(".")
	return w
}

func folder(b *testing.B) string {
	b.Helper()
	memory := memoryFolder()
	if os.Getenv("TMPDIR") != "" || memory == "" {
		return b.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "ftsca-bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			b.Error(err)
		}
	})
	return dir
}

// sub is the workbench of a benchmark within this one.
func (w workbench) sub(b *testing.B) workbench {
	w.b = b
	return w
}

// name returns a name that is not in use.
func (w workbench) name() string { return fmt.Sprintf("name-%d", w.names.Add(1)) }

// build builds a program without cgo, as make build does.
func (w workbench) build(pkg string) string {
	w.b.Helper()
	program := w.path("program-" + filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-trimpath", "-o", program, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		w.b.Fatalf("%v\n%s", err, out)
	}
	return program
}

func (w workbench) path(name string) string { return filepath.Join(w.folder, name) }

// found makes a store under an authority whose key is in clear.
func (w workbench) found(key string) string {
	w.b.Helper()
	store := w.path(w.name())
	w.run(w.ftsca, "init", "--name", "Bench CA", "--no-passphrase", "--key", key, "--store", store)
	return store
}

// copied is a store like another, for one run: what is removed before the next would cost that one, too.
func (w workbench) copied(store string) string {
	w.b.Helper()
	copied := w.path(w.name())
	err := filepath.WalkDir(store, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		to := filepath.Join(copied, strings.TrimPrefix(path, store))
		if d.IsDir() {
			return os.Mkdir(to, info.Mode().Perm())
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, info.Mode().Perm())
	})
	if err != nil {
		w.b.Fatal(err)
	}
	return copied
}

// issue issues a P-256 client.
func (w workbench) issue(store string) usage {
	w.b.Helper()
	return w.run(w.ftsca, "issue", "client", w.name(), "--host", "h.example.org", "--key", "ecdsa-p256", "--store", store)
}

// usage is what a process cost.
type usage struct {
	cpu, wall time.Duration
	memory    int64 // octets, the most that it had at once; 0 where the system does not tell
}

func (w workbench) run(program string, args ...string) usage {
	w.b.Helper()
	return w.runTo(io.Discard, program, args...)
}

func (w workbench) runTo(out io.Writer, program string, args ...string) usage {
	w.b.Helper()
	var talk bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = out, &talk
	start := time.Now()
	if err := cmd.Start(); err != nil {
		w.b.Fatal(err)
	}
	memory := watchMemory(cmd.Process.Pid)
	if err := cmd.Wait(); err != nil {
		w.b.Fatalf("%v\n%s", err, talk.Bytes())
	}
	u := usage{cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), wall: time.Since(start)}
	u.memory = memory()
	return u
}

// contestant is one of those that are measured side by side.
type contestant struct {
	name string
	run  func() usage
}

// race has the contestants take turns, and returns what each cost, in their order.
func race(rounds int, contestants ...contestant) [][]usage {
	all := make([][]usage, len(contestants))
	for range rounds {
		for i, c := range contestants {
			all[i] = append(all[i], c.run())
		}
	}
	return all
}

func cpu(u usage) time.Duration  { return u.cpu }
func wall(u usage) time.Duration { return u.wall }

// lesser is how long a process takes: by the clock, where it has the cores for itself, and two that work side by side
// count once; by its CPU time, where others had them meanwhile. They are not held to have had them for more than half of
// the time: else whoever sleeps, or waits for a lock, would take no time at all.
func lesser(u usage) time.Duration { return min(u.wall, max(u.cpu, u.wall/2)) }

// median of what was measured.
func median(all []usage, of func(usage) time.Duration) time.Duration { return quantile(all, of, 0.5) }

func quantile(all []usage, of func(usage) time.Duration, q float64) time.Duration {
	var values []time.Duration
	for _, u := range all {
		values = append(values, of(u))
	}
	slices.Sort(values)
	return values[int(q*float64(len(values)-1)+0.5)]
}

// spread is the middle half of what was measured, for people.
func spread(all []usage, of func(usage) time.Duration) string {
	return fmt.Sprintf("%v [%v, %v]", rounded(median(all, of)), rounded(quantile(all, of, 0.25)), rounded(quantile(all, of, 0.75)))
}

func rounded(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

// limit reports a figure beside the most that it may be, and fails where it is more. The time of a benchmark as a whole
// says nothing here.
func limit(b *testing.B, unit string, got, most float64) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(got, unit)
	b.ReportMetric(most, unit+"-bar")
	if got > most {
		b.Errorf("%.3f %s are more than the %.3f of the bar", got, unit, most)
	}
}
