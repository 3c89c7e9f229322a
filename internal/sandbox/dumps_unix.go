//go:build unix

package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func noCoreFiles() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbidding core dumps: %w", err)
	}
	return nil
}
