// Package connect connects to a TAK server as a device does that has imported a client's package, and tells what it met.
//
// Start with [Device]. It shows the client's certificate without a chain, believes the trust store alone, sends a position
// and a ping, and waits for the answer, as ATAK's network core does. What goes wrong is an error in words, with what to do
// about it: dial.go has those of the way to the server, trust.go those of the device's verdict on the server, alert.go
// those of the server's verdict on the device, talk.go those of the conversation.
package connect
