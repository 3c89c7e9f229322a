// Package teststream plays ATAK's end of a CoT stream, for tests: its timers, its framing and its side of the protocol
// negotiation, by what is known of ATAK's own source. It shares no code with the packages that serve it, so that a
// mistake there is none here, and where ATAK's versions differ it is as strict as the strictest.
//
// Start with [New], then [Client.Run] and [Client.Report]. All its time is that of package time, so a bubble of
// testing/synctest drives it.
package teststream
