package main_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// memoryFolder returns a folder in memory with room for the benchmarks, where there is one.
func memoryFolder() string {
	const (
		dir  = "/dev/shm"
		room = 4 << 30
	)
	var at syscall.Statfs_t
	if err := syscall.Statfs(dir, &at); err != nil || at.Bavail*uint64(at.Bsize) < room {
		return ""
	}
	return dir
}

// watchMemory returns what tells, when the process has ended, the most memory in octets that it had at once, mapped files
// included. What the system tells of an ended process counts in the one that started it.
func watchMemory(pid int) (most func() int64) {
	status := fmt.Sprintf("/proc/%d/status", pid)
	stop, seen := make(chan struct{}), make(chan int64)
	go func() {
		var last int64
		for tick := time.NewTicker(2 * time.Millisecond); ; {
			last = max(last, peak(status))
			select {
			case <-stop:
				tick.Stop()
				seen <- last
				return
			case <-tick.C:
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-seen
	}
}

// peak reads the most memory that a process had so far, in octets; 0 where it is gone.
func peak(status string) int64 {
	data, err := os.ReadFile(status)
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(data), "VmHWM:")
	var kilobytes int64
	fmt.Sscan(after, &kilobytes)
	return kilobytes << 10
}
