package notify_test

import (
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftsca/ftsca/internal/notify"
)

// manager plays a service manager.
type manager struct {
	t    *testing.T
	conn net.PacketConn
}

func newManager(t *testing.T, socket string) manager {
	t.Helper()
	conn, err := net.ListenPacket("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return manager{t, conn}
}

func (m manager) hears() string {
	m.t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		m.t.Fatal(err)
	}
	message := make([]byte, 4096)
	n, _, err := m.conn.ReadFrom(message)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(message[:n])
}

func TestManagerHearsHowTheProcessIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	for _, socket := range []string{path, "@ftsca-" + filepath.Base(t.TempDir()) + strconv.Itoa(unix.Getpid())} {
		heard := newManager(t, socket)
		m, err := notify.Connect(socket)
		if err != nil {
			t.Fatal(err)
		}
		for want, tell := range map[string]func() error{
			"READY=1\nSTATUS=listening on 10.0.0.5:8089 or so": func() error { return m.Ready("listening on 10.0.0.5:8089\nor so") },
			"STOPPING=1": m.Stopping,
			"WATCHDOG=1": m.Alive,
		} {
			if err := tell(); err != nil {
				t.Fatal(err)
			}
			if got := heard.hears(); got != want {
				t.Errorf("the manager heard %q, want %q", got, want)
			}
		}
		if err := m.Reloading(); err != nil {
			t.Fatal(err)
		}
		message := heard.hears()
		at := regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=([0-9]+)$`).FindStringSubmatch(message)
		if at == nil {
			t.Fatalf("the manager heard %q", message)
		}
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
			t.Fatal(err)
		}
		since, _ := strconv.ParseInt(at[1], 10, 64)
		if ago := time.Duration(now.Nano()) - time.Duration(since)*time.Microsecond; ago < 0 || ago > 10*time.Second {
			t.Errorf("the reload began %v ago by what the manager heard", ago)
		}
	}
}

func TestWhereNobodyWantsToKnowNobodyIsTold(t *testing.T) {
	m, err := notify.Connect("")
	if m != nil || err != nil {
		t.Fatalf("%v, %v", m, err)
	}
	for _, err := range []error{m.Ready("listening"), m.Reloading(), m.Stopping(), m.Alive()} {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestManagerThatIsNotThere(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	for socket, want := range map[string]string{
		absent:    "connecting to the service manager: dial unixgram " + absent,
		"vsock:2": `connecting to the service manager: NOTIFY_SOCKET is "vsock:2", which is neither a path nor an abstract socket`,
	} {
		if _, err := notify.Connect(socket); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", socket, err)
		}
	}
	// One that has gone, and one that does not listen, hold nobody up for long.
	socket := filepath.Join(t.TempDir(), "notify")
	heard := newManager(t, socket)
	m, err := notify.Connect(socket)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for err == nil && time.Since(begun) < 10*time.Second {
		err = m.Alive()
	}
	if err == nil || !strings.HasPrefix(err.Error(), "telling the service manager: ") {
		t.Errorf("a manager that reads nothing: %v", err)
	}
	heard.conn.Close()
	if err := m.Alive(); err == nil {
		t.Error("a manager that has gone took a message")
	}
}
