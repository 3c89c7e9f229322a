//go:build !linux

package endpoint

import (
	"net"
	"time"
)

// keepAlive does nothing: outside Linux a dead peer is found by TCP's own limits and by its full queue.
func keepAlive(net.Conn, time.Duration) {}
