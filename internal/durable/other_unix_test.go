//go:build unix && !linux

package durable_test

import "testing"

// smallDisk mounts a file system of so many bytes, which takes other means on each system: there is none here.
func smallDisk(*testing.T, int) string { return "" }
