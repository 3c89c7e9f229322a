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
	"log/slog"
	"math/big"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/collector"
	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/metrics"
	"github.com/ftsca/ftsca/internal/mtls"
)

// servers are what is compared: the endpoint with XML alone, with protobuf, with the budgets that it has for each session,
// and without a look at whom a uid belongs to, and the reference. Without budgets, nobody but the machine says how fast a
// client may send.
const (
	unboundEndpoint = "endpoint-unbound"
	xmlEndpoint     = "endpoint"
	guardedEndpoint = "endpoint-budgets"
	anyEndpoint     = "endpoint-protobuf"
	bareServer      = "bare"
)

// A benchPKI is what a server is given on its standard input, in PEM and as JSON.
type benchPKI struct{ Cert, Key, CA []byte }

// benchServer serves until its standard input ends. It writes its address, then, for each line that it reads, what is
// asked for: the CPU time that it has used, in microseconds, its memory, in bytes, or its counters, in JSON.
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
	defer runtime.KeepAlive(collector.Ballast()) // as in ftsca; for the reference too, which it does as much good
	var stats func() endpoint.Stats
	if kind == bareServer {
		stats = serveBare(l, cert, ca)
	} else {
		stats = serveEndpoint(kind, l, cert, ca)
	}
	fmt.Println(l.Addr())
	for {
		asked, err := in.ReadString('\n')
		if err != nil {
			return nil
		}
		switch asked {
		case "cpu\n":
			var u syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
				return err
			}
			fmt.Println(time.Duration(u.Utime.Nano() + u.Stime.Nano()).Microseconds())
		case "resident\n":
			debug.FreeOSMemory()
			fmt.Println(residentBytes())
		case "stats\n":
			answer, err := json.Marshal(stats())
			if err != nil {
				return err
			}
			fmt.Printf("%s\n", answer)
		default:
			return fmt.Errorf("asked for %q", asked)
		}
	}
}

// serveEndpoint serves with all that ftsca serve gives an endpoint whatever its flags: a log, metrics, and a list.
func serveEndpoint(kind string, l net.Listener, cert tls.Certificate, ca *x509.Certificate) (stats func() endpoint.Stats) {
	gate := mtls.NewGate(&mtls.Trust{
		Certificate: cert, Issuers: []*x509.Certificate{ca}, Revocations: crl.NewChecker(revocations(ca, 100_000)),
	}, nil)
	var counted *metrics.Metrics
	c := endpoint.Config{
		Gate: gate, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), NoProtobuf: kind != anyEndpoint, MaxSessionsPerCert: endpoint.NoLimit,
		Handshaken: func(result endpoint.Cause, took time.Duration) { counted.Handshake(result, took) },
	}
	if kind == unboundEndpoint {
		c.Bind = endpoint.BindOff
	}
	if kind != guardedEndpoint {
		c.MaxEventsPerSecond, c.MaxBytesPerSecond = endpoint.NoLimit, endpoint.NoLimit
	}
	e := endpoint.New(c)
	counted = metrics.New(&metrics.State{}, e.Stats)
	go e.Serve(context.Background(), l)
	return e.Stats
}

// revocations are so many serials of sixteen octets. Every other one names its authority, and where one does, a Checker
// looks into two tables.
func revocations(ca *x509.Certificate, n int) []crl.Entry {
	all := make([]crl.Entry, n)
	for i := range all {
		serial := new(big.Int).Lsh(big.NewInt(int64(i)+1<<56), 64)
		all[i] = crl.Entry{Serial: crl.SerialOf(serial), Reason: crl.KeyCompromise}
		if i%2 == 1 {
			all[i].Issuer = crl.KeyID(ca)
		}
	}
	return all
}

// residentBytes is what of this process is in memory; 0 where the system does not tell.
func residentBytes() int {
	data, _ := os.ReadFile("/proc/self/statm")
	var size, resident int
	fmt.Sscan(string(data), &size, &resident)
	return resident * os.Getpagesize()
}
