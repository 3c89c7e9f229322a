// Package keyfile makes private keys, judges public ones, and keeps private ones in files that openssl opens.
//
// Start with [Generate] for a key, [Sealer.Seal] for the bytes of its file, and [Load] to have it back.
package keyfile
