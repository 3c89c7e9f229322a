package testdevice_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"testing"
	"time"
)

func TestADeviceGivesItsConnectionAwayWithAllThatIsUnread(t *testing.T) {
	w := newWorld(t)
	addr := serve(t, w.issuing.Server(t, "s"), w.issuing.Pool(), func(c *tls.Conn) {
		_, _ = io.WriteString(c, "<event a='1'></event><event b='2'></event>"+pong+"<event c='3'></event><ev")
		buf := make([]byte, 4096)
		for said := ""; said != "on"; {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			said = string(buf[:n])
		}
		_, _ = io.WriteString(c, "ent d='4'></event>")
	})
	d := dial(t, w.opened(t), addr)
	if err := d.Ping(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Next(within(t, 10*time.Second)); string(got) != "<event a='1'></event>" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
	// A ping that ran out of time ends nothing that comes later.
	if err := d.Ping(within(t, 30*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	conn, err := d.Stream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "on"); err != nil {
		t.Fatal(err)
	}
	const want = "<event b='2'></event><event c='3'></event><event d='4'></event>"
	if got, err := io.ReadAll(conn); string(got) != want || err != nil {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
