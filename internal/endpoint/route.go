package endpoint

import (
	"log/slog"
	"time"

	"github.com/ftsca/ftsca/internal/cot"
)

// allChatRooms is the GeoChat room that everybody is in.
const allChatRooms = "All Chat Rooms"

// teamRooms is the parent of the GeoChat rooms that are teams.
const teamRooms = "TeamGroups"

// isTeam tells whether a GeoChat room is one of ATAK's teams, which datapackage.Teams lists too.
func isTeam(room string) bool {
	switch room {
	case "White", "Yellow", "Orange", "Magenta", "Red", "Maroon", "Purple", "Dark Blue", "Blue", "Cyan", "Teal", "Green", "Dark Green", "Brown":
		return true
	}
	return false
}

// route says whom an event is for; nil for everyone in the sender's groups. It returns false where that is nobody. What
// the sender's client has worked out, and put in marti, goes before what a chat says of itself.
func (s *session) route(e cot.Event) (to []destination, ok bool) {
	if len(e.Dests) == 0 {
		return chatDestinations(e.Chat), true
	}
	for _, d := range e.Dests {
		switch d.Kind {
		case cot.DestUID:
			to = append(to, destination{toUID, d.Value})
		case cot.DestCallsign:
			to = append(to, destination{toCallsign, d.Value})
		case cot.DestGroup:
			to = append(to, destination{toGroup, d.Value})
		case cot.DestMission:
			s.refuseMission(e, d.Value)
		}
	}
	return to, len(to) > 0
}

// chatDestinations are those of a GeoChat message, or of a receipt for one.
func chatDestinations(c cot.Chat) (to []destination) {
	if c.ID == "" || c.ID == allChatRooms || c.Room == allChatRooms {
		return nil
	}
	if c.Parent == teamRooms || isTeam(c.ID) {
		return []destination{{toTeam, c.ID}}
	}
	for _, uid := range c.Members {
		if uid == allChatRooms {
			return nil
		}
		to = append(to, destination{toUID, uid})
	}
	if to == nil {
		to = []destination{{toUID, c.ID}}
	}
	return to
}

// refuseMission counts an event for a mission, of which this endpoint has none.
func (s *session) refuseMission(e cot.Event, mission string) {
	s.countDropped(Mission)
	if s.told.mission.due(time.Now()) { // a device that has a mission's data has much of it
		s.endpoint.log.Warn("event for a mission, of which this endpoint has none", s.who(),
			slog.String("mission", mission), slog.String("type", e.Type))
	}
}
