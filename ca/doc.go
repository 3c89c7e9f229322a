// Package ca is the certificate authority: it decides what a certificate may say, signs it, and signs revocation lists.
// It knows no files and no terminal.
//
// Start with [Found], which makes the certificate of a new authority, and [New], which takes that certificate, its key
// and a [Ledger] and returns an [Authority]. [Authority.Issue] is the only way to a certificate; [Authority.SignCRL]
// is the only way to a signed revocation list.
package ca
