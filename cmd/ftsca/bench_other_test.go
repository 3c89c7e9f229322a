//go:build !linux

package main_test

// memoryFolder returns a folder in memory with room for the benchmarks, where there is one.
func memoryFolder() string { return "" }

// watchMemory tells nothing where the system does not.
func watchMemory(int) (most func() int64) { return func() int64 { return 0 } }
