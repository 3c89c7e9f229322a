package main_test

import (
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"

	"github.com/ftsca/ftsca/internal/testpki"
)

// hasLandlock is the condition of scripts that want serve confined.
func hasLandlock() (bool, error) {
	if _, err := ll.LandlockGetABIVersion(); err != nil {
		return false, testpki.Count("a kernel with Landlock")
	}
	return true, nil
}
