// Package secret holds passphrases and passwords in a type that cannot be printed by mistake.
//
// Start with [Secret]. It is made by [New], [FromString] or [Random] as early as a secret enters the program, travels
// through it like any other value, and gives its bytes to nobody but the caller of [Secret.Reveal]: to search the
// program for that one name is to see every place where a secret gets out. It guards against logs, errors and dumps,
// not against who can read the memory of the process: nothing is wiped, since the libraries that need a password take
// it as a string.
package secret
