package teststream

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"strconv"
)

// Message is what a Client understands of what it heard.
type Message struct {
	UID, Type, Callsign string
	// Number is what a Client gives its positions in turn, from 1. They carry it as their height.
	Number int
	// Protobuf tells in which form the message came.
	Protobuf bool

	offers bool   // of a t-x-takp-v: version 1
	status string // of a t-x-takp-r
}

var endOfEvent = []byte("</event>")

// cut takes the next message out of what is held.
func (c *Client) cut() (m Message, ok bool, err error) {
	for {
		var raw []byte
		parse := parseXML
		if c.state == speaksProtobuf {
			parse = parseFrame
			raw, ok = c.cutFrame()
		} else {
			raw, ok, err = c.cutXML()
		}
		if !ok || err != nil {
			return Message{}, false, err
		}
		c.refresh()
		if m, ok = parse(raw); ok {
			return m, true, nil
		}
		c.skip(len(raw))
	}
}

func (c *Client) skip(n int) {
	c.count(func(s *Stats) { s.Garbage += n })
}

func (c *Client) cutXML() (raw []byte, ok bool, err error) {
	end := bytes.Index(c.held, endOfEvent)
	switch {
	case end < 0 && len(c.held) >= maxMessage, end >= 0 && end+len(endOfEvent) > maxMessage:
		return nil, false, ErrTooLong
	case end < 0:
		return nil, false, nil
	}
	end += len(endOfEvent)
	raw, c.held = c.held[:end], c.held[end:]
	return raw, true, nil
}

// parseXML reads an event; false where it is none. Of one that says in its detail nothing that matters here it reads
// the head alone, so that a flood of events costs a test no more than it must.
func parseXML(raw []byte) (Message, bool) {
	var m Message
	whole := bytes.Contains(raw, []byte("<contact")) || bytes.Contains(raw, []byte("<TakControl"))
	d := xml.NewDecoder(bytes.NewReader(raw))
	depth := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			return m, m.Type != "" && depth == 0
		}
		if err != nil {
			return m, false
		}
		switch t := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			depth++
			if depth == 2 && t.Name.Local == "detail" && !whole {
				return m, m.Type != ""
			}
			m.element(depth, t)
		}
	}
}

// element notes what one start tag says.
func (m *Message) element(depth int, t xml.StartElement) {
	value := func(name string) string {
		for _, a := range t.Attr {
			if a.Name.Local == name {
				return a.Value
			}
		}
		return ""
	}
	switch name := t.Name.Local; {
	case depth == 1 && name == "event":
		m.UID, m.Type = value("uid"), value("type")
	case depth == 2 && name == "point":
		height, _ := strconv.ParseFloat(value("hae"), 64)
		m.Number = int(math.Round(height))
	case depth == 3 && name == "contact":
		m.Callsign = value("callsign")
	case depth == 4 && name == "TakProtocolSupport":
		m.offers = m.offers || value("version") == "1"
	case depth == 4 && name == "TakResponse":
		m.status = value("status")
	}
}
