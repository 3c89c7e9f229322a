package durable_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ftsca/ftsca/internal/durable"
)

// smallDisk mounts a file system of so many bytes, where this account may, and returns "" where not.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("durable-test", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size))
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Log("only root can mount a small file system: full is what the limit of the process makes full")
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestFileSystemsWithoutModesAreKnown(t *testing.T) {
	for _, tt := range []struct {
		name         string
		magic, major uint32
		want         bool
	}{
		{"ext4", 0xef53, 8, true},
		{"xfs", 0x58465342, 8, true},
		{"btrfs", 0x9123683e, 0, true},
		{"tmpfs", 0x01021994, 0, true},
		{"overlay", 0x794c7630, 0, true},
		{"nfs", 0x6969, 0, true},
		{"FAT", 0x4d44, 8, false},
		{"exFAT", 0x2011bab0, 8, false},
		{"NTFS", 0x5346544e, 8, false},
		{"NTFS, by the newer driver", 0x7366746e, 8, false},
		{"NTFS or exFAT through FUSE, on a device", 0x65735546, 8, false},
		{"sshfs or virtiofs, on none", 0x65735546, 0, true},
	} {
		if got := durable.KeepsModes(tt.magic, tt.major); got != tt.want {
			t.Errorf("%s: got %t", tt.name, got)
		}
	}
}

func TestFoldersOfThisSystemKeepModes(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "not", "there", "yet"), "/", "/proc", "/dev/shm", ".", "missing/here"} {
		if !durable.HasModes(path) {
			t.Errorf("%s keeps none", path)
		}
	}
}
