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
	b := appendHead(make([]byte, 0, 320), "takPong", typePong, now, notice)
	return append(b, "</event>"...)
}

// PongFrame returns [Pong] as a frame for a client that speaks protobuf.
func PongFrame(now time.Time) []byte { return frameOf(Pong(now)) }

// Gone returns the notice that the device with this uid has left, for all others to take it off their maps: type
// t-x-d-d with a link to the uid and kind (the type of its positions). callsign may be empty. It returns nil where the
// notice would be longer than [MaxEvent], which no client would take.
func Gone(uid, kind, callsign string, now time.Time) []byte {
	b := appendHead(make([]byte, 0, 512), uid+"-gone", typeGone, now, notice)
	b = append(b, `<detail><link`...)
	b = appendAttribute(b, "uid", uid)
	b = appendAttribute(b, "type", kind)
	b = append(b, ` relation="p-p"`...)
	b = appendOptional(b, "callsign", callsign)
	b = append(b, "/></detail></event>"...)
	return atMostMaxEvent(b)
}

// GoneFrame returns [Gone] as a frame for clients that speak protobuf, nil where that is nil.
func GoneFrame(uid, kind, callsign string, now time.Time) []byte {
	return frameOf(Gone(uid, kind, callsign, now))
}

// frameOf returns an event of ours as a frame. It never fails but for want of an event: ours have all that a frame
// needs, and are shorter in it.
func frameOf(event []byte) []byte {
	if event == nil {
		return nil
	}
	frame, err := Event{Raw: event}.AppendFrame(make([]byte, 0, len(event)))
	if err != nil {
		return nil
	}
	return frame
}

func atMostMaxEvent(b []byte) []byte {
	if len(b) > MaxEvent {
		return nil
	}
	return b
}

// manner is what the events of a kind have in common.
type manner struct {
	how     string
	life    time.Duration
	nowhere string // ce and le of a point that means none
}

var (
	notice  = manner{"h-g-i-g-o", noticeLife, "9999999"}
	control = manner{"m-g", controlLife, "999999"}
)

// appendHead appends the start tag of an event and its point, which says that it is nowhere.
func appendHead(b []byte, uid, kind string, now time.Time, m manner) []byte {
	now = now.UTC()
	b = append(b, `<event version="2.0"`...)
	b = appendAttribute(b, "uid", uid)
	b = appendAttribute(b, "type", kind)
	b = appendAttribute(b, "how", m.how)
	b = append(b, ` time="`...)
	b = now.AppendFormat(b, timeForm)
	b = append(b, `" start="`...)
	b = now.AppendFormat(b, timeForm)
	b = append(b, `" stale="`...)
	b = now.Add(m.life).AppendFormat(b, timeForm)
	b = append(b, `"><point lat="0" lon="0" hae="0"`...)
	b = appendAttribute(b, "ce", m.nowhere)
	b = appendAttribute(b, "le", m.nowhere)
	return append(b, "/>"...)
}

// appendEscaped appends an attribute value that reads back as it is. A character that XML cannot hold, in no way, is
// replaced by U+FFFD.
func appendEscaped(b []byte, value string) []byte {
	plain := 0
	for plain < len(value) && class[value[plain]]&isValue != 0 && value[plain] != '>' {
		plain++
	}
	b = append(b, value[:plain]...)
	for _, r := range value[plain:] {
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
