package control

import "time"

// Status is what a running serve knows. The names of its fields in JSON are for scripts too, and stay.
type Status struct {
	// Ready is whether connections are taken and everything that was read last was good; Faults say why not.
	Ready  bool     `json:"ready"`
	Faults []string `json:"faults"`
	// Address is what it listens on, Started when it began.
	Address string    `json:"address"`
	Started time.Time `json:"started"`
	// Loaded is when the files were last read into force, and Revocations how many came into force with them.
	Loaded      time.Time `json:"loaded"`
	Revocations int       `json:"revocations"`
	// Unsigned is how many of what is revoked the signed lists for other servers lack, and UnsignedSince when the first of
	// those was revoked; nil where there are none, or none tells.
	Unsigned      int        `json:"unsigned"`
	UnsignedSince *time.Time `json:"unsigned_since,omitempty"`
	// Expires is what lapses: the server's certificate, those of the authorities, the signed lists.
	Expires []Expiry `json:"expires"`
	// Sessions are those that are served now, by name.
	Sessions []Session `json:"sessions"`
}

// Expiry is something that lapses, and takes more with it than one client.
type Expiry struct {
	What string     `json:"what"` // "server", "authority", or "list": a signed revocation list
	Name string     `json:"name"` // the subject's common name; of a list, that of who signed it
	End  *time.Time `json:"end"`  // nil for a list that names no next one
}

// Session is one connected peer.
type Session struct {
	Name        string    `json:"name"`        // of its certificate
	Callsign    string    `json:"callsign"`    // in its own words; empty while it has told none
	Groups      []string  `json:"groups"`      // that it is in; "__ANON__" alone where it is in none
	Serial      string    `json:"serial"`      // of its certificate, in lower-case hex
	Generation  int       `json:"generation"`  // of its certificate among those of the name, from 1; 0 where it is not known
	Fingerprint string    `json:"fingerprint"` // SHA-256 of its certificate, in lower-case hex
	Address     string    `json:"address"`
	Since       time.Time `json:"since"`
	Encoding    string    `json:"encoding"` // "xml" or "protobuf"
	TLS         string    `json:"tls"`      // "TLS 1.3"
	QueueEvents int       `json:"queue_events"`
	QueueBytes  int       `json:"queue_bytes"`
	Received    uint64    `json:"received"` // events
	Sent        uint64    `json:"sent"`     // events
	Dropped     uint64    `json:"dropped"`  // what it sent and was not passed on
}

// Kick asks for the end of every session of a name.
type Kick struct {
	Name string `json:"name"`
}

// Kicked tells how many sessions were cut.
type Kicked struct {
	Name string `json:"name"`
	Cut  int    `json:"cut"`
}

// Unbind asks that a uid be free for whoever claims it next.
type Unbind struct {
	UID string `json:"uid"`
}

// Unbound tells whether a name had claimed the uid.
type Unbound struct {
	UID   string `json:"uid"`
	Bound bool   `json:"was_bound"`
}
