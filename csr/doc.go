// Package csr holds what somebody asks to have certified: a public key and the names that go with it, vetted.
//
// Start with [New]: it takes a key, a [Subject] and the alternative names as people type them, and returns a [Request]
// whose every field has been judged, or says which one cannot stand in a certificate and why. A certificate authority
// takes nothing from outside but such a Request.
package csr
