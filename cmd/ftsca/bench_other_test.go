//go:build !linux

package main_test

// memoryFolder returns a folder in memory with room for the benchmarks, where there is one.
func memoryFolder() string { return "" }
