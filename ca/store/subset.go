package store

import (
	"slices"

	"github.com/ftsca/ftsca/crl"
)

// subset is some of a slice's entries, in its order: a copy only where it is not all of them, as it mostly is.
type subset struct {
	of, some []crl.Entry
	next     int
	copied   bool
}

// take decides about the next entry.
func (s *subset) take(yes bool) {
	switch {
	case yes && s.copied:
		s.some = append(s.some, s.of[s.next])
	case !yes && !s.copied:
		s.some, s.copied = slices.Clone(s.of[:s.next]), true
	}
	s.next++
}

// entries returns those that were taken.
func (s *subset) entries() []crl.Entry {
	if s.copied {
		return slices.Clip(s.some)
	}
	return slices.Clip(s.of[:s.next])
}
