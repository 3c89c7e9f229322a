package endpoint

import (
	"net"
	"net/netip"
	"slices"
	"time"
)

// A door decides, before any work is done for it, whether a connection is listened to.
type door struct {
	allow    []netip.Prefix
	failures *failures
	full     func() bool
	turned   turned

	// While all sessions are taken, handshakes are tried at this rate. Who is behind a connection is known only after
	// its handshake, and a device that changed its network may take the place of its own dead session; but those who
	// come in vain shall not cost more.
	whileFull rate
	trying    bucket
}

// newDoor returns a door that is full whenever the function says so.
func newDoor(c Config, full func() bool) door {
	return door{
		allow: c.Allow, failures: newFailures(c.MaxFailures), full: full, turned: turned{log: c.Log},
		whileFull: rate{perSecond: 10, burst: 20},
	}
}

// admits reports whether conn is listened to. If not, it has closed it.
func (d *door) admits(conn net.Conn) bool {
	host := hostOf(conn)
	cause := d.judge(host, time.Now())
	if cause == OK {
		return true
	}
	d.turned.add(cause, sourceOf(host))
	abort(conn) // no state is left behind, not even TCP's
	return false
}

func (d *door) judge(host netip.Addr, now time.Time) Cause {
	if len(d.allow) > 0 && !slices.ContainsFunc(d.allow, func(p netip.Prefix) bool { return p.Contains(host) }) {
		return NotAllowed
	}
	if d.failures.tooMany(sourceOf(host), now) {
		return Failures
	}
	if d.full() {
		d.trying.refill(&d.whileFull, now)
		if !d.trying.has(&d.whileFull, 1) {
			return Full
		}
		d.trying.take(1)
	}
	return OK
}
