package crl

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// firstYear is before any X.509 certificate, so an earlier date is a slip.
const firstYear = 1990

// dateLayouts are how people and programs write a time. Go's parser takes a fraction of a second with each.
var dateLayouts = [...]string{
	time.RFC3339,
	"2006-01-02T15:04:05",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05Z07",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02",
}

var errNoDate = errors.New(`it is no date in the form "2024-03-04T10:00:00Z"`)

// ParseDate reads a date as lists have it: RFC 3339, with or without a zone, a fraction and the time of day. zoned tells
// whether it names a zone; one that does not is taken as UTC. It is an error before 1990.
func ParseDate(s string) (t time.Time, zoned bool, err error) {
	if t, err = parseDate(s); err != nil {
		return time.Time{}, false, fmt.Errorf("the date %s: %w", quote(s), err)
	}
	return t, hasZone(s), nil
}

// hasZone tells whether a date names its zone: a Z or an offset, behind the time of day.
func hasZone(date string) bool {
	_, clock, timed := strings.Cut(strings.ReplaceAll(strings.ToUpper(strings.TrimSpace(date)), " ", "T"), "T")
	return timed && strings.ContainsAny(clock, "Z+-")
}

// parseDate reads RFC 3339, with or without a zone (UTC without), a fraction and the time of day. Python's
// datetime.now(timezone.utc).isoformat() + 'Z' names its zone twice.
func parseDate(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = looseDate(s)
	}
	if err != nil {
		return time.Time{}, err
	}
	if t = t.UTC(); t.Year() < firstYear {
		return time.Time{}, fmt.Errorf("it lies before %d", firstYear)
	}
	return t, nil
}

func looseDate(s string) (time.Time, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) > len("2006-01-02") && s[len("2006-01-02")] == ' ' {
		s = strings.Replace(s, " ", "T", 1)
	}
	if zone, ok := strings.CutSuffix(s, "+00:00Z"); ok {
		s = zone + "Z"
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errNoDate
}

// formatDate writes a date as FreeTAKServer's documents do. It returns "" for one that parseDate would refuse.
func formatDate(t time.Time) string {
	if t = t.UTC(); t.Year() < firstYear || t.Year() > 9999 {
		return ""
	}
	return t.Format("2006-01-02T15:04:05Z")
}
