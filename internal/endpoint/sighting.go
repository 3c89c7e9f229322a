package endpoint

import (
	"strings"
	"time"
)

// A sighting is what an event says about where somebody or something is.
type sighting struct {
	uid, kind, callsign, team string

	own   bool // it is a position that names a contact endpoint: the sender speaks of itself
	gone  bool // it says that what has this uid is to be taken off the map
	stale time.Time
	bytes []byte // the event as it came, within the parcel it travels in
	other []byte // the same in the other encoding, where the parcel was made with both
}

// keeps tells whether what an event of this type says is kept for newcomers: positions and markers, points, routes,
// drawings. They are the types that taky keeps, and routes.
func keeps(kind string) bool {
	for _, prefix := range []string{"a-", "b-m-p", "b-m-r", "b-r-f-h-c", "u-d-c", "u-d-r", "u-d-f"} {
		if strings.HasPrefix(kind, prefix) {
			return true
		}
	}
	return false
}
