package reload

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/ftsca/ftsca/internal/groups"
)

// GroupsError says why groups.yaml cannot be used.
type GroupsError struct {
	Path string
	Err  error // a *[groups.SyntaxError] with line and column, or that of reading the file
}

func (e *GroupsError) Error() string {
	return fmt.Sprintf("the groups in %s cannot be used: %v", e.Path, e.Err)
}

// Unwrap returns what is wrong with the file.
func (e *GroupsError) Unwrap() error { return e.Err }

// membership is who is in which group.
//
// Every beginning of a file of groups is a file of groups, an empty one too. So one that is being written in place has no
// fault to show, and takes people out of their groups as long as it lasts: what is read waits until nobody has written
// for a moment.
type membership struct {
	part
	inForce map[string][]string // by name; nil where there was no file yet
	next    map[string][]string // what is to be in force; nil where nothing else is
	written time.Time           // when the file last changed, in real time
}

// load reads the file where it changed. That one which was there is gone is a fault: to lose it puts nobody into the
// open.
func (m *membership) load(s *source) {
	defer s.forget()
	m.touched = s.touched
	if s.touched || s.changed {
		m.written = time.Now()
	}
	if !s.changed {
		return
	}
	m.next = nil
	if s.missing() && m.inForce == nil && !dangles(s.path) {
		m.fault(nil)
		return
	}
	next, err := readGroups(s)
	if err != nil {
		m.fault(&GroupsError{Path: s.path, Err: err}, s)
		return
	}
	m.next = next
}

// settled tells whether what is to be in force has been the same for a moment.
func (m *membership) settled() bool { return m.next != nil && time.Since(m.written) >= grace }

// take puts what was read in force, and returns whether that is something else than before. The fault of what was read
// before it is over.
func (m *membership) take() (changed bool) {
	if m.next == nil {
		return false
	}
	changed = m.inForce == nil || !maps.EqualFunc(m.inForce, m.next, slices.Equal)
	if changed {
		m.inForce = m.next
	}
	m.next = nil
	m.fault(nil)
	return changed
}

func readGroups(s *source) (map[string][]string, error) {
	if s.err == nil && s.info.Size() > groups.MaxSize {
		return nil, fmt.Errorf("it has more than %d MiB", groups.MaxSize>>20)
	}
	data, err := s.content()
	if err != nil {
		return nil, err
	}
	members, err := groups.Parse(data)
	giveBack(len(members))
	return members, err
}

// dangles tells whether path is a symbolic link to nothing: somebody means there to be a file.
func dangles(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
