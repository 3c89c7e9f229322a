package endpoint

import "sync"

// sessions are all that may have to be judged anew: who is in here before its first judgement cannot slip past a
// change of the trust that happens meanwhile.
type sessions struct {
	mu     sync.Mutex
	all    map[*session]struct{}
	closed bool
}

// add returns false when no more sessions are taken.
func (t *sessions) add(s *session) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	if t.all == nil {
		t.all = make(map[*session]struct{})
	}
	t.all[s] = struct{}{}
	return true
}

func (t *sessions) remove(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, s)
}

// close takes no more.
func (t *sessions) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}

// picture returns those that are in now.
func (t *sessions) picture() []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*session, 0, len(t.all))
	for s := range t.all {
		all = append(all, s)
	}
	return all
}
