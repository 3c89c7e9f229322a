package endpoint_test

import (
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/cot/takproto"
)

// A misreader keeps what all kinds of TAK clients may understand of the events that it hears: by local names, of each
// event that does not stand in a detail, and of each link.
type misreader struct {
	uids, kinds, links []string
	events             int
}

// takes tells whether some client may understand an event to be about where uid is, or that it has gone.
func (m *misreader) takes(uid string) bool {
	moves := func(kind string) bool { return strings.HasPrefix(kind, "a-") }
	deletes := func(kind string) bool { return strings.HasPrefix(kind, "t-x-d-d") }
	return slices.Contains(m.uids, uid) && slices.ContainsFunc(m.kinds, moves) ||
		slices.Contains(m.links, uid) && slices.ContainsFunc(m.kinds, deletes)
}

// read takes an event in XML.
func (m *misreader) read(t *testing.T, event string) {
	m.events++
	var path []string // local names of the open elements
	for d := xml.NewDecoder(strings.NewReader(event)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%v: %s", err, event)
			return
		}
		switch token := token.(type) {
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.StartElement:
			all := func(name string) (values []string) {
				for _, a := range token.Attr {
					if a.Name.Local == name {
						values = append(values, a.Value)
					}
				}
				return values
			}
			switch {
			case token.Name.Local == "event" && !slices.Contains(path, "detail"):
				m.uids, m.kinds = append(m.uids, all("uid")...), append(m.kinds, all("type")...)
			case token.Name.Local == "link":
				m.links = append(m.links, all("uid")...)
			}
			path = append(path, token.Name.Local)
		}
	}
}

// readFrame takes an event in protobuf, as ATAK does: what stands in xmlDetail stands in a detail.
func (m *misreader) readFrame(t *testing.T, frame []byte) {
	_, n := binary.Uvarint(frame[1:])
	message, _, err := takproto.Unmarshal(frame[1+n:])
	if err != nil {
		t.Error(err)
		return
	}
	e := message.GetCotEvent()
	m.uids, m.kinds = append(m.uids, e.GetUid()), append(m.kinds, e.GetType())
	m.read(t, "<detail>"+e.GetDetail().GetXmlDetail()+"</detail>")
}

// hearAll hears until the connection ends, however long nothing is said.
func hearAll(next func() error) {
	for {
		if err := next(); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
}

// rawFrame is the frame of a message of an event with these details, whatever they are.
func rawFrame(t *testing.T, uid, kind, details string) string {
	t.Helper()
	frame, err := takproto.AppendDelimited([]byte{0xBF}, &takproto.TakMessage{CotEvent: &takproto.CotEvent{
		Uid: uid, Type: kind, How: "m-g", SendTime: 1767225600000, StartTime: 1767225600000, StaleTime: 4102444800000,
		Detail: &takproto.Detail{XmlDetail: details},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(frame)
}
