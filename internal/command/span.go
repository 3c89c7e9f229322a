package command

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// span is a flag's value: a time in days (30d), or as Go writes durations (36h).
type span time.Duration

const day = 24 * time.Hour

// longestSpan is a hundred years: what is longer is a slip.
const longestSpan = 36500 * day

func (s *span) Set(text string) error {
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		if n, err = strconv.Atoi(days); err == nil && n <= int(longestSpan/day) {
			d = time.Duration(n) * day
		}
	}
	if err != nil || d <= 0 || d > longestSpan {
		return fmt.Errorf("%q is no time such as 30d or 36h, up to 36500d", text)
	}
	*s = span(d)
	return nil
}

func (s *span) String() string {
	switch d := time.Duration(*s); {
	case d == 0:
		return ""
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	default:
		return d.String()
	}
}

func (s *span) Type() string { return "time" }
