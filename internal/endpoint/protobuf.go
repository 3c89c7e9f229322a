package endpoint

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

// offer says once, ahead of everything, that protobuf is understood too. From then on the peer may ask for it at any
// time, and need not.
func (s *session) offer() {
	if s.endpoint.config.NoProtobuf {
		return
	}
	s.offered = true
	s.out.answer(&parcel{events: 1, bytes: cot.ProtocolSupport(s.uid(), s.endpoint.now())})
}

// uid tells this session's negotiation from others; the peer repeats it, and the answer bears it.
func (s *session) uid() string { return fmt.Sprintf("ftsca-protocol-%d", s.id) }

// negotiate answers a request for another protocol. The peer says nothing until it has the answer, and speaks the new
// protocol then.
func (s *session) negotiate(request cot.Event) {
	version := request.RequestedVersion()
	accepted := version == cot.ProtocolVersion
	if accepted {
		s.endpoint.hub.turn(s)
		s.offered = false
	}
	answer := &parcel{events: 1, bytes: cot.ProtocolResponse(s.uid(), accepted, s.endpoint.now()), turns: accepted}
	if accepted {
		s.out.answer(answer)
	} else {
		s.out.putFirst(answer) // it may ask over and over, and not read
	}
	if accepted || s.told.refused.due(time.Now()) {
		s.endpoint.log.Info("protocol requested", s.who(), slog.Int("version", version), slog.Bool("accepted", accepted))
	}
}

// speaks implements member.
func (s *session) speaks() encoding { return s.spoken }

// turn implements member.
func (s *session) turn() encoding {
	s.spoken = inProtobuf
	return s.spoken
}

// takeFrames takes what came in protobuf.
func (s *session) takeFrames() error {
	b := s.beginIn(inProtobuf)
	var failure error
	for failure == nil {
		frame, ok, err := s.messages.Next()
		if err != nil {
			s.drop(NoFrame, len(frame), err)
			s.fail(NoFrame)
			failure = err
		}
		if !ok || err != nil {
			break
		}
		s.budget.pieces++
		failure = s.judgeFrame(b, frame)
	}
	s.pass(b)
	return failure
}

// judgeFrame is judge for a frame.
func (s *session) judgeFrame(b *batch, frame []byte) error {
	m, err := cot.ParseMessage(frame)
	switch {
	case err != nil:
		return s.strike(len(frame), err)
	case !m.HasEvent(), m.Event.IsControl():
		s.countDropped(Control)
	case m.Event.IsPing():
		s.receive(inProtobuf, 1, len(frame))
		s.out.putFirst(&parcel{came: inProtobuf, bytes: cot.PongFrame(s.endpoint.now()), events: 1})
	case len(m.Event.UID) > longestUID:
		return s.strike(len(frame), errLongUID)
	case !s.speaksFor(m.Event):
	default:
		to, ok := s.route(m.Event)
		if !ok {
			break
		}
		if m.Event.Marti {
			if m, err = m.WithoutMarti(); err != nil {
				return s.strike(len(frame), err)
			}
		}
		s.begin(b, to)
		b.add(m.Event, m.Frame, s.messages.Buffered())
		if b.both {
			b.parcel.other = m.AppendXML(b.parcel.other)
			b.said()
		}
	}
	return nil
}

// translate adds the frame of an event that came in XML.
func (s *session) translate(b *batch, e cot.Event) {
	other, err := e.AppendFrame(b.parcel.other)
	if err != nil {
		s.countDropped(Unsayable)
		if s.told.unsayable.due(time.Now()) { // a device says the like of it again
			s.endpoint.log.Info("event without a form in protobuf", s.who(), slog.String("cause", string(Unsayable)),
				slog.Int("bytes", len(e.Raw)), slog.Any("error", err))
		}
		return
	}
	b.parcel.other = other
	b.said()
}
