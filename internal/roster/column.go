package roster

import (
	"strings"
	"unicode"
)

// column is what a cell is about.
type column int

const (
	nameColumn column = iota
	hostColumn
	familyColumn
	groupsColumn
	contactColumn
	daysColumn
	keyColumn
	columns // how many there are
)

func (c column) String() string {
	return [columns]string{"name", "host", "family", "groups", "contact", "days", "key"}[c]
}

// allColumns lists them for an error.
const allColumns = "name, host, family, groups, contact, days and key"

// columnOf returns the column that a heading, or the name of a JSON member, means.
func columnOf(heading string) (column, bool) {
	plain := strings.NewReplacer("-", " ", "_", " ").Replace(strings.ToLower(heading))
	switch strings.Join(strings.Fields(plain), " ") {
	case "name", "callsign":
		return nameColumn, true
	case "host", "hosts", "server":
		return hostColumn, true
	case "family", "families", "device", "device family":
		return familyColumn, true
	case "group", "groups":
		return groupsColumn, true
	case "contact", "e mail", "email":
		return contactColumn, true
	case "days":
		return daysColumn, true
	case "key":
		return keyColumn, true
	}
	return 0, false
}

// several tells whether a cell of the column may hold more than one value.
func (c column) several() bool { return c == hostColumn || c == groupsColumn || c == familyColumn }

// values cuts a cell into the values that it holds, without blanks at their edges and without empty ones.
func (c column) values(cell string) []string {
	if !c.several() {
		return appendValue(nil, cell)
	}
	var values []string
	for _, v := range strings.FieldsFunc(cell, func(r rune) bool {
		return separates(r) || r == '\n' || r == '\r' || c == hostColumn && unicode.IsSpace(r)
	}) {
		values = appendValue(values, v)
	}
	return values
}

func appendValue(values []string, v string) []string {
	if v = strings.TrimSpace(v); v == "" {
		return values
	}
	return append(values, v)
}

func separates(r rune) bool { return r == '|' || r == ';' || r == ',' }
