//go:build unix

package endpoint_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/mtls"
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

// servers are what is compared: the endpoint with XML alone, with protobuf, and with the budgets that it has for each
// session, and the reference. Without budgets, nobody but the machine says how fast a client may send.
const (
	xmlEndpoint     = "endpoint"
	guardedEndpoint = "endpoint-budgets"
	anyEndpoint     = "endpoint-protobuf"
	bareServer      = "bare"
)

// A benchPKI is what a server is given on its standard input, in PEM and as JSON.
type benchPKI struct{ Cert, Key, CA []byte }

// benchServer serves until its standard input ends. It writes its address, then, for each line that it reads, what is
// asked for: the CPU time that it has used, in microseconds, or its memory, in bytes.
func benchServer(kind string) error {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var p benchPKI
	if err := json.Unmarshal(line, &p); err != nil {
		return err
	}
	cert, err := tls.X509KeyPair(p.Cert, p.Key)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(p.CA)
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	switch kind {
	case xmlEndpoint, anyEndpoint, guardedEndpoint:
		list := make(revoked)
		for n := range int64(100_000) {
			list[big.NewInt(n<<40).String()] = true
		}
		gate := mtls.NewGate(&mtls.Trust{Certificate: cert, Issuers: []*x509.Certificate{ca}, Revocations: list}, nil)
		c := endpoint.Config{Gate: gate, NoProtobuf: kind != anyEndpoint, MaxSessionsPerCert: endpoint.NoLimit}
		if kind != guardedEndpoint {
			c.MaxEventsPerSecond, c.MaxBytesPerSecond = endpoint.NoLimit, endpoint.NoLimit
		}
		go endpoint.New(c).Serve(context.Background(), l)
	case bareServer:
		pool := x509.NewCertPool()
		pool.AddCert(ca)
		go bareRelay(l, &tls.Config{
			Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
			SessionTicketsDisabled: true,
		})
	}
	fmt.Println(l.Addr())
	for {
		asked, err := in.ReadString('\n')
		if err != nil {
			return nil
		}
		if asked == "resident\n" {
			debug.FreeOSMemory()
			fmt.Println(residentBytes())
			continue
		}
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			return err
		}
		fmt.Println(time.Duration(u.Utime.Nano() + u.Stime.Nano()).Microseconds())
	}
}

// residentBytes is what of this process is in memory; 0 where the system does not tell.
func residentBytes() int {
	data, _ := os.ReadFile("/proc/self/statm")
	var size, resident int
	fmt.Sscan(string(data), &size, &resident)
	return resident * os.Getpagesize()
}

// bareRelay hands what it reads to all other connections.
func bareRelay(l net.Listener, config *tls.Config) {
	var mu sync.RWMutex
	conns := make(map[*tls.Conn]struct{})
	for {
		raw, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			conn := tls.Server(raw, config)
			defer conn.Close()
			if conn.Handshake() != nil {
				return
			}
			mu.Lock()
			conns[conn] = struct{}{}
			mu.Unlock()
			defer func() {
				mu.Lock()
				delete(conns, conn)
				mu.Unlock()
			}()
			buf := make([]byte, 16<<10)
			for {
				n, err := conn.Read(buf)
				if err != nil {
					return
				}
				mu.RLock()
				for other := range conns {
					if other != conn {
						other.Write(buf[:n])
					}
				}
				mu.RUnlock()
			}
		}()
	}
}

// A benched is a server process.
type benched struct {
	b       *testing.B
	in      io.Writer
	out     *bufio.Reader
	address string
	config  *tls.Config // of a client
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
	b.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	s := &benched{b: b, in: in, out: bufio.NewReader(out), config: &tls.Config{
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

// connect has so many clients connect, and stay.
func (s *benched) connect(n int) []*tls.Conn {
	s.b.Helper()
	conns := make([]*tls.Conn, n)
	var dialling sync.WaitGroup
	next := make(chan int)
	for range 8 {
		dialling.Go(func() {
			for i := range next {
				conns[i] = s.dial()
				// The server's first word shows that it took the certificate, where it has one.
				conns[i].SetReadDeadline(time.Now().Add(20 * time.Millisecond))
				if _, err := conns[i].Read(make([]byte, 1)); err == io.EOF {
					s.b.Error("a session did not stay")
				}
				conns[i].SetReadDeadline(time.Time{})
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	dialling.Wait()
	return conns
}
