package endpoint

import (
	"net"
	"testing"

	"github.com/ftsca/ftsca/internal/mtls"
)

// Who has just lost its place to the same device come anew may be cut a moment later.
func TestWhoMakesRoomIsJudgedUntilItIsCut(t *testing.T) {
	e := New(Config{Gate: mtls.NewGate(nil, nil), MaxSessionsPerCert: 1}) // a gate that lets nobody in
	open := func() *session {
		here, there := net.Pipe()
		t.Cleanup(func() { here.Close(); there.Close() })
		return e.newSession(here, here, mtls.Peer{Name: "phone", Fingerprint: "phone"})
	}
	old, anew := open(), open()
	e.sessions.add(old)
	enrol(e.hub, as(old, "phone"))
	if _, ghost := e.sessions.add(anew); ghost != old {
		t.Fatal("it did not lose its place")
	}
	e.Judge()
	s, p := seenAt("phone", "where it is")
	if e.hub.publish(old, p, []sighting{s}, nil).taken {
		t.Error("it is heard after the judgement")
	}
	e.sessions.remove(old)
	e.sessions.remove(anew)
	if left := e.sessions.picture(); len(left) != 0 {
		t.Errorf("%d sessions are left", len(left))
	}
}

// Between asking and joining nobody may be moved.
func TestGroupsAreAskedForInTheStepOfJoining(t *testing.T) {
	h, _, _ := crowd(0)
	h.join(as(&listener{}, "newcomer"), func() *groupSet {
		if h.mu.TryRLock() {
			t.Error("somebody may be moved meanwhile")
			h.mu.RUnlock()
		}
		return everybody
	})
}
