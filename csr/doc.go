// Package csr holds what somebody asks to have certified: a public key and the names that go with it, vetted.
//
// Start with [New]: it takes a key, a [Subject] and the alternative names as people type them, and returns a [Request]
// whose every field has been judged, or says which one cannot stand in a certificate and why. A certificate authority
// takes nothing from outside but such a Request.
//
// Requests travel as PKCS #10 (RFC 2986). [Create] and [CreateAuthority] make them. [Parse] reads those of others: each
// becomes a [Foreign], which has what may be taken, tells whether it wants the powers of an authority, and lists in
// words all that it asks for in vain. [Foreign.As] makes a Request of it, under the name and in the groups that the
// authority decides.
package csr
