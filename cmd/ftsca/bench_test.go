package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkIssueClient runs one ftsca issue client as a whole process, the program as it is built for people, under an
// unsealed authority. Its figures are the process's own: wall time as ns/op, and its CPU time.
func BenchmarkIssueClient(b *testing.B) {
	program := filepath.Join(b.TempDir(), "ftsca")
	build := exec.Command("go", "build", "-trimpath", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for _, authority := range []string{"ecdsa-p256", "rsa-4096"} {
		store := filepath.Join(b.TempDir(), "pki")
		ftsca := func(args ...string) *os.ProcessState {
			cmd := exec.Command(program, append(args, "--store", store)...)
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
			return cmd.ProcessState
		}
		ftsca("init", "--name", "Bench CA", "--no-passphrase", "--key", authority)
		for _, key := range []string{"ecdsa-p256", "rsa-2048"} {
			n := 0
			b.Run(fmt.Sprintf("key=%s/authority=%s", key, authority), func(b *testing.B) {
				var cpu time.Duration
				for b.Loop() {
					n++
					state := ftsca("issue", "client", fmt.Sprintf("%s-%d", key, n), "--host", "h.example.org", "--key", key)
					cpu += state.UserTime() + state.SystemTime()
				}
				b.ReportMetric(float64(cpu.Microseconds())/1000/float64(b.N), "cpu-ms/op")
			})
		}
	}
}
