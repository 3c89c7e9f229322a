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
	turned   turned
}

func newDoor(c Config) door {
	return door{allow: c.Allow, failures: newFailures(c.MaxFailures), turned: turned{log: c.Log}}
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
	return OK
}
