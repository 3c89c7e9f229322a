package roster

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/keyfile"
)

// sheet is a roster that is being read: the rows that are sound so far, and what is wrong with the others.
type sheet struct {
	defaults Row
	rows     []Row
	faults   Faults
	count    int             // of rows, the faulty ones too
	seen     map[string]seen // by the folded name
}

// seen is a name that a row has.
type seen struct {
	line int
	name string
}

func newSheet(defaults Row) (*sheet, error) {
	defaults.Line, defaults.Name = 0, ""
	r := recordOf(defaults)
	vetted := r.row()
	if len(r.errors) > 0 {
		return nil, fmt.Errorf("what is given for all rows: %w", errors.Join(r.errors...))
	}
	if len(vetted.Families) == 0 {
		vetted.Families = []string{string(datapackage.ATAK)}
	}
	if vetted.Key == "" {
		vetted.Key = keyfile.RSA2048
	}
	return &sheet{defaults: vetted, seen: map[string]seen{}}, nil
}

// add vets a row, and tells whether another one may follow.
func (s *sheet) add(r record) bool {
	if s.count++; s.count > MaxRows {
		s.faults.addAll(r.line, "", fmt.Errorf("more than %d rows: divide the roster", MaxRows))
		return false
	}
	row := r.row()
	given := func(c column) bool { return r.given[c] != nil }
	if !given(nameColumn) {
		r.fail(errors.New("it has no name"))
	} else if row.Name != "" {
		s.compare(&r, row)
	}
	if !given(hostColumn) {
		if row.Hosts = s.defaults.Hosts; len(row.Hosts) == 0 {
			r.fail(errors.New("it has no host to connect to, and none is given for all rows"))
		}
	}
	if !given(familyColumn) {
		row.Families = s.defaults.Families
	}
	if others := row.Families; len(row.Hosts) > 1 && (len(others) != 1 || others[0] != string(datapackage.ATAK)) {
		r.fail(errors.New("several hosts go into packages for atak alone: the other clients take one"))
	}
	if !given(groupsColumn) {
		row.Groups = s.defaults.Groups
	}
	if !given(contactColumn) {
		row.Contact = s.defaults.Contact
	}
	if !given(daysColumn) {
		row.Days = s.defaults.Days
	}
	if !given(keyColumn) {
		row.Key = s.defaults.Key
	}
	if len(r.errors) > 0 {
		s.faults.addAll(r.line, r.first(nameColumn), r.errors...)
	} else {
		s.rows = append(s.rows, row)
	}
	return true
}

// compare looks for an earlier row that has the name, or one that would be taken for it.
func (s *sheet) compare(r *record, row Row) {
	key := strings.Map(fold, row.Name)
	switch earlier, ok := s.seen[key]; {
	case !ok:
		s.seen[key] = seen{row.Line, row.Name}
	case earlier.name == row.Name:
		r.fail(fmt.Errorf("the row in line %d has this name too", earlier.line))
	default:
		r.fail(fmt.Errorf("it differs from %q in line %d in nothing but capitals, and one would be taken for the other: rename one",
			earlier.name, earlier.line))
	}
}

// fold returns the least of the characters that differ from r in case alone. Weiß and Weiss stay two names.
func fold(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}
