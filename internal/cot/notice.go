package cot

import (
	"time"
	"unicode/utf8"
)

// timeForm is how CoT writes a time: UTC, milliseconds.
const timeForm = "2006-01-02T15:04:05.000Z"

// noticeLife is how long a server's own events are good for, as TAK Server has it.
const noticeLife = 20 * time.Second

// Pong returns the answer to a ping, as TAK Server gives it: type t-x-c-t-r, uid takPong, stale 20 s after now.
func Pong(now time.Time) []byte {
	b := appendHead(make([]byte, 0, 320), "takPong", typePong, now)
	return append(b, "</event>"...)
}

// Gone returns the notice that the device with this uid has left, for all others to take it off their maps: type
// t-x-d-d with a link to the uid and kind (the type of its positions). callsign may be empty. It returns nil where the
// notice would be longer than [MaxEvent], which no client would take.
func Gone(uid, kind, callsign string, now time.Time) []byte {
	b := appendHead(make([]byte, 0, 512), uid+"-gone", typeGone, now)
	b = append(b, `<detail><link uid="`...)
	b = appendEscaped(b, uid)
	b = append(b, `" type="`...)
	b = appendEscaped(b, kind)
	b = append(b, `" relation="p-p"`...)
	if callsign != "" {
		b = append(b, ` callsign="`...)
		b = appendEscaped(b, callsign)
		b = append(b, '"')
	}
	b = append(b, "/></detail></event>"...)
	if len(b) > MaxEvent {
		return nil
	}
	return b
}

// appendHead appends the start tag of an event and its point, which says that it is nowhere.
func appendHead(b []byte, uid, kind string, now time.Time) []byte {
	now = now.UTC()
	b = append(b, `<event version="2.0" uid="`...)
	b = appendEscaped(b, uid)
	b = append(b, `" type="`...)
	b = append(b, kind...)
	b = append(b, `" how="h-g-i-g-o" time="`...)
	b = now.AppendFormat(b, timeForm)
	b = append(b, `" start="`...)
	b = now.AppendFormat(b, timeForm)
	b = append(b, `" stale="`...)
	b = now.Add(noticeLife).AppendFormat(b, timeForm)
	return append(b, `"><point lat="0" lon="0" hae="0" ce="9999999" le="9999999"/>`...)
}

// appendEscaped appends an attribute value that reads back as it is. A character that XML cannot hold, in no way, is
// replaced by U+FFFD.
func appendEscaped(b []byte, value string) []byte {
	for _, r := range value {
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '"':
			b = append(b, "&quot;"...)
		case r == '\t':
			b = append(b, "&#9;"...)
		case r == '\n':
			b = append(b, "&#10;"...)
		case r == '\r':
			b = append(b, "&#13;"...)
		case !legal(r):
			b = utf8.AppendRune(b, utf8.RuneError)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}
