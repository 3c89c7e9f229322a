// Package takproto reads and writes the messages of TAK protocol version 1, which tak.proto describes and tak.pb.go
// holds. Start with [Unmarshal] and [AppendDelimited]. It knows the wire format alone; what a message says is for package cot.
package takproto

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var (
	errMalformed = errors.New("not a TakMessage in protobuf")
	errUnknown   = errors.New("a field that is not in the schema has a form that is not proto3")
)

// Unmarshal reads one message. canonical says that data is as long as what [AppendDelimited] makes of it: then nothing
// in it is written in a longer form than it needs, and every reader takes it. Fields that are not in the schema are
// kept, and refused where they are groups, whose nesting has other limits in other readers, or not canonical. The
// errors hold nothing of data.
func Unmarshal(data []byte) (m *TakMessage, canonical bool, err error) {
	m = new(TakMessage)
	if proto.Unmarshal(data, m) != nil {
		return nil, false, errMalformed // the library's words differ from build to build, on purpose
	}
	if !m.plain() {
		return nil, false, errUnknown
	}
	return m, proto.Size(m) == len(data), nil
}

// AppendDelimited appends a message to dst, its length before it as a varint. A string that is not UTF-8 is an error.
func AppendDelimited(dst []byte, m *TakMessage) ([]byte, error) {
	dst = protowire.AppendVarint(dst, uint64(proto.Size(m)))
	return proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(dst, m)
}

// plain tells whether the unknown fields of m, and of all messages in it, can be passed on to any reader.
func (x *TakMessage) plain() bool {
	ok := plain(x)
	if x.TakControl != nil {
		ok = ok && plain(x.TakControl)
	}
	e := x.CotEvent
	if e == nil {
		return ok
	}
	ok = ok && plain(e)
	d := e.Detail
	if d == nil {
		return ok
	}
	return ok && plain(d) &&
		(d.Contact == nil || plain(d.Contact)) &&
		(d.Group == nil || plain(d.Group)) &&
		(d.PrecisionLocation == nil || plain(d.PrecisionLocation)) &&
		(d.Status == nil || plain(d.Status)) &&
		(d.Takv == nil || plain(d.Takv)) &&
		(d.Track == nil || plain(d.Track)) &&
		plainExtensions(d.ExtensionDetails)
}

func plainExtensions(all []*Detail_Extension) bool {
	for _, e := range all {
		if !plain(e) {
			return false
		}
	}
	return true
}

// plain tells whether the unknown fields of a message have no groups among them, and lengths in their shortest form:
// the reader of C++ takes none from more than five bytes. Their tags proto.Unmarshal has made anew.
func plain(m protoreflect.ProtoMessage) bool {
	for rest := m.ProtoReflect().GetUnknown(); len(rest) > 0; {
		number, kind, n := protowire.ConsumeTag(rest)
		if n < 0 || kind == protowire.StartGroupType {
			return false
		}
		rest = rest[n:]
		if kind == protowire.BytesType {
			if length, n := protowire.ConsumeVarint(rest); n != protowire.SizeVarint(length) {
				return false
			}
		}
		n = protowire.ConsumeFieldValue(number, kind, rest)
		if n < 0 {
			return false
		}
		rest = rest[n:]
	}
	return true
}
