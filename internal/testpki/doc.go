// Package testpki makes hierarchies and hostile certificates for tests, all in memory.
//
// Start with [NewRoot]. An [Authority] that [Authority.Issuing] returns stands below it; [Authority.Server] and
// [Authority.Client] return key and certificate together, and an [Option] spoils them in one particular way. [Need]
// and [Has] look for the outside programs that give a second opinion.
//
// Keys are ECDSA P-256 and new each time, unless an Option says otherwise. Whatever goes wrong ends the test.
package testpki
