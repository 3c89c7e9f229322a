// Package datapackage makes the TAK data packages that a device imports to connect: a zip with the client's identity,
// the trust store, the preferences that say where to connect, and a manifest.
//
// Start with [ATAK], and with [Open] to have back what went into a package. [ParseHost] reads the address that devices
// shall connect to, [FileStem] names files after people.
//
// A package holds a client's key and the password that opens it, since devices read it so: whoever has the zip is the
// client. It never holds the key of a server or an authority.
package datapackage
