package cot

import "sync"

// buffer is a slice with the pool that it came from; pool is nil for one too large to keep.
type buffer struct {
	bytes []byte
	pool  *sync.Pool
}

// Four sizes, since most sessions hold a few hundred bytes for a few microseconds while one slow, large event may hold
// 64 KiB: with one size for all, a thousand half-sent positions would cost 128 MiB.
var (
	pool4K   = sync.Pool{New: func() any { return &buffer{bytes: make([]byte, 4<<10)} }}
	pool16K  = sync.Pool{New: func() any { return &buffer{bytes: make([]byte, 16<<10)} }}
	pool64K  = sync.Pool{New: func() any { return &buffer{bytes: make([]byte, 64<<10)} }}
	pool128K = sync.Pool{New: func() any { return &buffer{bytes: make([]byte, 128<<10)} }}
)

// takeBuffer returns a buffer of at least n bytes.
func takeBuffer(n int) *buffer {
	var pool *sync.Pool
	switch {
	case n <= 4<<10:
		pool = &pool4K
	case n <= 16<<10:
		pool = &pool16K
	case n <= 64<<10:
		pool = &pool64K
	case n <= 128<<10:
		pool = &pool128K
	default:
		return &buffer{bytes: make([]byte, n)}
	}
	b := pool.Get().(*buffer)
	b.pool = pool
	return b
}

func (b *buffer) giveBack() {
	if b.pool != nil {
		b.pool.Put(b)
	}
}

// held is what a framer has taken in and not yet let go of.
type held struct {
	buf        *buffer // nil while nothing is held
	start, end int     // what is held: buf.bytes[start:end]
}

// Buffered returns the number of bytes held.
func (h *held) Buffered() int { return h.end - h.start }

func (h *held) feed(p []byte) {
	n := h.end - h.start
	switch {
	case h.buf == nil:
		h.buf = takeBuffer(len(p))
	case h.end+len(p) <= len(h.buf.bytes):
	case n+len(p) <= len(h.buf.bytes):
		copy(h.buf.bytes, h.buf.bytes[h.start:h.end])
		h.start, h.end = 0, n
	default:
		larger := takeBuffer(n + len(p))
		copy(larger.bytes, h.buf.bytes[h.start:h.end])
		h.buf.giveBack()
		h.buf, h.start, h.end = larger, 0, n
	}
	h.end += copy(h.buf.bytes[h.end:], p)
}

// drop lets go of all, and of the buffer.
func (h *held) drop() {
	if h.buf != nil {
		h.buf.giveBack()
	}
	*h = held{}
}

// Rest returns what is held, for another framer to go on with. It is valid until the next Feed or Release.
func (h *held) Rest() []byte {
	if h.buf == nil {
		return nil
	}
	return h.buf.bytes[h.start:h.end]
}
