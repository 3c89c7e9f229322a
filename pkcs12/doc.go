// Package pkcs12 makes the PKCS #12 files (RFC 7292) that TAK devices read: an identity, which is a client's key with
// its certificate, and a trust store, which is the authorities that the device shall believe. And it reads such files,
// whoever made them.
//
// To write, start with [NewEncoder]. Its [Profile] decides which devices can open the file; [TAK] opens on all of them.
// [Encoder.Identity] and [Encoder.TrustStore] refuse what a device would take and then fail with, without a word to its
// user: a key that is not the certificate's, a chain with a gap, an empty password, a trust store that does not reach a
// root.
//
// To read, start with [ReadIdentity] and [ReadTrustStore]; [Inspect] tells without the password how a file is
// protected, and [Examine] and [ExamineOpen] what stands in it, piece by piece. What a file may cost to open is bounded
// before any of it is derived. Which programs and devices open a file of some form, [Readers] and [Families] know.
package pkcs12
