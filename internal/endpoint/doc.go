// Package endpoint runs the CoT endpoint: it takes connections, shakes hands, and passes each event that one client
// sends on to all the others. Start with New and Endpoint.Serve.
//
// A connection goes one way through the files: accept.go takes it, door.go turns away who is not to be listened to,
// handshake.go proves the peer, session.go reads and judges its events, budget.go holds back who sends too many, hub.go
// hands them to everyone else, outbox.go writes them. Nobody on that way waits for a
// peer but the goroutines that belong to that same peer, so a peer can stall only itself.
//
// The hub is the one place where events come in and go out. A session is one member of it; what joins several
// endpoints to one picture would be another.
package endpoint
