package cot

import (
	"errors"
	"sync"

	"github.com/ftsca/ftsca/internal/cot/takproto"
)

// AppendFrame appends the event as a frame of TAK protocol version 1, for clients that speak protobuf. The event must
// come from [Parse]; on an error dst is returned as it was.
//
// The frame holds what the schema has a field for: event/@uid, type, how, time, start, stale, access, qos, opex, caveat
// and releasableTo, the point, the detail. The first six and the five attributes of the point must be there and
// readable, as ATAK asks of an event in XML. Times are cut to milliseconds and must be of the years 1970 to 9999. What
// stands in detail goes as it is written into xmlDetail, comments and white space included, but for the six details
// that have messages of their own: such an element becomes the message where it is the only one of its name, has
// exactly the attributes that the message has, as [Message.AppendXML] would write their values, and nothing in it, and
// where the text on its two sides reads the same without it.
//
// Not in the frame are event/@version, other attributes of event and point and any of detail, and whatever else stands
// in event or point. Namespace prefixes that are declared there are declared anew in each element of xmlDetail that may
// use them; one that is called uid is an error. A default namespace is not, for clients look at local names only.
//
// A frame with more than [MaxEvent] bytes after its length is an error.
func (e Event) AppendFrame(dst []byte) ([]byte, error) {
	s := newScanner(e.Raw)
	defer s.release()
	c := converters.Get().(*converter)
	defer c.release()
	c.s = s
	if err := c.convert(); err != nil {
		return dst, err
	}
	return appendFrame(dst, &c.message)
}

// appendFrame appends a message as a frame.
func appendFrame(dst []byte, m *takproto.TakMessage) ([]byte, error) {
	frame, err := takproto.AppendDelimited(append(dst, magic), m)
	if err != nil {
		return dst, errors.New("no protobuf form: a string is not UTF-8")
	}
	if len(frame)-len(dst) > maxFrame {
		return dst, unsayable("the message is longer than 65536 bytes")
	}
	return frame, nil
}

func unsayable(reason string) error { return errors.New("no protobuf form: " + reason) }

// converter makes one message of one event. It is kept in a pool with its messages, so that a conversion allocates one
// string for all of theirs.
type converter struct {
	s *scanner

	message           takproto.TakMessage
	event             takproto.CotEvent
	detail            takproto.Detail
	contact           takproto.Contact
	group             takproto.Group
	precisionLocation takproto.PrecisionLocation
	status            takproto.Status
	takv              takproto.Takv
	track             takproto.Track

	strings []pendingString
	text    []byte // of all strings

	seen  [typedDetails]int // how many elements of each name there are in the details
	typed []typedElement
	outer []attribute // prefixes declared on event and detail
	whole []wholeElement
}

// pendingString is a string to be set once the text of all is complete.
type pendingString struct {
	to    *string
	start int
}

// typedElement is an element of the details that a message can stand for.
type typedElement struct{ kind, start, end int }

var converters = sync.Pool{New: func() any { return new(converter) }}

// release puts the converter back without what it was made from, unless a hostile event has blown it up.
func (c *converter) release() {
	if cap(c.text) > MaxEvent/4 || cap(c.strings)+cap(c.typed)+cap(c.whole) > 500 {
		return
	}
	c.s = nil
	c.message.Reset()
	c.event.Reset()
	c.detail.Reset()
	c.contact.Reset()
	c.group.Reset()
	c.precisionLocation.Reset()
	c.status.Reset()
	c.takv.Reset()
	c.track.Reset()
	clear(c.strings)
	c.strings, c.text, c.seen = c.strings[:0], c.text[:0], [typedDetails]int{}
	c.typed, c.outer, c.whole = c.typed[:0], c.outer[:0], c.whole[:0]
	converters.Put(c)
}

// convert reads the whole event.
func (c *converter) convert() error {
	s := c.s
	c.message.CotEvent = &c.event
	if !s.startTag() {
		return s.refused
	}
	if err := c.readEvent(); err != nil {
		return err
	}
	point := false
	for s.depth > 0 {
		if !s.text() {
			return s.refused
		}
		opens, depth := s.opens(), s.depth
		if !s.markup() {
			return s.refused
		}
		if !opens || depth != 1 {
			continue
		}
		switch n := s.open[2].name; string(s.b[n.start:n.end]) {
		case "point":
			point = true
			if err := c.readPoint(); err != nil {
				return err
			}
		case "detail":
			c.event.Detail = &c.detail
			if err := c.readDetail(s.depth == 1); err != nil {
				return err
			}
		}
	}
	if !point {
		return unsayable("there is no point")
	}
	c.settle()
	return nil
}

// set makes the value of an attribute that of a string in the message, once settled.
func (c *converter) set(to *string, a attribute) {
	c.strings = append(c.strings, pendingString{to, len(c.text)})
	if a.plain {
		c.text = append(c.text, c.s.b[a.value:a.end]...)
	} else {
		c.text = appendValue(c.text, c.s.b[a.value:a.end])
	}
}

// settle sets all strings, which are parts of one.
func (c *converter) settle() {
	all := string(c.text)
	for i, p := range c.strings {
		end := len(all)
		if i+1 < len(c.strings) {
			end = c.strings[i+1].start
		}
		*p.to = all[p.start:end]
	}
}
