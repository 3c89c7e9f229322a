package output_test

import (
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/output"
)

func TestTime(t *testing.T) {
	now := time.Date(2027, 1, 30, 12, 0, 0, 0, time.UTC)
	berlin := time.FixedZone("CET", 3600)
	const day = 24 * time.Hour
	tests := []struct {
		name string
		t    time.Time
		tty  bool
		want string
	}{
		{"PipedIsRFC3339InUTC", now.In(berlin).Add(123 * time.Millisecond), false, "2027-01-30T12:00:00Z"},
		{"PipedZeroIsEmpty", time.Time{}, false, ""},
		{"ZeroIsADash", time.Time{}, true, "-"},
		{"Days", now.Add(30*day + 23*time.Hour), true, "2027-03-02 (in 30 days)"},
		{"DaysAgo", now.Add(-3 * day), true, "2027-01-27 (3 days ago)"},
		{"DateIsUTC", time.Date(2027, 3, 2, 0, 30, 0, 0, berlin), true, "2027-03-01 (in 30 days)"},
		{"Years", now.AddDate(10, 0, 1), true, "2037-01-31 (in 10 years)"},
		{"JustBelowTwoYearsIsDays", now.Add(730 * day), true, "2029-01-29 (in 730 days)"},
		{"Hours", now.Add(47*time.Hour + 59*time.Minute), true, "2027-02-01 11:59Z (in 47 hours)"},
		{"TwoDays", now.Add(48 * time.Hour), true, "2027-02-01 (in 2 days)"},
		{"OneHour", now.Add(119 * time.Minute), true, "2027-01-30 13:59Z (in 1 hour)"},
		{"Minutes", now.Add(-2 * time.Minute), true, "2027-01-30 11:58Z (2 minutes ago)"},
		{"Now", now.Add(59 * time.Second), true, "2027-01-30 12:00Z (now)"},
		{"FarBeyondAnyDuration", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), true, "9999-12-31 (in 7972 years)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := output.Time(tt.t, now, tt.tty); got != tt.want {
				t.Errorf("Time is %q, want %q", got, tt.want)
			}
		})
	}
}

func TestBriefIsTheTimeOfTodayAndTheDateOfOtherDays(t *testing.T) {
	now := time.Date(2027, 1, 30, 12, 0, 0, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"-":          {},
		"11:58Z":     now.Add(-2 * time.Minute).In(time.FixedZone("CET", 3600)),
		"12:01Z":     now.Add(-23*time.Hour - 59*time.Minute),
		"2027-01-29": now.Add(-24 * time.Hour),
		"11:59Z":     now.Add(24*time.Hour - time.Minute),
		"2027-01-31": now.Add(24 * time.Hour),
	} {
		if got := output.Brief(at, now); got != want {
			t.Errorf("Brief of %s is %q, want %q", at, got, want)
		}
	}
}
