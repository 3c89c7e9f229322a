package teststream

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"time"
)

const (
	timeForm       = "2006-01-02T15:04:05.000Z"
	streamEndpoint = "*:-1:stcp" // reachable through the stream alone
	unknown        = 9999999.0   // what CoT has for a ce or le that is not known
)

// An event is what a Client sends, in either form.
type event struct {
	uid, kind     string
	time          time.Time
	life          time.Duration
	lat, lon, hae float64
	blur          float64 // ce and le, in metres
	callsign      string
	detail        string // in XML
}

// position is where the client is. Its height is the number by which whoever hears it knows what it missed.
func position(o Options, number int, now time.Time) event {
	return event{uid: o.UID, kind: "a-f-G-U-C", time: now, life: 75 * time.Second,
		lat: 46.52, lon: 7.98, hae: float64(number), blur: unknown, callsign: o.Callsign}
}

func ping(o Options, now time.Time) event {
	return event{uid: o.UID + "-ping", kind: "t-x-c-t", time: now, life: 10 * time.Second, blur: unknown}
}

// request asks for version 1 of the protocol, in answer to the offer with this uid.
func request(uid string, now time.Time) event {
	return event{uid: uid, kind: "t-x-takp-q", time: now, life: time.Minute, blur: 999999,
		detail: `<TakControl><TakRequest version="1"/></TakControl>`}
}

// xml is e as the stream carries it.
func (e event) xml() []byte {
	detail := e.detail
	if e.callsign != "" {
		detail = `<takv os="33" version="5.5.1" device="TEST" platform="ATAK-CIV"/><contact endpoint="` + streamEndpoint +
			`" callsign="` + escaped(e.callsign) + `"/><__group role="Team Member" name="Cyan"/>`
	}
	start := e.time.UTC().Format(timeForm)
	stale := e.time.Add(e.life).UTC().Format(timeForm)
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+
		`<event version="2.0" uid="%s" type="%s" time="%s" start="%s" stale="%s" how="m-g">`+
		`<point lat="%.2f" lon="%.2f" hae="%.1f" ce="%.1f" le="%.1f"/><detail>%s</detail></event>`,
		escaped(e.uid), e.kind, start, start, stale, e.lat, e.lon, e.hae, e.blur, e.blur, detail)
}

func escaped(s string) string {
	var b bytes.Buffer
	// Nothing is written to but memory.
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
