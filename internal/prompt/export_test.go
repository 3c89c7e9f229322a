package prompt

import "time"

// SetReportWait shortens the wait for a terminal that does not tell where its cursor is.
func (t *Terminal) SetReportWait(d time.Duration) { t.reportWait = d }
