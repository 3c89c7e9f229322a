package metrics

import (
	"slices"
	"sync"
	"time"
)

// Loaded is what the endpoint has read from its folder.
type Loaded struct {
	Revocations  int           // in force
	Certificates []Certificate // the server's and those of the authorities
	Lists        []List        // the signed revocation lists
	Faults       []string      // what could not be read, and has kept what it said before; none where all is good
}

// Certificate is one whose end would take more with it than one client.
type Certificate struct {
	Role string // "server" or "authority"
	Name string // its subject's common name
	End  time.Time
}

// List is a signed revocation list.
type List struct {
	Authority  string // common name of who signed it
	Made, Next time.Time
}

// State is what the endpoint last loaded, and whether it serves. The zero State is not ready. Its methods may be called
// from any goroutine.
type State struct {
	mu        sync.Mutex
	loaded    Loaded
	at        time.Time
	serving   bool
	sandboxed bool
	reloads   uint64 // without the first
	faults    uint64
}

// Load takes what was loaded, at which time.
func (s *State) Load(l Loaded, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.at.IsZero() {
		s.reloads++
	}
	s.loaded, s.at = l, at
}

// Fault takes what could not be read since, until the next Load.
func (s *State) Fault(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults++
	if !slices.Contains(s.loaded.Faults, why) {
		s.loaded.Faults = append(slices.Clip(s.loaded.Faults), why)
	}
}

// Serve says that connections are taken from now on, or no more.
func (s *State) Serve(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving = yes
}

// Confine says that the process is confined to the endpoint's folder, or that it is not.
func (s *State) Confine(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sandboxed = yes
}

// Unready says why the endpoint is not ready, a sentence each; nothing where it is. Who is connected is served all the
// same, by what was loaded before.
func (s *State) Unready() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var why []string
	if !s.serving {
		why = append(why, "no connections are taken")
	}
	return append(why, s.loaded.Faults...)
}

func (s *State) confined() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sandboxed
}

// Loaded returns what was last loaded, at which time, and the faults since.
func (s *State) Loaded() (Loaded, time.Time) {
	l, at, _, _ := s.picture()
	l.Faults = slices.Clone(l.Faults)
	return l, at
}

// picture returns all of it.
func (s *State) picture() (l Loaded, at time.Time, reloads, faults uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l = s.loaded
	l.Certificates, l.Lists = slices.Clone(l.Certificates), slices.Clone(l.Lists)
	return l, s.at, s.reloads, s.faults
}
