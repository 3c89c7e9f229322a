//go:build unix

package endpoint_test

import (
	"errors"
	"syscall"
)

// narrow gives a connection the segments of a network and next to no room for what comes. Over the loopback, whose segments
// are of 64 KiB, the systems at both ends take megabytes before the server feels that nobody reads.
func narrow(_, _ string, raw syscall.RawConn) error {
	var err error
	controlled := raw.Control(func(fd uintptr) {
		err = errors.Join(syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1400),
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10))
	})
	return errors.Join(controlled, err)
}
