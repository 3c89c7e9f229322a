package testdevice

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

const timeForm = "2006-01-02T15:04:05.000Z"

// Position returns the event by which a device tells where it is, good for 75 seconds from now.
func (d *Device) Position(uid, callsign string) []byte {
	return event(uid, "a-f-G-U-C", `lat="46.52" lon="7.98" hae="1034.0" ce="9.9" le="9999999.0"`, d.now(), 75*time.Second,
		`<detail><takv os="33" version="5.5.1" device="TEST" platform="ATAK-CIV"/><contact endpoint="*:-1:stcp" callsign=`+
			quoted(callsign)+`/><__group role="Team Member" name="Cyan"/></detail>`)
}

func ping(uid string, now time.Time) []byte {
	return event(uid+"-ping", "t-x-c-t", `lat="0.0" lon="0.0" hae="0.0" ce="9999999.0" le="9999999.0"`, now, 10*time.Second, `<detail/>`)
}

func event(uid, kind, point string, now time.Time, life time.Duration, detail string) []byte {
	now = now.UTC()
	start, stale := now.Format(timeForm), now.Add(life).Format(timeForm)
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+
		`<event version="2.0" uid=%s type="%s" time="%s" start="%s" stale="%s" how="m-g"><point %s/>%s</event>`,
		quoted(uid), kind, start, start, stale, point, detail)
}

func quoted(s string) string {
	var b strings.Builder
	// Nothing is written to but memory.
	_ = xml.EscapeText(&b, []byte(s))
	return `"` + b.String() + `"`
}

// kind returns the type of an event, "" where it is none.
func kind(raw []byte) string {
	decoder := xml.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := decoder.Token()
		if err != nil {
			return ""
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "event" {
			return attribute(start, "type")
		}
	}
}
