// Package crl reads, edits and writes lists of revoked certificates, and answers whether a certificate is on one.
//
// A list has two forms. The JSON form, [List], is the truth: people and scripts edit it, so [Parse] reads every spelling
// that can have one meaning only, refuses the rest with line and column, and [List.Bytes] keeps what others wrote byte
// for byte. The X.509 form is derived from it: [Sign] makes it, [ParseX509] reads it, foreign ones too.
//
// Start with [Parse] and [NewChecker]. [Union], [Missing] and [Salvage] are for lists that other hands change or break:
// whoever joins what is known with what can still be read never readmits anybody. [Except] is the one way out of a list
// for an entry that others still have. [ParseForeign] reads the lists of other programs.
//
// Every doubt is settled towards refusing the certificate: a nil or zero [Checker] calls everything revoked.
package crl
