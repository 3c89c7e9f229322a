package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// NoDumps keeps the process from leaving its memory in a core dump, be it a file or what the kernel pipes to a program, and
// keeps other processes of the same account from reading it.
func NoDumps() error {
	if err := noCoreFiles(); err != nil {
		return err
	}
	// The limit is about files: a program in /proc/sys/kernel/core_pattern, such as systemd-coredump, gets its dump all the
	// same (core(5)).
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("forbidding core dumps: %w", err)
	}
	return nil
}
