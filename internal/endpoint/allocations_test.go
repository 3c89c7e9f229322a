package endpoint

import (
	"bytes"
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

func (o sinkOwner) wrote(events, _ int, _ encoding) { o.s.wrote.Add(-events) }
func (o sinkOwner) failed(error)                    {}
func (o sinkOwner) flushed()                        {}

func (s *sink) welcome([]*parcel) {}
func (s *sink) hand([]*parcel)    {}
func (s *sink) owed() bool        { return false }
func (s *sink) deliver(p *parcel) { s.out.put(p) }
func (s *sink) speaks() encoding  { return s.as }
func (s *sink) turn() encoding    { return s.as }

const positionXML = `<event version="2.0" uid="alice" type="a-f-G-U-C" how="m-g" time="2026-01-01T00:00:00Z" start="2026-01-01T00:00:00Z" ` +
	`stale="2026-01-01T00:05:00Z"><point lat="1" lon="0" hae="0" ce="0" le="0"/><detail><contact callsign="A" endpoint="*:-1:stcp"/></detail></event>`

// An event is encoded once in each encoding, and its bytes are shared.
func TestAllocationsForAnEventDoNotGrowWithItsReceivers(t *testing.T) {
	event, err := cot.Parse([]byte(positionXML))
	if err != nil {
		t.Fatal(err)
	}
	for name, mixed := range map[string]bool{"xml": false, "mixed": true} {
		t.Run(name, func(t *testing.T) {
			measure := func(receivers int) float64 {
				h := newHub(time.Now, newItems(room{10, 1 << 20}, room{10, 1 << 20}), newHeld(time.Minute))
				var running, wrote sync.WaitGroup
				from := &sink{}
				enrol(h, as(from, "from"))
				for i := range receivers {
					s := &sink{wrote: &wrote}
					if mixed && i%2 == 0 {
						s.as = inProtobuf
					}
					s.out = outbox{conn: discard{}, limit: load{1000, 1 << 20}, timeout: time.Hour, owner: sinkOwner{s}, running: &running, speaks: s.as}
					enrol(h, as(s, "to"))
				}
				once := func() {
					wrote.Add(receivers)
					b := batch{both: mixed}
					b.add(event, event.Raw, 0)
					if mixed {
						b.parcel.other, _ = event.AppendFrame(b.parcel.other)
					}
					h.publish(from, b.finish(), b.seen, nil)
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

// Who is spoken to in the other encoding than before is rare when an event comes, and then there may be many of them.
func TestEventIsTranslatedOnceThoughNobodyNeededThatWhenItCame(t *testing.T) {
	p := &parcel{events: 1, bytes: []byte(positionXML)}
	var all sync.WaitGroup
	forms := make([][]byte, 50)
	for i := range forms {
		all.Go(func() { forms[i] = p.in(inProtobuf) })
	}
	all.Wait()
	for _, form := range forms {
		if len(form) == 0 || &form[0] != &forms[0][0] {
			t.Fatal("it was translated anew for one of them")
		}
	}
}

func TestKeptPositionOfABatchIsNotTranslatedAnew(t *testing.T) {
	table := newItems(room{10, 1 << 20}, room{10, 1 << 20})
	event, err := cot.Parse([]byte(positionXML))
	if err != nil {
		t.Fatal(err)
	}
	b := batch{both: true}
	for range 2 {
		b.add(event, event.Raw, 1000)
		b.parcel.other, _ = event.AppendFrame(b.parcel.other)
		b.said()
	}
	p := b.finish()
	table.see(as(&listener{}, "a"), b.seen[1], p)
	kept := table.visible(as(nil, "b"), nil, time.Now())[0]
	if !kept.made || !bytes.Equal(kept.in(inProtobuf), p.other[len(p.other)/2:]) || !bytes.Equal(kept.in(inXML), event.Raw) {
		t.Errorf("%+v is kept", kept)
	}
}

// What goes to a peer is what counts, and that may be far longer than what came.
func TestQueueIsBoundedByTheLongerForm(t *testing.T) {
	o, _, _ := newOutbox(load{100, 1000})
	p := &parcel{events: 1, bytes: make([]byte, 10), made: true, other: make([]byte, 600)}
	if !o.put(p) || o.put(p) {
		t.Error("two of 600 bytes fit into 1000")
	}
}
