package cot

import (
	"strconv"

	"github.com/ftsca/ftsca/internal/cot/takproto"
)

// AppendXML appends the message's event in XML, as [Parse] takes it: one event of at most [MaxEvent] bytes, from
// "<event" to "</event>". Without an event it appends nothing.
//
// It is what ATAK makes of the message: all that the schema has a field for, event/@version being 2.0. The typed details
// come after those of xmlDetail, in the order of the schema; one whose name an element in xmlDetail has is left out, for
// the element takes its place. Attributes that need not be there are left out where they are empty. Not in the XML are
// TAK Server's submissionTime and creationTime, the extension details, which a server has to announce before anybody
// may send them, and fields that the schema does not know.
func (m Message) AppendXML(b []byte) []byte {
	e := m.event
	if e == nil {
		return b
	}
	b = append(b, `<event version="2.0"`...)
	b = appendAttribute(b, "uid", e.Uid)
	b = appendAttribute(b, "type", e.Type)
	b = appendAttribute(b, "how", e.How)
	b = append(b, ` time="`...)
	b = appendMillis(b, e.SendTime)
	b = append(b, `" start="`...)
	b = appendMillis(b, e.StartTime)
	b = append(b, `" stale="`...)
	b = appendMillis(b, e.StaleTime)
	b = append(b, '"')
	b = appendOptional(b, "access", e.Access)
	b = appendOptional(b, "qos", e.Qos)
	b = appendOptional(b, "opex", e.Opex)
	b = appendOptional(b, "caveat", e.Caveat)
	b = appendOptional(b, "releasableTo", e.ReleasableTo)
	b = append(b, `><point`...)
	b = appendDouble(b, "lat", e.Lat)
	b = appendDouble(b, "lon", e.Lon)
	b = appendDouble(b, "hae", e.Hae)
	b = appendDouble(b, "ce", e.Ce)
	b = appendDouble(b, "le", e.Le)
	b = append(b, "/>"...)
	if e.Detail != nil {
		b = append(b, "<detail>"...)
		b = append(b, e.Detail.XmlDetail...)
		b = m.appendTyped(b, e.Detail)
		b = append(b, "</detail>"...)
	}
	return append(b, "</event>"...)
}

// appendTyped appends the details that have messages of their own.
func (m Message) appendTyped(b []byte, d *takproto.Detail) []byte {
	has := func(kind int) bool { return m.typed&(1<<kind) == 0 }
	if c := d.Contact; c != nil && has(contactDetail) {
		b = append(b, "<contact"...)
		b = appendOptional(b, "endpoint", c.Endpoint)
		b = appendOptional(b, "altendpoints", c.Altendpoints)
		b = appendAttribute(b, "callsign", c.Callsign)
		b = append(b, "/>"...)
	}
	if g := d.Group; g != nil && has(groupDetail) {
		b = append(b, "<__group"...)
		b = appendAttribute(b, "name", g.Name)
		b = appendAttribute(b, "role", g.Role)
		b = append(b, "/>"...)
	}
	if p := d.PrecisionLocation; p != nil && has(precisionLocationDetail) {
		b = append(b, "<precisionlocation"...)
		b = appendAttribute(b, "geopointsrc", p.Geopointsrc)
		b = appendAttribute(b, "altsrc", p.Altsrc)
		b = append(b, "/>"...)
	}
	if s := d.Status; s != nil && has(statusDetail) {
		b = append(b, `<status battery="`...)
		b = strconv.AppendUint(b, uint64(s.Battery), 10)
		b = append(b, `"/>`...)
	}
	if t := d.Takv; t != nil && has(takvDetail) {
		b = append(b, "<takv"...)
		b = appendAttribute(b, "device", t.Device)
		b = appendAttribute(b, "platform", t.Platform)
		b = appendAttribute(b, "os", t.Os)
		b = appendAttribute(b, "version", t.Version)
		b = append(b, "/>"...)
	}
	if t := d.Track; t != nil && has(trackDetail) {
		b = append(b, "<track"...)
		b = appendDouble(b, "speed", t.Speed)
		b = appendDouble(b, "course", t.Course)
		b = append(b, "/>"...)
	}
	return b
}

func appendAttribute(b []byte, name, value string) []byte {
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, '=', '"')
	b = appendEscaped(b, value)
	return append(b, '"')
}

// appendOptional appends an attribute that is as good as absent when it is empty.
func appendOptional(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendAttribute(b, name, value)
}

func appendDouble(b []byte, name string, value float64) []byte {
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, '=', '"')
	b = appendNumber(b, value)
	return append(b, '"')
}
