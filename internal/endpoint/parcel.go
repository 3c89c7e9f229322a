package endpoint

import (
	"bytes"
	"sync"

	"github.com/ftsca/ftsca/internal/cot"
)

// An encoding is how a peer is spoken to: XML, or from its request on TAK protocol version 1.
type encoding uint8

const (
	inXML encoding = iota
	inProtobuf
)

// other is the other encoding.
func (e encoding) other() encoding {
	if e == inXML {
		return inProtobuf
	}
	return inXML
}

// A parcel is one or more whole events, one behind the other, in the encoding in which they came and, once somebody needs
// it, in the other. Each form is made once and shared by all who receive it, so nobody may change it after it was published.
type parcel struct {
	events int
	came   encoding
	bytes  []byte

	made      bool      // other was made before anybody saw the parcel
	translate sync.Once // makes it where it was not
	other     []byte

	delivery *delivery // who publishes it waits for; nil: nobody waits

	turns bool // it is an answer after which the peer is spoken to in protobuf
}

// in returns the parcel in an encoding. An event that has no form in it is left out.
func (p *parcel) in(e encoding) []byte {
	if e == p.came {
		return p.bytes
	}
	if !p.made {
		p.translate.Do(func() { p.other = translated(p.bytes, e) })
	}
	return p.other
}

// whole reports whether event makes up all of p, so that keeping the one keeps nothing else in memory.
func (p *parcel) whole(event []byte) bool { return len(p.bytes) == len(event) }

// alone is a parcel of one of p's events, which keeps nothing else of p in memory. other is the event in the other
// encoding, where p was made with both.
func (p *parcel) alone(event, other []byte) *parcel {
	if p.whole(event) {
		return p
	}
	return &parcel{events: 1, came: p.came, bytes: bytes.Clone(event), made: p.made, other: bytes.Clone(other)}
}

// size is how many bytes p takes in a queue: as many as in the longer of its forms, as far as they were made beforehand.
func (p *parcel) size() int {
	if p.made {
		return max(len(p.bytes), len(p.other))
	}
	return len(p.bytes)
}

// translated says events, which were judged when they came, in another encoding.
func translated(events []byte, to encoding) (all []byte) {
	if to == inXML {
		var f cot.MessageFramer
		defer f.Release()
		f.Feed(events)
		for frame, ok, _ := f.Next(); ok; frame, ok, _ = f.Next() {
			if m, err := cot.ParseMessage(frame); err == nil && m.HasEvent() {
				all = m.AppendXML(all)
			}
		}
		return all
	}
	var f cot.Framer
	defer f.Release()
	f.Feed(events)
	for piece, ok, _ := f.Next(); ok; piece, ok, _ = f.Next() {
		if e, err := cot.Parse(piece); err == nil {
			if more, err := e.AppendFrame(all); err == nil {
				all = more
			}
		}
	}
	return all
}
