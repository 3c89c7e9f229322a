package roster

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/keyfile"
)

const (
	maxDays    = 36500 // as for any leaf
	maxContact = 320   // characters: 64 before and 255 after the @ of a mail address (RFC 5321, 4.5.3.1)
	keptErrors = 20    // of one row
)

// record is a row as it stands in the file.
type record struct {
	line   int
	given  [columns][]string // without blanks at the edges; nil where nothing is given, empty where it was refused
	errors []error
}

func (r *record) fail(err error) {
	if len(r.errors) < keptErrors {
		r.errors = append(r.errors, err)
	}
}

// set gives a column its values, which were size octets in the file.
func (r *record) set(c column, size int, values []string) {
	switch {
	case size > maxCell:
		r.refuse(c, fmt.Errorf("%s: %d octets, and at most %d fit", c, size, maxCell))
	case len(values) > maxValues:
		r.refuse(c, fmt.Errorf("%s: more than %d of them", c, maxValues))
	default:
		r.given[c] = values
	}
}

// refuse leaves a column without a value, but not to the default.
func (r *record) refuse(c column, err error) {
	r.fail(err)
	r.given[c] = []string{}
}

func (r *record) first(c column) string {
	if len(r.given[c]) == 0 {
		return ""
	}
	return r.given[c][0]
}

// recordOf is the way back.
func recordOf(r Row) record {
	one := func(s string) []string { return appendValue(nil, s) }
	var days []string
	if r.Days != 0 {
		days = one(strconv.Itoa(r.Days))
	}
	return record{line: r.Line, given: [columns][]string{
		nameColumn: one(r.Name), hostColumn: r.Hosts, familyColumn: r.Families, groupsColumn: r.Groups,
		contactColumn: one(r.Contact), daysColumn: days, keyColumn: one(string(r.Key)),
	}}
}

// row vets the fields, and leaves those empty that are not given or, with an error each, cannot stand.
func (r *record) row() Row {
	row := Row{Line: r.line}
	try := func(err error) bool {
		if err != nil {
			r.fail(err)
		}
		return err == nil
	}
	if s := r.first(nameColumn); s != "" {
		if subject, err := (csr.Subject{CommonName: s}).Vet(); err != nil {
			r.fail(errors.Unwrap(err)) // which field it is, and its text, the fault says
		} else {
			row.Name = subject.CommonName
		}
	}
	for _, s := range r.given[hostColumn] {
		host, port, err := datapackage.ParseHost(s)
		if address := net.JoinHostPort(host, strconv.Itoa(port)); try(err) && !slices.Contains(row.Hosts, address) {
			row.Hosts = append(row.Hosts, address)
		}
	}
	for _, s := range r.given[groupsColumn] {
		if group, err := vetGroup(s); try(err) && !slices.Contains(row.Groups, group) {
			row.Groups = append(row.Groups, group)
		}
	}
	var err error
	if given := r.given[familyColumn]; len(given) > 0 {
		families, err := datapackage.ParseFamilies(strings.Join(given, ","))
		try(err)
		for _, f := range families {
			row.Families = append(row.Families, string(f))
		}
	}
	if s := r.first(contactColumn); s != "" {
		row.Contact, err = vetContact(s)
		try(err)
	}
	if s := r.first(daysColumn); s != "" {
		n, err := strconv.ParseUint(s, 10, 31)
		if err != nil || n < 1 || n > maxDays {
			r.fail(fmt.Errorf("days %.100q: want a whole number from 1 to %d", s, maxDays))
		}
		row.Days = int(n)
	}
	if s := r.first(keyColumn); s != "" {
		row.Key, err = keyfile.ParseAlgorithm(strings.ToLower(s))
		try(err)
	}
	return row
}

func vetGroup(s string) (string, error) {
	subject, err := csr.Subject{CommonName: "any", Groups: []string{s}}.Vet()
	switch {
	case err != nil:
		return "", fmt.Errorf("group %.100q: %w", s, errors.Unwrap(err))
	case strings.ContainsFunc(s, separates):
		return "", fmt.Errorf("group %.100q: '|', ';' and ',' stand between two groups, and in none", s)
	}
	return subject.Groups[0], nil
}

// vetContact refuses what would break a line or turn its direction.
func vetContact(s string) (string, error) {
	s = norm.NFC.String(s)
	for _, r := range s {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control) || r == utf8.RuneError || r == '\ufeff' {
			return "", fmt.Errorf("contact %.100q: the character %U does not stand in a line of text", s, r)
		}
	}
	if n := utf8.RuneCountInString(s); n > maxContact {
		return "", fmt.Errorf("contact %.100q: %d characters, and at most %d fit", s, n, maxContact)
	}
	return s, nil
}
