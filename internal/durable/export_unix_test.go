//go:build unix

package durable

// LinkNew and Claim are how Create takes a name where the file system has no exclusive renaming.
var (
	LinkNew = linkNew
	Claim   = claim
)
