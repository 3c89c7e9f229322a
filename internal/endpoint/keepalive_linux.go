package endpoint

import (
	"net"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT, which package syscall does not name.
const tcpUserTimeout = 18

// keepAlive has the kernel give up a peer that acknowledges nothing for as long as idle. TCP alone would repeat what
// it sends for a quarter of an hour, and its keep-alive is silent while something is unacknowledged (RFC 5482).
func keepAlive(conn net.Conn, idle time.Duration) {
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return
	}
	// A connection that does not take the option, such as one that is no TCP, is served all the same.
	_ = control.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(idle.Milliseconds()))
	})
}
