package takproto_test

import (
	"slices"
	"testing"

	"github.com/ftsca/ftsca/internal/cot/takproto"
)

// The bytes are put together by hand from the published field numbers, those of devices and servers that send what has
// no form in XML.
func TestFieldsWithoutAFormInXML(t *testing.T) {
	m, canonical, err := takproto.Unmarshal([]byte("\x0a\x0a\x08\x02\x10\x03\x1a\x01u\x22\x01\x05" +
		"\x12\x08\x7a\x06\x42\x04\x08\x07\x12\x00" + "\x18\x08\x20\x09"))
	if err != nil {
		t.Fatal(err)
	}
	c := m.GetTakControl()
	if c.GetMinProtoVersion() != 2 || c.GetMaxProtoVersion() != 3 || c.GetContactUid() != "u" || !slices.Equal(c.GetExtensionIds(), []uint32{5}) {
		t.Errorf("got %v", c)
	}
	if e := m.GetCotEvent().GetDetail().GetExtensionDetails(); len(e) != 1 || e[0].GetExtensionId() != 7 {
		t.Errorf("got %v", e)
	}
	if m.GetSubmissionTime() != 8 || m.GetCreationTime() != 9 {
		t.Errorf("got %v", m)
	}
	if canonical {
		t.Error("extension data that are empty need not be written")
	}
}

func TestLengthIsThatOfTheMessage(t *testing.T) {
	got, err := takproto.AppendDelimited([]byte("before"), &takproto.TakMessage{CotEvent: &takproto.CotEvent{Uid: "u"}})
	if want := "before\x05\x12\x03\x2a\x01u"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := takproto.AppendDelimited(nil, &takproto.TakMessage{CotEvent: &takproto.CotEvent{Uid: "\xff"}}); err == nil {
		t.Error("a string that is not UTF-8 is written")
	}
}
