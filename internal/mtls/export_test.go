package mtls

import "time"

// NewGateWithTickets is NewGate for a gate that hands out session tickets, so that tests can resume sessions.
func NewGateWithTickets(t *Trust, now func() time.Time) *Gate {
	g := NewGate(nil, now)
	g.tickets = true
	g.Swap(t)
	return g
}
