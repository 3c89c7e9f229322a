// Package endpoint runs the CoT endpoint: it takes connections, shakes hands, and passes each event that one client
// sends on to those whom it is for. Start with New and Endpoint.Serve.
//
// A connection goes one way through the files: accept.go takes it, door.go turns away who is not to be listened to,
// handshake.go proves the peer, session.go reads and judges its events, budget.go and hold.go hold back who sends too
// many, impostor.go drops what is said for others, route.go says whom an event is for, hub.go hands it to them,
// outbox.go writes it. Nobody on that way waits for a peer but the goroutines that belong to that same peer, so a peer
// can stall only itself.
//
// What outlasts an event is in four places: groups.go knows who is in which group, bindings.go whose a uid is, items.go
// what is on the map and here.go who, held.go what waits for devices that are away.
//
// The hub is the one place where events come in and go out. A session is one member of it; what joins several
// endpoints to one picture would be another.
package endpoint
