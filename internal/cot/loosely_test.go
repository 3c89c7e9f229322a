package cot_test

import (
	"encoding/xml"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/cot"
)

// sameLoosely checks that no reader of an event, however loosely it reads, takes it to be about anything else.
func sameLoosely(t *testing.T, raw []byte, e cot.Event) {
	t.Helper()
	for what, said := range loosely(t, raw) {
		want := map[string]string{"uid": e.UID, "type": e.Type, "gone": e.Link}[what]
		for _, got := range said {
			if got != want {
				t.Fatalf("of %q\nsome read %s %q, we %q", raw, what, got, want)
			}
		}
	}
}

// loosely returns all that readers may take for the uid and the type, by local names: of each event that does not stand in
// a detail, and where something is deleted for what that is: of each link. An absent attribute is an empty one.
func loosely(t *testing.T, raw []byte) map[string][]string {
	t.Helper()
	said := map[string][]string{}
	var links []string
	for start, in := range startTags(t, raw) {
		// all returns the values of all attributes of a local name.
		all := func(name string) (values []string) {
			for _, a := range start.Attr {
				if a.Name.Local == name {
					values = append(values, valueMeaning(a.Value))
				}
			}
			if values == nil {
				values = []string{""}
			}
			return values
		}
		inDetail := slices.ContainsFunc(in, func(n xml.Name) bool { return n.Local == "detail" })
		switch name := start.Name.Local; {
		case name == "event" && !inDetail:
			said["uid"], said["type"] = append(said["uid"], all("uid")...), append(said["type"], all("type")...)
		case name == "link":
			links = append(links, all("uid")...)
		}
	}
	if slices.ContainsFunc(said["type"], func(kind string) bool { return strings.HasPrefix(kind, "t-x-d-d") }) {
		said["gone"] = links
	}
	return said
}
