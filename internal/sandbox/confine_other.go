//go:build !linux

package sandbox

import "runtime"

// Exists tells whether this system can confine a process, though its kernel may be too old for it.
const Exists = false

// Confine does nothing on this system, and says so.
func Confine(Reach) (Confinement, error) {
	return Confinement{Why: runtime.GOOS + " has no Landlock"}, nil
}
