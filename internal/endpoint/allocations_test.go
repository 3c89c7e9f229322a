package endpoint

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

// A sink is a member whose peer takes everything at once.
type sink struct {
	out   outbox
	as    encoding
	wrote *sync.WaitGroup
}

type discard struct{ net.Conn }

func (discard) Write(p []byte) (int, error)      { return len(p), nil }
func (discard) SetWriteDeadline(time.Time) error { return nil }

type sinkOwner struct{ s *sink }

func (o sinkOwner) wrote(l load, _ int, _ encoding) { o.s.wrote.Add(-l.events) }
func (o sinkOwner) failed(error)                    {}
func (o sinkOwner) flushed()                        {}

func (s *sink) welcome([]*parcel) {}
func (s *sink) deliver(p *parcel) { s.out.put(p) }
func (s *sink) speaks() encoding  { return s.as }
func (s *sink) turn() encoding    { return s.as }

// An event is encoded once in each encoding, and its bytes are shared.
func TestAllocationsForAnEventDoNotGrowWithItsReceivers(t *testing.T) {
	const xml = `<event version="2.0" uid="alice" type="a-f-G-U-C" how="m-g" time="2026-01-01T00:00:00Z" start="2026-01-01T00:00:00Z" ` +
		`stale="2026-01-01T00:05:00Z"><point lat="1" lon="0" hae="0" ce="0" le="0"/><detail><contact callsign="A" endpoint="*:-1:stcp"/></detail></event>`
	event, err := cot.Parse([]byte(xml))
	if err != nil {
		t.Fatal(err)
	}
	for name, mixed := range map[string]bool{"xml": false, "mixed": true} {
		t.Run(name, func(t *testing.T) {
			measure := func(receivers int) float64 {
				h := newHub(time.Now, newPositions(room{10, 1 << 20}, room{10, 1 << 20}))
				var running, wrote sync.WaitGroup
				from := &sink{}
				h.join(from)
				for i := range receivers {
					s := &sink{wrote: &wrote}
					if mixed && i%2 == 0 {
						s.as = inProtobuf
					}
					s.out = outbox{conn: discard{}, limit: load{1000, 1 << 20}, timeout: time.Hour, owner: sinkOwner{s}, running: &running, speaks: s.as}
					h.join(s)
				}
				once := func() {
					wrote.Add(receivers)
					b := batch{both: mixed}
					b.add(event, event.Raw, 0)
					if mixed {
						b.parcel.other, _ = event.AppendFrame(b.parcel.other)
					}
					h.publish(from, b.finish(), b.seen)
					wrote.Wait()
					running.Wait()
				}
				for range 100 {
					once()
				}
				return testing.AllocsPerRun(200, once)
			}
			few, many := measure(10), measure(200)
			if many > few+2 {
				t.Errorf("%v allocations for 200 receivers, and %v for ten", many, few)
			}
			t.Logf("%v allocations for ten receivers, %v for 200", few, many)
		})
	}
}
