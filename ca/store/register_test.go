package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

func hexOf(e ca.Entry) string { return crl.SerialOf(e.Certificate.SerialNumber).String() }

// mustKnow wants a serial known as that generation; 0: unknown.
func mustKnow(t *testing.T, r *store.Register, serial string, want int) {
	t.Helper()
	if got, known := r.Generation(serial); got != want || known != (want > 0) {
		t.Errorf("%s is generation %d, %v; want %d", serial, got, known, want)
	}
}

func TestRegisterKnowsGenerationsAndNames(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, second, bob := d.issue("alice"), d.issue("alice"), d.issue("Zoë")
	r := d.Register()
	if got := r.Unknown([]string{"alice"}); got != nil {
		t.Errorf("before anything is read, %q is called unknown", got)
	}
	if err := r.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustKnow(t, r, hexOf(first), 1)
	mustKnow(t, r, hexOf(second), 2)
	mustKnow(t, r, hexOf(bob), 1)
	for _, none := range []string{"", "0", "00", "abc", "zz", hexOf(first)[2:], "00" + hexOf(first)[2:], strings.Repeat("ab", 21)} {
		mustKnow(t, r, none, 0)
	}
	if got := r.Unknown([]string{"Alice", "alice", "Zoë", "zoë", "carol"}); !slices.Equal(got, []string{"Alice", "zoë", "carol"}) {
		t.Errorf("unknown are %q", got)
	}
}

func TestRegisterReadsOnWhenItIsAskedForWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.Register()
	first := d.issue("alice")
	mustKnow(t, r, hexOf(first), 1) // nobody has loaded it yet
	second := d.issue("alice")
	mustKnow(t, r, hexOf(second), 2)
	mustKnow(t, r, hexOf(first), 1)
}

// line is one of the endpoint's list.
func line(name string, generation int, serial string) string {
	return fmt.Sprintf(`{"name":%q,"generation":%d,"purpose":"client","serial":%q,"issuer":"0a","not_before":"2026-05-31T12:00:00Z"}`, name, generation, serial)
}

func TestRegisterTakesTheListAsItIs(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	path := filepath.Join(d.Endpoint(), "issued.jsonl")
	write := func(parts ...string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(strings.Join(parts, "")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	replace := func(parts ...string) {
		t.Helper()
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		write(parts...)
	}
	a, b, c, e := line("alice", 1, "0a")+"\n", line("bob", 7, "0b")+"\n", line("carol", 300, "0c")+"\n", line("eve", 2, "0e")+"\n"
	long := `{"name":"` + strings.Repeat("x", 100_000) + `","generation":1,"serial":"ff"}` + "\n"
	tests := []struct {
		name  string
		write func()
		known map[string]int // after it
	}{
		{"none is there", func() { _ = os.Remove(path) }, map[string]int{"0a": 0}},
		{"a line that is in the making", func() { replace(a, b[:len(b)/2]) }, map[string]int{"0a": 1, "0b": 0}},
		{"and made", func() { write(a, b) }, map[string]int{"0a": 1, "0b": 7}},
		{"the last one without its end", func() { write(a, b, strings.TrimSuffix(c, "\n")) }, map[string]int{"0c": 300}},
		{"and with it", func() { write(a, b, c, e) }, map[string]int{"0e": 2}},
		{"another file", func() { replace(line("dan", 3, "0d") + "\n") }, map[string]int{"0d": 3, "0a": 1}},
		{"written anew in its place, shorter", func() { write(line("f", 4, "0f") + "\n") }, map[string]int{"0f": 4}},
		{"written anew in its place, longer", func() { write("# ", line("g", 4, "12")+"\n", line("h", 5, "11"), "\n") }, map[string]int{"11": 5, "12": 0}},
		{"lines that say nothing", func() {
			replace("\n", "{}\n", "[1]\n", `{"name":"x","generation":0,"serial":"21"}`+"\n", `{"name":"x","generation":-1,"serial":"21"}`+"\n",
				`{"name":"x","generation":1,"serial":"2"}`+"\n", `{"name":"x","generation":1,"serial":"zz"}`+"\n", "\x00\xff\n", line("ann", 1, "22")+"\n")
		}, map[string]int{"21": 0, "22": 1}},
		{"a line that is too long", func() { replace(long, line("ann", 1, "23")+"\n") }, map[string]int{"ff": 0, "23": 1}},
		{"one too long that has no end", func() { replace(line("ann", 1, "24")+"\n", long[:90_000]) }, map[string]int{"24": 1, "ff": 0}},
		{"and what comes behind it", func() { write(line("ann", 1, "24")+"\n", long, line("ann", 2, "25"), "\n") }, map[string]int{"25": 2, "ff": 0}},
		{"two lines for a serial", func() { replace(line("ann", 1, "26"), "\n", line("ann", 2, "26"), "\n") }, map[string]int{"26": 1}},
		{"twenty octets", func() { replace(line("ann", 9, strings.Repeat("ab", 20)), "\n") }, map[string]int{strings.Repeat("ab", 20): 9, strings.Repeat("ab", 19): 0}},
		{"gone", func() { _ = os.Remove(path) }, map[string]int{"0a": 1, "26": 1, "27": 0}},
	}
	r := d.Register()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.write()
			for serial, want := range test.known {
				mustKnow(t, r, serial, want)
			}
		})
	}
}

func TestRegisterSaysWhyItCannotRead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	path := filepath.Join(d.Endpoint(), "issued.jsonl")
	r := d.Register()
	_ = os.Remove(path)
	if err := r.Load(t.Context()); err != nil {
		t.Errorf("without a list: %v", err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := r.Load(t.Context()); err == nil || err.Error() != "reading what was issued: "+path+" is not a regular file" {
		t.Errorf("a folder: %v", err)
	}
	mustKnow(t, r, "0a", 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(line("alice", 1, "0a")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	mustKnow(t, r, "0a", 1)
}

func TestRegisterIsAskedByMany(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const n = 2000
	var text bytes.Buffer
	for i := range n {
		fmt.Fprintln(&text, line("name", i+1, fmt.Sprintf("%04x", i+1)))
	}
	path := filepath.Join(d.Endpoint(), "issued.jsonl")
	r := d.Register()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := i; j < n; j += 8 {
				// The list grows meanwhile; in the end everything is known.
				r.Generation(fmt.Sprintf("%04x", j+1))
			}
		})
	}
	for part := range slices.Chunk(text.Bytes(), text.Len()/7) {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
		if err == nil {
			_, err = f.Write(part)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	for i := range n {
		mustKnow(t, r, fmt.Sprintf("%04x", i+1), i+1)
	}
}

func TestWhatLapsedIsToldByTheListAsTheRegisterReadsIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	made := map[string]time.Time{"0a": d.now}
	// expires is a line of the list for serial 01.
	expires := func(name string, days int) string {
		return fmt.Sprintf(`{"name":%q,"generation":1,"serial":"01","issuer":"0a","not_after":%q}`, name, d.now.AddDate(0, 0, days).Format(time.RFC3339)) + "\n"
	}
	past, future := expires("alice", -1), expires("alice", 1)
	other := strings.Replace(future, `"0a"`, `"0b"`, 1)
	tooLong := strings.Repeat("x", 64<<10) + past // the end of the line would do for one
	for _, test := range []struct{ name, list, want string }{
		{"nothing", "", "01 02"},
		{"one that expired", past, "02"},
		{"one that did not", future, "01 02"},
		{"several lines, of which the first expired", past + future, "02"},
		{"several lines, of which the first did not", future + past, "01 02"},
		{"several lines, of which the first is another authority's", other + past, "01 02"},
		{"a line that says nothing before it", "{\n" + past, "02"},
		{"a line that is too long", tooLong, "01 02"},
		{"and one behind it", tooLong + past, "02"},
		{"one too long that has no end", expires(strings.Repeat("x", 100_000), -1)[:90_000], "01 02"},
		{"the last one without its end", strings.TrimSuffix(past, "\n"), "02"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d.put("issued.jsonl", []byte(test.list))
			if got := serialsOf(d.Unlapsed(t.Context(), []crl.Entry{entryOf(1, d.now), entryOf(2, d.now)}, made)); got != test.want {
				t.Errorf("left are %q, want %q", got, test.want)
			}
		})
	}
}
