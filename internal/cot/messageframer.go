package cot

import (
	"bytes"
	"errors"
)

// magic begins every frame: the byte 0xBF, the length of the message as an unsigned varint, the message.
const magic = 0xBF

// maxFrame is the length in bytes of a frame with a message of MaxEvent bytes.
const maxFrame = 1 + maxLength + MaxEvent

// maxLength is how many bytes the varint of a length has at most: three hold 21 bits.
const maxLength = 3

// ErrNoFrame says that more than [MaxEvent] bytes came in which no frame begins. That is hardly TAK protocol version 1,
// so the session has to be ended.
var ErrNoFrame = errors.New("no frame within 65536 bytes")

// MessageFramer cuts a stream of bytes into the frames of TAK protocol version 1, whatever the cuts and merges of the
// stream. The zero value is ready. It holds memory only while it holds bytes: its buffer comes from a pool, grows with
// what came and not with what a length promises, and goes back when [MessageFramer.Next] finds nothing left. A
// MessageFramer is for one goroutine at a time.
//
// Between frames it skips what TAK clients skip: bytes that are no 0xBF, for some servers write one too many, and a 0xBF
// without a length that may be, which is one of more than MaxEvent bytes or in a varint of more than three. It goes on
// at the very next byte. What it cannot tell from a frame is a 0xBF that is none but has a length that may be, by
// chance. That swallows up to 64 KiB of what follows, whole frames among it, and nothing comes out until as many bytes
// have come; then it comes out as one frame, which [ParseMessage] almost always refuses. So a stream that has lost its
// step loses some events before it is in step again, and a frame that is refused is no reason to end the session.
type MessageFramer struct {
	held
	skipped int // bytes that began no frame, since the last one
	failed  bool
}

// Feed takes bytes in; p may be used again at once. After each Feed call [MessageFramer.Next] until it has nothing more:
// then less than one frame stays held. After ErrNoFrame the bytes are thrown away.
func (f *MessageFramer) Feed(p []byte) {
	if !f.failed && len(p) > 0 {
		f.feed(p)
	}
}

// Next returns the next frame, from its 0xBF to the end of its message, for [ParseMessage]; ok is false when the bytes
// fed so far hold no whole frame. The frame is valid until the next Feed, Next or Release. The only error is
// [ErrNoFrame], returned from then on until Release.
func (f *MessageFramer) Next() (frame []byte, ok bool, err error) {
	if f.failed {
		return nil, false, ErrNoFrame
	}
	for {
		if !f.skip() {
			return nil, false, f.fail()
		}
		if f.start == f.end {
			f.drop()
			return nil, false, nil
		}
		rest := f.buf.bytes[f.start:f.end]
		length, n, ok := messageLength(rest[1:])
		if !ok {
			f.start++
			f.skipped++
			continue
		}
		end := 1 + n + length
		if n == 0 || end > len(rest) {
			return nil, false, nil
		}
		f.start += end
		f.skipped = 0
		return rest[:end:end], true, nil
	}
}

// Release gives the buffer back and makes the MessageFramer ready for another stream.
func (f *MessageFramer) Release() {
	f.drop()
	*f = MessageFramer{}
}

// skip goes on to the next 0xBF, and tells whether no more than may be has been skipped.
func (f *MessageFramer) skip() bool {
	if f.start < f.end && f.buf.bytes[f.start] != magic {
		n := bytes.IndexByte(f.buf.bytes[f.start:f.end], magic)
		if n < 0 {
			n = f.end - f.start
		}
		f.start += n
		f.skipped += n
	}
	return f.skipped <= MaxEvent
}

func (f *MessageFramer) fail() error {
	f.drop()
	f.failed = true
	return ErrNoFrame
}

// messageLength reads the length of a message, and how many bytes it takes: 0 where more have to come. ok is false
// where no length that is allowed can come of it.
func messageLength(b []byte) (length, n int, ok bool) {
	for i, c := range b[:min(len(b), maxLength)] {
		length |= int(c&0x7F) << (7 * i)
		if c < 0x80 {
			return length, i + 1, length <= MaxEvent
		}
	}
	return 0, 0, len(b) < maxLength
}
