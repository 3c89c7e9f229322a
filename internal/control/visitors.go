package control

import (
	"net"
	"slices"
	"sync"
)

// visitors are the connections that are open, the oldest first. When there are too many, the oldest makes room: so many
// that stall keep nobody out who asks at once.
type visitors struct {
	mu   sync.Mutex
	open []net.Conn
}

func (v *visitors) add(c net.Conn) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.open) >= mostVisitors {
		_ = v.open[0].Close()
		v.open = slices.Delete(v.open, 0, 1)
	}
	v.open = append(v.open, c)
}

func (v *visitors) remove(c net.Conn) {
	_ = c.Close()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open = slices.DeleteFunc(v.open, func(o net.Conn) bool { return o == c })
}

func (v *visitors) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.open {
		_ = c.Close()
	}
}
