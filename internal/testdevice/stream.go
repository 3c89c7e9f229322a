package testdevice

import (
	"net"
	"time"
)

// Stream gives the connection away, to who speaks on it in another way. What the device has read, and Next has not
// returned, comes first. The device itself is of no use any more.
func (d *Device) Stream() (net.Conn, error) {
	// The deadlines were for what the device itself sent and read.
	if err := d.conn.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	s := &stream{Conn: d.conn}
	for _, event := range d.kept {
		s.unread = append(s.unread, event...)
	}
	s.unread = append(s.unread, d.buf...)
	d.kept, d.buf = nil, nil
	return s, nil
}

// A stream is a connection of which something has been read already.
type stream struct {
	net.Conn
	unread []byte
}

func (s *stream) Read(b []byte) (int, error) {
	if len(s.unread) > 0 {
		n := copy(b, s.unread)
		s.unread = s.unread[n:]
		return n, nil
	}
	return s.Conn.Read(b)
}
