package cot

import (
	"bytes"
	"errors"
)

// MaxEvent is the length in bytes of the longest piece that a [Framer] yields and [Parse] takes: 64 KiB, the receive
// buffer of ATAK's network core and the frame limit of TAK Server.
const MaxEvent = 64 << 10

// ErrTooLong says that more than [MaxEvent] bytes came without an end of event. Nothing after it can be trusted to
// begin where an event begins, so the session has to be ended.
var ErrTooLong = errors.New("no </event> within 65536 bytes")

// endOfEvent is where TAK clients cut, wherever it stands: in a comment too, but not when it is spelt "</event >".
const endOfEvent = "</event>"

// Framer cuts a stream of bytes into pieces that end with the literal "</event>", whatever the cuts and merges of the
// stream. The zero value is ready. It holds memory only while it holds bytes: its buffer comes from a pool, and goes
// back when [Framer.Next] finds nothing left. A Framer is for one goroutine at a time.
type Framer struct {
	held
	scanned int // bytes from start that hold no end of event
	blank   int // white space dropped since the last piece
	tooLong bool
}

// Feed takes bytes in; p may be used again at once. After each Feed call [Framer.Next] until it has nothing more: then
// no more than MaxEvent bytes stay held. After ErrTooLong the bytes are thrown away.
func (f *Framer) Feed(p []byte) {
	if !f.tooLong && len(p) > 0 {
		f.feed(p)
	}
}

// Next returns the next piece, up to and including "</event>" and without white space before it; ok is false when the
// bytes fed so far hold no whole piece. The piece is valid until the next Feed, Next or Release. The only error is
// [ErrTooLong], returned from then on until Release; white space alone counts too, on its own, so that nobody can keep
// a session open with it for ever.
func (f *Framer) Next() (piece []byte, ok bool, err error) {
	if f.tooLong {
		return nil, false, ErrTooLong
	}
	if f.scanned == 0 {
		f.dropBlank()
		if f.blank > MaxEvent {
			return nil, false, f.fail()
		}
	}
	if f.start == f.end {
		f.drop()
		return nil, false, nil
	}
	rest := f.buf.bytes[f.start:f.end]
	window := rest[:min(len(rest), MaxEvent)]
	from := max(0, f.scanned-len(endOfEvent)+1)
	if k := bytes.Index(window[from:], []byte(endOfEvent)); k >= 0 {
		n := from + k + len(endOfEvent)
		f.start += n
		f.scanned, f.blank = 0, 0
		return window[:n:n], true, nil
	}
	if len(rest) > MaxEvent {
		return nil, false, f.fail()
	}
	f.scanned = len(rest)
	return nil, false, nil
}

// Release gives the buffer back and makes the Framer ready for another stream.
func (f *Framer) Release() {
	f.drop()
	*f = Framer{}
}

// dropBlank lets go of white space between events at once: many clients end an event with a line feed, and an idle
// session must not keep a buffer for it.
func (f *Framer) dropBlank() {
	for f.start < f.end && class[f.buf.bytes[f.start]]&isSpace != 0 {
		f.start++
		f.blank++
	}
}

func (f *Framer) drop() {
	f.held.drop()
	f.scanned = 0
}

func (f *Framer) fail() error {
	f.drop()
	f.tooLong = true
	return ErrTooLong
}
