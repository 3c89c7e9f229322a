package endpoint

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// An owner notes what an outbox reports.
type owner struct {
	mu    sync.Mutex
	all   load
	err   error
	clean bool
}

func (o *owner) wrote(events, bytes int, _ encoding) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all.events += events
	o.all.bytes += bytes
}

func (o *owner) failed(err error) { o.mu.Lock(); o.err = err; o.mu.Unlock() }

func (o *owner) flushed() { o.mu.Lock(); o.clean = true; o.mu.Unlock() }

// newOutbox returns an outbox and the other end of its connection; nothing reads from that yet.
func newOutbox(limit load) (*outbox, *owner, net.Conn) {
	here, there := net.Pipe()
	o := &owner{}
	return &outbox{conn: here, limit: limit, timeout: time.Minute, owner: o, running: &sync.WaitGroup{}}, o, there
}

// event is a parcel of so many bytes that begins with its name and ends with a full stop.
func event(name string, size int) *parcel {
	return &parcel{bytes: []byte(name + strings.Repeat("-", max(0, size-len(name)-1)) + "."), events: 1}
}

// names are those of the events in b, in order.
func names(b []byte) []string {
	var all []string
	for part := range strings.SplitSeq(strings.TrimSuffix(string(b), "."), ".") {
		all = append(all, strings.TrimRight(part, "-"))
	}
	return all
}

// receive reads all that is sent until the outbox has nothing more, and the sizes in which it came.
func receive(conn net.Conn) (all []byte, sizes []int) {
	buf := make([]byte, 1<<20)
	for {
		conn.SetReadDeadline(time.Now().Add(time.Second))
		n, err := conn.Read(buf)
		if n > 0 {
			all, sizes = append(all, buf[:n]...), append(sizes, n)
		}
		if err != nil {
			return all, sizes
		}
	}
}

func TestQueueGoesOutInOrderInFullRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, owner, there := newOutbox(load{10_000, 64 << 20})
		var want []byte
		for k := range 500 {
			p := event(fmt.Sprint("event", k), 1+rand.IntN(2000)*rand.IntN(30))
			want = append(want, p.bytes...)
			if !o.put(p) {
				t.Fatal("the queue is full")
			}
			if k == 0 {
				synctest.Wait() // the writer is busy with it, and finds the rest waiting
			}
		}
		got, sizes := receive(there)
		if !bytes.Equal(got, want) {
			t.Error("what came is not what was put")
		}
		for i, size := range sizes {
			if size > recordSize || size < recordSize && i > 0 && i < len(sizes)-1 {
				t.Errorf("write %d of %d had %d bytes", i, len(sizes), size)
			}
		}
		o.running.Wait()
		if o.waiting != ([kinds]load{}) || o.writing || owner.all != (load{500, len(want)}) {
			t.Errorf("after all was written: waiting %v, writing %v, told %v", o.waiting, o.writing, owner.all)
		}
	})
}

func TestPongOvertakesTheQueueBetweenTwoEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _, there := newOutbox(load{100, 1 << 20})
		o.preload([]*parcel{event("last", 40_000), event("place", 100)}, asWelcome)
		o.put(event("live", 40_000))
		synctest.Wait() // the first record of "last" is on its way
		o.put(event("later", 100))
		for range maxPongs + 5 {
			o.putFirst(event("pong", 100))
		}
		got, _ := receive(there)
		want := append([]string{"last"}, slices.Repeat([]string{"pong"}, maxPongs)...)
		want = append(want, "place", "live", "later")
		if !slices.Equal(names(got), want) {
			t.Errorf("it went out as %v, want %v", names(got), want)
		}
	})
}

func TestQueueIsBoundedInEventsAndBytes(t *testing.T) {
	tests := []struct {
		name  string
		limit load
		size  int
		fits  int // beside the one that is being written
	}{
		{"events", load{10, 1 << 20}, 100, 10},
		{"bytes", load{1000, 10_000}, 1000, 10},
		{"one larger than the limit", load{10, 100}, 1000, 1},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, _, there := newOutbox(tc.limit)
				for range 50 {
					o.putFirst(event("pong", 100)) // not charged
				}
				o.preload([]*parcel{event("last", 5000)}, asWelcome) // nor this
				for k := range tc.fits {
					if !o.put(event("x", tc.size)) {
						t.Fatalf("event %d did not fit", k)
					}
				}
				if o.put(event("x", tc.size)) {
					t.Error("one more fitted")
				}
				if !o.put(event("x", tc.size)) {
					t.Error("a closed outbox complains a second time")
				}
				there.Close()
				o.running.Wait()
			})
		})
	}
}

// What is said of the same thing counts by its place: a device that is gone and comes back must not be gone at the end.
func TestWhatIsOnTheMapStandsInItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _, there := newOutbox(load{100, 1 << 20})
		o.put(event("first", 100))
		o.put(event("gone", 100))
		o.preload([]*parcel{event("back", 100)}, asWelcome)
		o.preload([]*parcel{event("letter", 100)}, asLetter)
		o.put(event("last", 100))
		if n := o.depth(asLetter).events; n != 1 {
			t.Errorf("%d letters wait", n)
		}
		got, _ := receive(there)
		if want := []string{"first", "gone", "back", "letter", "last"}; !slices.Equal(names(got), want) {
			t.Errorf("it went out as %v, want %v", names(got), want)
		}
		if n := o.depth(asLetter).events; n != 0 {
			t.Errorf("%d letters wait after they were sent", n)
		}
	})
}

func TestWrittenEventsMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _, there := newOutbox(load{10, 1 << 20})
		for range 20 {
			for range 10 {
				if !o.put(event("x", 3000)) {
					t.Fatal("the queue is full")
				}
			}
			receive(there)
		}
		o.running.Wait()
	})
}

func TestFinishFlushesAndTakesNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, owner, there := newOutbox(load{100, 1 << 20})
		o.put(event("a", 20_000))
		o.put(event("b", 100))
		o.finish()
		o.finish()
		o.put(event("c", 100))
		o.putFirst(event("pong", 100))
		if owner.clean {
			t.Error("flushed before anything was written")
		}
		if got, _ := receive(there); !slices.Equal(names(got), []string{"a", "b"}) {
			t.Errorf("it went out as %v", names(got))
		}
		o.running.Wait()
		if !owner.clean {
			t.Error("not flushed")
		}
	})
}

func TestWriteThatFailsEndsTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, owner, _ := newOutbox(load{100, 1 << 20})
		o.put(event("a", 100))
		o.running.Wait()
		if !errors.Is(owner.err, os.ErrDeadlineExceeded) {
			t.Errorf("the owner was told %v", owner.err)
		}
		o.put(event("b", 100))
		o.finish()
		o.running.Wait()
		if owner.clean || o.queue != nil {
			t.Error("the outbox went on")
		}
	})
}

func TestQueuesAndHandshakesAreBoundedUnlessToldOtherwise(t *testing.T) {
	if c := (Config{}).withDefaults(); c.QueueEvents != 8192 || c.QueueBytes != 4<<20 || c.MaxHandshakes != 1024 {
		t.Errorf("%d events, %d bytes, %d handshakes", c.QueueEvents, c.QueueBytes, c.MaxHandshakes)
	}
}
