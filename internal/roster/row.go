package roster

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/ftsca/ftsca/internal/keyfile"
)

// Row is a client to be, vetted.
type Row struct {
	Line     int      // where it begins in the file, from 1
	Name     string   // as csr.Subject.Vet returns it
	Hosts    []string // what the device connects to, at least one, each host:port as datapackage.ParseHost reads it
	Families []string // the clients that get a package, by the names of datapackage.Family; ATAK where a row says nothing
	Groups   []string // as csr.Subject.Vet returns them, none twice
	Contact  string   // how the client is reached: any text of one line, in normal form C; may be empty
	Days     int      // of validity, 1 to 36500; 0 leaves it to the profile
	Key      keyfile.Algorithm
}

// Digest returns 64 hex digits that stand for all of the row but its line, by which a later run recognises a row that is
// done. It is the same whatever the form of the file, the order of its columns, and the order of the groups. A ledger
// keeps it, so it never changes: a column that may come counts only where it is not empty.
func (r Row) Digest() string {
	h := sha256.New()
	// Each value comes with its length, so that no two rows hash the same octets.
	add := func(column string, values ...string) {
		for _, v := range values {
			if v != "" {
				fmt.Fprintf(h, "%s %d %s\n", column, len(v), v)
			}
		}
	}
	add("row", "1")
	add("name", r.Name)
	add("host", r.Hosts...)
	add("family", slices.Sorted(slices.Values(r.Families))...)
	add("group", slices.Sorted(slices.Values(r.Groups))...)
	add("contact", r.Contact)
	if r.Days != 0 {
		add("days", fmt.Sprint(r.Days))
	}
	add("key", string(r.Key))
	return hex.EncodeToString(h.Sum(nil))
}
