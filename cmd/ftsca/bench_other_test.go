//go:build !linux

package main_test

import "os"

// memoryFolder returns a folder in memory with room for the benchmarks, where there is one.
func memoryFolder() string { return "" }

// mostMemory is the most memory in octets that a process had that has ended; 0 where the system does not tell.
func mostMemory(*os.ProcessState) int64 { return 0 }
