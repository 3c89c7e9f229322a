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
