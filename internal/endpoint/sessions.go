package endpoint

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// ghostAfter is how long a session must have been silent to be taken for dead. ATAK sends a ping when it has received
// nothing for 15 s; in a busy network it may be silent for longer, so a dead session only ever makes room for its
// own certificate.
const ghostAfter = 30 * time.Second

// sessions are all that may have to be judged anew: who is in here before its first judgement cannot slip past a
// change of the trust that happens meanwhile.
type sessions struct {
	limit int // of all
	each  int // of one certificate

	mu     sync.Mutex
	all    map[*session]struct{}
	ghosts map[*session]struct{} // have lost their place, and may not have been cut yet
	certs  map[string]int        // how many of all, by the certificate's fingerprint
	closed bool
}

// add enters s and returns OK, or else Full or Drained. When there is no place left, or the certificate has too many, s
// takes that of its ghost, which the caller has to cut.
func (t *sessions) add(s *session) (cause Cause, ghost *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return Drained, nil
	}
	if t.certs[s.peer.Fingerprint] >= t.each {
		ghost = t.ghostOf(s, 0)
	} else if len(t.all) >= t.limit {
		if ghost = t.ghostOf(s, ghostAfter); ghost == nil {
			return Full, nil
		}
	}
	if t.all == nil {
		t.all, t.ghosts, t.certs = make(map[*session]struct{}), make(map[*session]struct{}), make(map[string]int)
	}
	if ghost != nil {
		t.out(ghost)
		t.ghosts[ghost] = struct{}{}
	}
	t.all[s] = struct{}{}
	t.certs[s.peer.Fingerprint]++
	return OK, ghost
}

// out takes s out; mu is held.
func (t *sessions) out(s *session) {
	if _, in := t.all[s]; !in {
		return
	}
	delete(t.all, s)
	if t.certs[s.peer.Fingerprint]--; t.certs[s.peer.Fingerprint] == 0 {
		delete(t.certs, s.peer.Fingerprint)
	}
}

// ghostOf returns the session with the same certificate as s that has been silent longest, if that is as long as least:
// what is left of a device that changed its network, for one. mu is held.
func (t *sessions) ghostOf(s *session, least time.Duration) (ghost *session) {
	longest := least
	for other := range t.all {
		if other.peer.Fingerprint != s.peer.Fingerprint {
			continue
		}
		if silent := other.silent(); silent >= longest {
			ghost, longest = other, silent
		}
	}
	return ghost
}

// full reports whether there is no place left.
func (t *sessions) full() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.all) >= t.limit
}

// remove takes out s, which has ended.
func (t *sessions) remove(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out(s)
	delete(t.ghosts, s)
}

// close takes no more.
func (t *sessions) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}

// picture returns all that may still take part in the exchange.
func (t *sessions) picture() []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.AppendSeq(slices.AppendSeq(make([]*session, 0, len(t.all)+len(t.ghosts)), maps.Keys(t.all)), maps.Keys(t.ghosts))
}
