package endpoint

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"
)

// maxFailures is how many addresses are remembered. It bounds the memory to a few megabytes; of more, the one whose
// last failure lies longest back is forgotten, and limited anew when it fails again.
const maxFailures = 16 << 10

// failures remembers which addresses fail in their handshakes. Only failures count, and one success clears an address:
// a whole team may sit behind it. That gives nothing to an attacker who has one good certificate: a success
// costs the endpoint more than the failures that it pays for, stands in the log with his name, and ends with the
// certificate's revocation.
type failures struct {
	rate rate
	size int // how many are remembered

	mu    sync.Mutex
	order list.List // of *failing, the last to fail at the back
	by    map[netip.Prefix]*list.Element
}

// A failing is an address that failed.
type failing struct {
	from   netip.Prefix
	bucket bucket
}

// newFailures allows perMinute failures at once, and as many in every minute.
func newFailures(perMinute int) *failures {
	n := float64(perMinute)
	return &failures{rate: rate{n / 60, n}, size: maxFailures, by: make(map[netip.Prefix]*list.Element)}
}

// add notes a failure.
func (f *failures) add(from netip.Prefix, now time.Time) {
	if !from.IsValid() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.by[from]
	if e == nil {
		if f.order.Len() >= f.size {
			delete(f.by, f.order.Remove(f.order.Front()).(*failing).from)
		}
		e = f.order.PushBack(&failing{from: from})
		f.by[from] = e
	}
	f.order.MoveToBack(e)
	b := &e.Value.(*failing).bucket
	b.refill(&f.rate, now)
	b.take(1)
}

// tooMany reports whether the address has failed so often that it is not listened to for now.
func (f *failures) tooMany(from netip.Prefix, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.by[from]
	if e == nil {
		return false
	}
	b := &e.Value.(*failing).bucket
	b.refill(&f.rate, now)
	return !b.has(&f.rate, 1)
}

// clear forgets an address.
func (f *failures) clear(from netip.Prefix) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.by[from]; e != nil {
		f.order.Remove(e)
		delete(f.by, from)
	}
}

// hostOf is the address that a connection comes from; IPv4 is IPv4, also within IPv6. Invalid: it has none.
func hostOf(conn net.Conn) netip.Addr {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// sourceOf is whom an address stands for: an IPv6 host has a whole /64 to choose from (RFC 4291, 2.5.4).
func sourceOf(host netip.Addr) netip.Prefix {
	bits := host.BitLen()
	if host.Is6() {
		bits = 64
	}
	from, _ := host.Prefix(bits) // invalid for an invalid host
	return from
}
