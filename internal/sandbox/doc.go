// Package sandbox takes from the running process what it no longer needs, so that whoever gets the better of it has little
// from it. Start with [Confine], which leaves it the folders that it is told of; [NoDumps] keeps its memory, and the keys
// in it, from ending up in a file.
//
// Both work on the process as a whole, for good, and are best called once it has opened all that it needs: what is open
// stays open.
package sandbox
