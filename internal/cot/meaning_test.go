package cot_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// meaning is what the schema of the protobuf messages knows of an event in XML, as encoding/xml reads it.
type meaning struct {
	Attributes string   // of the event, times in milliseconds
	Point      string   // its five numbers
	Detail     bool     // whether there is one
	Text       string   // directly in the details
	Typed      []string // details that have messages of their own, sorted
	Others     []string // the other details, in their order
}

// errUnreadable says that an event in XML lacks what a message needs.
var errUnreadable = errors.New("not a time or number, not there, or there twice")

// mean reads an event in XML. The error says that it lacks what a message needs.
func mean(t *testing.T, event []byte) (m meaning, err error) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(event))
	var detail strings.Builder // the detail that is being read
	depth, inDetail, point := 0, false, false
	finish := func(name string) {
		if slices.Contains([]string{"contact", "__group", "precisionlocation", "status", "takv", "track"}, name) {
			m.Typed = append(m.Typed, detail.String())
		} else {
			m.Others = append(m.Others, detail.String())
		}
		detail.Reset()
	}
	for {
		token, failed := d.RawToken()
		if failed == io.EOF {
			slices.Sort(m.Typed)
			if !point {
				err = errUnreadable
			}
			return m, err
		}
		if failed != nil {
			t.Fatalf("%.300q: %v", event, failed)
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			plain := token.Name.Space == ""
			switch {
			case depth == 1:
				m.Attributes, err = eventMeaning(token.Attr)
			case depth == 2 && plain && token.Name.Local == "point":
				var failed error
				if m.Point, failed = pointMeaning(token.Attr); failed != nil || point {
					err = errUnreadable
				}
				point = true
			case depth == 2 && plain && token.Name.Local == "detail":
				if m.Detail {
					err = errUnreadable
				}
				m.Detail, inDetail = true, true
			case inDetail:
				fmt.Fprintf(&detail, "<%s:%s%s>", token.Name.Space, token.Name.Local, attributeMeaning(token.Attr))
			}
		case xml.EndElement:
			depth--
			switch {
			case depth == 1:
				inDetail = false
			case inDetail:
				detail.WriteString("</>")
				if depth == 2 {
					finish(token.Name.Local)
				}
			}
		case xml.CharData:
			if inDetail && depth == 2 {
				m.Text += string(token)
			} else if inDetail {
				fmt.Fprintf(&detail, "%q", token)
			}
		}
	}
}

// attributeMeaning leaves out declarations: they may be made anew. That each prefix is declared, Parse sees to.
func attributeMeaning(attributes []xml.Attr) string {
	var all []string
	for _, a := range attributes {
		if a.Name.Space != "xmlns" {
			all = append(all, fmt.Sprintf(" %s:%s=%q", a.Name.Space, a.Name.Local, valueMeaning(a.Value)))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// valueMeaning does what encoding/xml leaves out (XML 1.0, 3.3.3).
func valueMeaning(value string) string {
	return strings.NewReplacer("\n", " ", "\t", " ", "\r", " ").Replace(value)
}

// plainAttributes are those without a prefix.
func plainAttributes(attributes []xml.Attr) map[string]string {
	values := map[string]string{}
	for _, a := range attributes {
		if a.Name.Space == "" {
			values[a.Name.Local] = valueMeaning(a.Value)
		}
	}
	return values
}

func eventMeaning(attributes []xml.Attr) (string, error) {
	values := plainAttributes(attributes)
	var all []string
	var unreadable error
	for _, name := range []string{"uid", "type", "how"} {
		value, ok := values[name]
		if !ok {
			unreadable = errUnreadable
		}
		all = append(all, value)
	}
	for _, name := range []string{"time", "start", "stale"} {
		value := values[name]
		moment, err := time.Parse(time.RFC3339, value) // which takes an hour of one digit too
		if n := len("2006-01-02T15:04:05"); err != nil && len(value) >= n && len(value) <= n+10 {
			moment, err = time.Parse(time.RFC3339, value+"Z")
		}
		if err != nil || moment.UnixMilli() < 0 || moment.UTC().Year() > 9999 {
			unreadable = errUnreadable
		}
		all = append(all, strconv.FormatInt(moment.UnixMilli(), 10))
	}
	for _, name := range []string{"access", "qos", "opex", "caveat", "releasableTo"} {
		all = append(all, values[name])
	}
	return fmt.Sprintf("%q", all), unreadable
}

func pointMeaning(attributes []xml.Attr) (string, error) {
	values := plainAttributes(attributes)
	var all []string
	for _, name := range []string{"lat", "lon", "hae", "ce", "le"} {
		f, err := strconv.ParseFloat(values[name], 64)
		if err != nil || strings.ContainsAny(values[name], "xXnN_iI") {
			return "", errUnreadable
		}
		all = append(all, strconv.FormatFloat(f, 'x', -1, 64))
	}
	return strings.Join(all, " "), nil
}
