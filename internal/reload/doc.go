// Package reload turns the endpoint's folder into a [mtls.Trust], and does so again whenever the folder changes.
//
// Start with [Files.Load], which reads the folder once and refuses whatever would leave the endpoint open or useless.
// A [Watcher] then follows the folder: by the events of the file system, by looking at the files from time to time
// where there are none, and when told to.
//
// The folder is read in four parts that do not wait for each other: the server's certificate and key, the CAs, the
// revocation list, and the groups, where there are any. A part that is broken keeps what it said before, and the others
// go on, so that a faulty certificate never holds up a revocation.
//
// Beside the folder, further X.509 lists may be read (Files.Lists). They have to be right at the start; later, one that is
// broken is a warning.
//
// The list in force only grows while the endpoint runs. It is what FTS_CRL.json, the signed lists and the last good
// copy say together; an entry that goes from one of them stays in force. Only what ftsca crl remove has taken off is let
// go: it says so in .FTS_CRL.removed, once neither FTS_CRL.json nor the last good copy have the entry any more.
package reload
