package teststream

import (
	"bytes"
	"encoding/binary"
	"math"
)

// frameMark begins a frame of the stream; then come the length of the message, as a varint, and the message.
const frameMark = 0xBF

// The fields of TAK's messages that matter here, by the names they have there.
const (
	takMessageCotEvent = 2

	cotEventType      = 1
	cotEventUID       = 5
	cotEventSendTime  = 6
	cotEventStartTime = 7
	cotEventStaleTime = 8
	cotEventHow       = 9
	cotEventLat       = 10
	cotEventLon       = 11
	cotEventHae       = 12
	cotEventCe        = 13
	cotEventLe        = 14
	cotEventDetail    = 15

	detailContact   = 2
	contactEndpoint = 1
	contactCallsign = 2
)

// Wire types of protobuf.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// cutFrame takes the next frame's message out of what is held. What stands before a mark is passed over, and so is a
// mark whose length no message can have.
func (c *Client) cutFrame() (raw []byte, ok bool) {
	for {
		start := bytes.IndexByte(c.held, frameMark)
		if start < 0 {
			start = len(c.held)
		}
		c.skip(start)
		c.held = c.held[start:]
		if len(c.held) == 0 {
			return nil, false
		}
		size, n := binary.Uvarint(c.held[1:])
		if n == 0 && len(c.held) <= binary.MaxVarintLen64 {
			return nil, false
		}
		if n <= 0 || size > maxMessage {
			c.skip(1)
			c.held = c.held[1:]
			continue
		}
		from := 1 + n
		if uint64(len(c.held)-from) < size {
			return nil, false
		}
		to := from + int(size)
		raw, c.held = c.held[from:to], c.held[to:]
		return raw, true
	}
}

// parseFrame reads a TakMessage; false where it holds no event.
func parseFrame(raw []byte) (Message, bool) {
	m := Message{Protobuf: true}
	ok := walk(raw, func(n int, _ uint64, event []byte) bool {
		if n != takMessageCotEvent {
			return true
		}
		return walk(event, func(n int, number uint64, b []byte) bool {
			switch n {
			case cotEventType:
				m.Type = string(b)
			case cotEventUID:
				m.UID = string(b)
			case cotEventHae:
				m.Number = int(math.Round(math.Float64frombits(number)))
			case cotEventDetail:
				return walk(b, func(n int, _ uint64, contact []byte) bool {
					if n != detailContact {
						return true
					}
					return walk(contact, func(n int, _ uint64, b []byte) bool {
						if n == contactCallsign {
							m.Callsign = string(b)
						}
						return true
					})
				})
			}
			return true
		})
	})
	return m, ok && m.Type != ""
}

// walk calls f with the fields of a message, one after the other: a number or bytes, whichever the field holds. It
// returns false when the message is broken or f says so.
func walk(b []byte, f func(field int, number uint64, bytes []byte) bool) bool {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 || tag>>3 > math.MaxInt32 {
			return false
		}
		b = b[n:]
		var number uint64
		var value []byte
		switch size := 0; tag & 7 {
		case wireVarint:
			if number, n = binary.Uvarint(b); n <= 0 {
				return false
			}
			b = b[n:]
		case wireBytes:
			length, n := binary.Uvarint(b)
			if n <= 0 || length > uint64(len(b)-n) {
				return false
			}
			value, b = b[n:n+int(length)], b[n+int(length):]
		case wireFixed64, wireFixed32:
			if size = 8; tag&7 == wireFixed32 {
				size = 4
			}
			if len(b) < size {
				return false
			}
			var word [8]byte
			copy(word[:], b[:size])
			number, b = binary.LittleEndian.Uint64(word[:]), b[size:]
		default:
			return false
		}
		if !f(int(tag>>3), number, value) {
			return false
		}
	}
	return true
}

// A message in the making.
type message []byte

func (m message) varint(field int, v uint64) message {
	return binary.AppendUvarint(binary.AppendUvarint(m, uint64(field)<<3|wireVarint), v)
}

func (m message) bytes(field int, b []byte) message {
	m = binary.AppendUvarint(m, uint64(field)<<3|wireBytes)
	return append(binary.AppendUvarint(m, uint64(len(b))), b...)
}

func (m message) double(field int, v float64) message {
	m = binary.AppendUvarint(m, uint64(field)<<3|wireFixed64)
	return binary.LittleEndian.AppendUint64(m, math.Float64bits(v))
}

// frame is e as a frame of the stream.
func (e event) frame() []byte {
	m := message{}.
		bytes(cotEventType, []byte(e.kind)).
		bytes(cotEventUID, []byte(e.uid)).
		varint(cotEventSendTime, uint64(e.time.UnixMilli())).
		varint(cotEventStartTime, uint64(e.time.UnixMilli())).
		varint(cotEventStaleTime, uint64(e.time.Add(e.life).UnixMilli())).
		bytes(cotEventHow, []byte("m-g")).
		double(cotEventLat, e.lat).
		double(cotEventLon, e.lon).
		double(cotEventHae, e.hae).
		double(cotEventCe, e.blur).
		double(cotEventLe, e.blur)
	if e.callsign != "" {
		contact := message{}.bytes(contactEndpoint, []byte(streamEndpoint)).bytes(contactCallsign, []byte(e.callsign))
		m = m.bytes(cotEventDetail, message{}.bytes(detailContact, contact))
	}
	whole := message{}.bytes(takMessageCotEvent, m)
	return append(binary.AppendUvarint([]byte{frameMark}, uint64(len(whole))), whole...)
}
