//go:build unix

package command

import (
	"math"
	"syscall"
)

// descriptors is how many files and connections this process may have open; 0: not known.
func descriptors() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return int(min(uint64(l.Cur), math.MaxInt32))
}
