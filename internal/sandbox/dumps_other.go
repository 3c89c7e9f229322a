//go:build !linux

package sandbox

// NoDumps keeps the process from leaving its memory in a core dump. Windows makes none of its own accord.
func NoDumps() error { return noCoreFiles() }
