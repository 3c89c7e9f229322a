package ca

import (
	"fmt"
	"time"
)

// Clock is the time by which an authority signs, and what is known about it.
type Clock struct {
	Now    func() time.Time // required
	Built  time.Time        // the clock cannot be right before the program was built; zero where that is not known
	Ignore bool             // sign at any time; the audit trail says so
}

// clockSlack is how far the clock may lag behind the ledger's last entry: two machines' clocks differ by minutes, a
// dead clock battery by years.
const clockSlack = 10 * time.Minute

// Check tells by a *[ClockError] that the clock lies more than ten minutes before latest, the time of the ledger's last
// entry, or before the program was built. Where that is to be ignored, it returns what the audit trail shall say.
func (c Clock) Check(latest time.Time) (remark string, err error) {
	now, wrong := c.Now(), ClockError{}
	switch {
	case !latest.IsZero() && now.Before(latest.Add(-clockSlack)):
		wrong = ClockError{Now: now, After: latest, What: "the ledger's last entry is of"}
	case now.Before(c.Built):
		wrong = ClockError{Now: now, After: c.Built, What: "this program was built on"}
	default:
		return "", nil
	}
	if !c.Ignore {
		return "", &wrong
	}
	return "the clock was overridden: " + wrong.Error(), nil
}

// ClockError says that the clock shows a time that cannot be.
type ClockError struct {
	Now, After time.Time
	What       string // what happened at After
}

func (e *ClockError) Error() string {
	return fmt.Sprintf("the clock shows %s, and %s %s", e.Now.UTC().Format(time.RFC3339), e.What, e.After.UTC().Format(time.RFC3339))
}
