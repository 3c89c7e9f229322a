// Package notify tells the service manager that started the process how it is, by the protocol of sd_notify(3). Start with
// [Connect].
//
// It connects once and keeps the connection. The libraries for this connect anew for each message, which a process that
// has confined itself may not be able to: Landlock keeps it from sockets outside, abstract ones first.
package notify

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// patience is how long a manager that has no room for a message is waited for.
const patience = time.Second

// Manager is the service manager. A nil Manager is nobody, and whatever it is told goes nowhere.
//
// Its methods return an error where the message could not be left with the manager, which may have gone. They may be called
// from any goroutine.
type Manager struct{ conn net.Conn }

// Connect connects to the manager whose socket the environment's NOTIFY_SOCKET names. Where that is empty, nobody wants to
// know, and the Manager is nil.
func Connect(socket string) (*Manager, error) {
	if socket == "" {
		return nil, nil
	}
	if !strings.HasPrefix(socket, "/") && !strings.HasPrefix(socket, "@") {
		return nil, fmt.Errorf("connecting to the service manager: NOTIFY_SOCKET is %q, which is neither a path nor an abstract socket", socket)
	}
	conn, err := net.Dial("unixgram", socket)
	if err != nil {
		return nil, fmt.Errorf("connecting to the service manager: %w", err)
	}
	return &Manager{conn}, nil
}

// Ready says that the process is started up, or has read everything anew, with a line for people about it.
func (m *Manager) Ready(status string) error {
	return m.tell("READY=1\nSTATUS=" + strings.ReplaceAll(status, "\n", " "))
}

// Reloading says that the process has begun to read everything anew. Ready ends it.
func (m *Manager) Reloading() error {
	since, err := monotonic()
	if errors.Is(err, errors.ErrUnsupported) {
		return m.tell("RELOADING=1")
	} else if err != nil {
		return fmt.Errorf("telling the service manager: %w", err)
	}
	return m.tell(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", since.Microseconds()))
}

// Stopping says that the process has begun to end.
func (m *Manager) Stopping() error { return m.tell("STOPPING=1") }

// Alive says that the process does what it is for. A manager that is to be told so kills one of which it hears nothing for
// longer than it has said.
func (m *Manager) Alive() error { return m.tell("WATCHDOG=1") }

func (m *Manager) tell(message string) error {
	if m == nil {
		return nil
	}
	err := m.conn.SetWriteDeadline(time.Now().Add(patience))
	if err == nil {
		_, err = m.conn.Write([]byte(message))
	}
	if err != nil {
		return fmt.Errorf("telling the service manager: %w", err)
	}
	return nil
}
