package output

import (
	"fmt"
	"time"
)

// In seconds: a certificate may end in the year 9999, farther away than a time.Duration can say.
const (
	minute int64 = 60
	hour         = 60 * minute
	day          = 24 * hour
	year         = 365*day + day/4
)

// Time writes a point in time, always in UTC. For a pipe (tty false) it is RFC 3339 in whole seconds, and empty for the
// zero time. For a person it is the date with the distance from now, "2027-03-01 (in 30 days)", with the time of day
// when less than two days lie between; "-" stands for the zero time. Distances are rounded towards now, so that
// nothing looks farther away than it is.
func Time(t, now time.Time, tty bool) string {
	switch {
	case t.IsZero() && tty:
		return "-"
	case t.IsZero():
		return ""
	case !tty:
		return t.UTC().Format(time.RFC3339)
	}
	distance := t.Unix() - now.Unix()
	layout := time.DateOnly
	if -2*day < distance && distance < 2*day {
		layout = "2006-01-02 15:04Z"
	}
	return fmt.Sprintf("%s (%s)", t.UTC().Format(layout), relative(distance))
}

// Brief writes a point in time for a person where there is little room, in UTC: its time of day, "15:04Z", when less than
// a day lies between it and now, and otherwise its date. "-" stands for the zero time.
func Brief(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	if distance := t.Unix() - now.Unix(); -day < distance && distance < day {
		return t.UTC().Format("15:04Z")
	}
	return t.UTC().Format(time.DateOnly)
}

func relative(distance int64) string {
	amount := span(max(distance, -distance))
	switch {
	case amount == "":
		return "now"
	case distance < 0:
		return amount + " ago"
	}
	return "in " + amount
}

// span is empty below a minute.
func span(seconds int64) string {
	for _, unit := range []struct {
		size, from int64
		name       string
	}{
		{year, 2 * year, "year"},
		{day, 2 * day, "day"},
		{hour, hour, "hour"},
		{minute, minute, "minute"},
	} {
		if seconds < unit.from {
			continue
		}
		n := seconds / unit.size
		if n == 1 {
			return "1 " + unit.name
		}
		return fmt.Sprintf("%d %ss", n, unit.name)
	}
	return ""
}
