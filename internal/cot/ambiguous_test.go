package cot_test

import (
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/cot"
)

const prefixed = "a prefix on a name that clients read without it"

// ambiguous are well-formed events that clients would understand differently. Where what surrounds them is left out, they
// stand in one that deletes.
var ambiguous = []struct{ name, piece, refusal string }{
	// Events
	{"event: another begins", `<event uid="m" type="b-t-f"><event uid="a" type="a-f"/></event>`,
		"byte 29: an event within the event, outside of its detail"},
	{"event: another behind the detail", `<event><detail/><event ></event ></event>`, "byte 17: an event within the event, outside of its detail"},
	{"event: another with a prefix", `<event xmlns:p="u"><p:event uid="a"></p:event></event>`,
		"byte 20: an event within the event, outside of its detail"},
	{"event: another deep within", `<event><a><b><event/></b></a></event>`, "byte 14: an event within the event, outside of its detail"},
	{"event: another that ends so", `<event><event></event></event>`, "byte 8: an event within the event, outside of its detail"},
	{"event: uid with a prefix", `<event xmlns:p="u" p:uid="a" uid="m"></event>`, "byte 19: " + prefixed},
	{"event: uid with a prefix behind", `<event xmlns:p="u" uid="m" p:uid="a"></event>`, "byte 27: " + prefixed},
	{"event: uid with a prefix alone", `<event xmlns:p="u" p:uid="a"></event>`, "byte 19: " + prefixed},
	{"event: uid of XML's", `<event xml:uid="a"></event>`, "byte 7: " + prefixed},
	{"event: uid declared", `<event uid="m" xmlns:uid="a"></event>`, "byte 15: " + prefixed},
	{"event: type with a prefix", `<event xmlns:xsi="u" xsi:type="a-f"></event>`, "byte 21: " + prefixed},
	// Details
	{"detail: with a prefix", `<event xmlns:p="u"><p:detail/></event>`, "byte 20: " + prefixed},
	{"detail: with a prefix, before another", `<event xmlns:p="u"><p:detail></p:detail><detail></detail></event>`, "byte 20: " + prefixed},
	{"detail: with a prefix, behind another", `<event xmlns:p="u"><detail/><p:detail/></event>`, "byte 29: " + prefixed},
	{"detail: a second one", `<event><detail></detail><point/><detail/></event>`, "byte 33: a second detail"},
	{"detail: deep within", `<event><a><detail/></a></event>`, "byte 11: a detail that is not directly in the event"},
	{"detail: deep within, behind another", `<event><detail/><a><b><detail/></b></a></event>`,
		"byte 23: a detail that is not directly in the event"},
	{"detail: deep within, with a prefix", `<event xmlns:p="u"><a><p:detail/></a></event>`,
		"byte 23: a detail that is not directly in the event"},
	{"detail: in the point", `<event><point><detail/></point></event>`, "byte 15: a detail that is not directly in the event"},
	// Points
	{"point: with a prefix", `<event xmlns:p="u"><p:point/></event>`, "byte 20: " + prefixed},
	{"point: a second one", `<event><point/><detail/><point/></event>`, "byte 25: a second point"},
	{"point: deep within", `<event><a><point/></a></event>`, "byte 11: a point that is not directly in the event"},
	{"point: in a point", `<event><point><point/></point></event>`, "byte 15: a point that is not directly in the event"},
	// Links in what deletes
	{"link: with a prefix", `<p:link xmlns:p="u" uid="a"/><link uid="m"/>`, "byte 1: " + prefixed},
	{"link: with a prefix, behind another", `<link uid="m"/><p:link xmlns:p="u" uid="a"/>`, "byte 16: " + prefixed},
	{"link: a second one", `<link uid="m"/><link uid="a"/>`, "byte 16: a second link in an event that deletes"},
	{"link: uid with a prefix", `<link xmlns:p="u" uid="m" p:uid="a"/>`, "byte 26: " + prefixed},
	{"link: uid declared", `<link xmlns:uid="a" uid="m"/>`, "byte 6: " + prefixed},
	{"link: deep within", `<a><b><link uid="a"/></b></a><link uid="m"/>`,
		"byte 7: a link that is not directly in the detail, in an event that deletes"},
	{"link: in a link", `<link uid="m"><link uid="a"/></link>`, "byte 15: a link that is not directly in the detail, in an event that deletes"},
	{"link: outside of the detail", `<event type="t-x-d-d"><link uid="a"/></event>`,
		"byte 23: a link that is not directly in the detail, in an event that deletes"},
	{"link: outside of the detail, with a prefix", `<event type="t-x-d-d" xmlns:p="u"><point><p:link uid="a"/></point></event>`,
		"byte 42: a link that is not directly in the detail, in an event that deletes"},
	{"link: a second one in a kind of t-x-d-d", `<event type="t-x-d-d-f"><detail><link/><link/></detail></event>`,
		"byte 40: a second link in an event that deletes"},
	{"link: a second one in a t-x-d-d of references", `<event type="t-x-d&#45;d"><detail><link/><link/></detail></event>`,
		"byte 42: a second link in an event that deletes"},
}

// openDelete and closeDelete surround details that stand in an event that deletes.
const (
	openDelete  = `<event uid="u" type="t-x-d-d"><detail>`
	closeDelete = `</detail></event>`
)

func isWhole(piece string) bool { return strings.HasPrefix(piece, "<event") }

// ambiguousEvent is the whole event.
func ambiguousEvent(piece string) string {
	if isWhole(piece) {
		return piece
	}
	return openDelete + piece + closeDelete
}

func TestEventThatClientsWouldUnderstandDifferentlyIsRefused(t *testing.T) {
	for _, c := range ambiguous {
		t.Run(c.name, func(t *testing.T) {
			piece := ambiguousEvent(c.piece)
			if isWhole(c.piece) {
				refused(t, piece, c.refusal)
				return
			}
			if err := goAccepts([]byte(piece)); err != nil {
				t.Errorf("it is not even well-formed: %v", err)
			}
			_, err := cot.Parse([]byte(piece))
			if _, why, _ := strings.Cut(c.refusal, ": "); err == nil || !strings.HasSuffix(err.Error(), why) {
				t.Errorf("in XML: %v", err)
			}
			// In protobuf the offsets are those in the details.
			m := fullMessage()
			m.CotEvent.Type, m.CotEvent.Detail.XmlDetail = "t-x-d-d", c.piece
			if _, err := cot.ParseMessage(encode(t, m)); err == nil || err.Error() != "message refused: xmlDetail, "+c.refusal {
				t.Errorf("in protobuf: %v", err)
			}
		})
	}
}

// What some clients read of these is nothing that anybody is judged by here.
func TestEventThatIsOnlyOddIsAccepted(t *testing.T) {
	for _, piece := range []string{
		`<event><detail><event uid="a" type="t-x-d-d"/><p:event xmlns:p="u"><link/></p:event><detail/><point/><point/></detail></event>`,
		`<event xmlns:p="u" p:how="m-g" p:stale=""><detail><contact/><contact/><p:contact p:callsign="a"/><__group/><__group p:name="a"/></detail></event>`,
		`<event xmlns:p="u"><detail><p:__chat/><__chat p:id="a"><p:chatgrp/></__chat><p:marti/><marti><p:dest/><dest p:uid="a"/></marti></detail></event>`,
		`<event><detail><a><contact/><contact/><p:contact xmlns:p="u"/><__group/><__group/></a><contact/></detail></event>`,
		`<event><contact/><contact/><a><__group/><p:marti xmlns:p="u"/></a><detail/></event>`,
		`<event type="b-m-r"><detail><link/><link/><p:link xmlns:p="u" p:uid="a"/></detail></event>`,
		`<event xmlns="u" xmlns:p="v" p:version="3"><point xmlns="w"/><detail p:uid="a" xmlns:uid="b"><contact p:uid="c"/></detail></event>`,
		`<event type="t-x-d-d"><detail><link p:b="c" xmlns:p="u" uid="a"/><__forcedelete/><links/></detail></event>`,
		`<event><detail><a xmlns:link="u"><link:a/></a><__chat/><__chat/><__chatreceipt/><marti/><marti/></detail></event>`,
	} {
		accepted(t, []byte(piece))
	}
}
