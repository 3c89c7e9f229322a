//go:build unix

package endpoint_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/testpki"
)

// The benchmarks run the server as a process of its own, so that its CPU time can be told from the load generator's,
// and each beside a bare reference: crypto/tls alone, handing on what it reads without looking.

// serveAs is the environment variable that makes the test binary such a server.
const serveAs = "FTSCA_BENCH_SERVE"

func TestMain(m *testing.M) {
	if kind := os.Getenv(serveAs); kind != "" {
		if err := benchServer(kind); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// A benched is a server process.
type benched struct {
	b       *testing.B
	kind    string
	in      io.Writer
	out     *bufio.Reader
	address string
	ca      *testpki.Authority
	config  *tls.Config // of a client
	stop    func()      // ends the process; the end of the benchmark does, too
}

func startBenched(b *testing.B, kind string, opts ...testpki.Option) *benched {
	b.Helper()
	ca := testpki.NewRoot(b, "Bench CA", opts...)
	server := ca.Leaf(b, "localhost", append(opts, testpki.Names("localhost"), testpki.Usages(x509.ExtKeyUsageServerAuth))...)
	client := ca.Client(b, "client", opts...)
	pki, err := json.Marshal(benchPKI{
		testpki.CertPEM(server.Leaf), testpki.KeyPEM(b, server.PrivateKey), testpki.CertPEM(ca.Cert)})
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveAs+"="+kind)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	stop := sync.OnceFunc(func() {
		in.Close()
		cmd.Wait()
	})
	b.Cleanup(stop)
	s := &benched{b: b, kind: kind, stop: stop, ca: ca, in: in, out: bufio.NewReader(out), config: &tls.Config{
		RootCAs: ca.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{client}}}
	s.address = s.ask(string(pki))
	return s
}

func (s *benched) ask(line string) string {
	s.b.Helper()
	if _, err := io.WriteString(s.in, line+"\n"); err != nil {
		s.b.Fatal(err)
	}
	answer, err := s.out.ReadString('\n')
	if err != nil {
		s.b.Fatal(err)
	}
	return strings.TrimSpace(answer)
}

// cpu is the CPU time that the server has used.
func (s *benched) cpu() time.Duration {
	s.b.Helper()
	var µs int64
	fmt.Sscan(s.ask("cpu"), &µs)
	return time.Duration(µs) * time.Microsecond
}

func (s *benched) dial() *tls.Conn {
	conn, err := tls.Dial("tcp", s.address, s.config)
	if err != nil {
		s.b.Fatal(err)
	}
	return conn
}

// stats are the server's counters.
func (s *benched) stats() (of endpoint.Stats) {
	s.b.Helper()
	if err := json.Unmarshal([]byte(s.ask("stats")), &of); err != nil {
		s.b.Fatal(err)
	}
	return of
}

// await waits until the server counts so many sessions.
func (s *benched) await(sessions int) {
	s.b.Helper()
	for deadline := time.Now().Add(patience); s.stats().Sessions != sessions; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.b.Fatalf("%s: there are %d sessions, want %d", s.kind, s.stats().Sessions, sessions)
		}
	}
}

// connect has so many clients connect to a server that has no others, and returns when all have their sessions. The
// server is asked, for a client takes its handshake to be over before the server has judged its certificate.
func (s *benched) connect(n int) []*tls.Conn {
	s.b.Helper()
	conns := make([]*tls.Conn, n)
	s.each(n, func(i int) (err error) {
		conns[i], err = tls.Dial("tcp", s.address, s.config)
		return err
	})
	s.await(n)
	return conns
}

// each calls f for each of n, eight at a time, and ends the benchmark where one fails.
func (s *benched) each(n int, f func(i int) error) {
	s.b.Helper()
	var calling sync.WaitGroup
	var next, failed atomic.Int64
	var first atomic.Pointer[error]
	for range 8 {
		calling.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					failed.Add(1)
					first.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	calling.Wait()
	if err := first.Load(); err != nil {
		s.b.Fatalf("%s: %d of %d failed, the first with: %v", s.kind, failed.Load(), n, *err)
	}
}
