package endpoint

import "time"

// tellEvery is how often the log hears at most of one thing that a session does over and over.
const tellEvery = time.Minute

// A reminder says when the log is to hear of something again. The zero reminder is due.
type reminder struct{ told time.Time }

// due tells whether the log is to hear of it now, and if so takes it that it does.
func (r *reminder) due(now time.Time) bool {
	if !r.told.IsZero() && now.Sub(r.told) < tellEvery {
		return false
	}
	r.told = now
	return true
}
