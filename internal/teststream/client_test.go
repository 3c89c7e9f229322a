package teststream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftsca/ftsca/internal/teststream"
)

// A stage is a client and the peer that a test plays by hand, in a bubble of time.
type stage struct {
	t     *testing.T
	c     *teststream.Client
	peer  net.Conn
	mu    sync.Mutex
	said  []said // what the client sent
	heard []teststream.Message
	begun time.Time
	ended chan error
}

// said is one write of the client, and when it came.
type said struct {
	at   time.Duration
	text string
}

func onStage(t *testing.T, protobuf bool, f func(t *testing.T, s *stage)) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		s := &stage{t: t, peer: there, begun: time.Now(), ended: make(chan error, 1)}
		s.c = teststream.New(here, teststream.Options{UID: "ANDROID-1", Callsign: "Ä & B", Protobuf: protobuf,
			Heard: func(m teststream.Message) { s.heard = append(s.heard, m) }})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { s.ended <- s.c.Run(ctx) }()
		read := make(chan struct{})
		go func() {
			defer close(read)
			buf := make([]byte, 1<<17)
			for {
				n, err := there.Read(buf)
				if err != nil {
					return
				}
				s.mu.Lock()
				s.said = append(s.said, said{time.Since(s.begun), string(buf[:n])})
				s.mu.Unlock()
			}
		}()
		f(t, s)
		cancel()
		there.Close()
		<-read
	})
}

// send has the peer say something.
func (s *stage) send(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.peer, text); err != nil {
		s.t.Fatalf("the peer cannot write: %v", err)
	}
	synctest.Wait()
}

// goOver has the peer offer version 1 of the protocol, and agree to it.
func (s *stage) goOver() {
	s.t.Helper()
	s.send(offer)
	s.send(fmt.Sprintf(answer, "true"))
}

// sent is all that the client has sent by now.
func (s *stage) sent() []said {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said
}

// times are when the client sent what holds text.
func (s *stage) times(text string) []time.Duration {
	var all []time.Duration
	for _, w := range s.sent() {
		if strings.Contains(w.text, text) {
			all = append(all, w.at)
		}
	}
	return all
}

// last is what the client sent last.
func (s *stage) last() string {
	all := s.sent()
	return all[len(all)-1].text
}

const (
	pong  = `<event version="2.0" uid="takPong" type="t-x-c-t-r" how="h-g-i-g-o"><point lat="0" lon="0" hae="0" ce="9999999" le="9999999"/></event>`
	offer = `<event version="2.0" uid="offer" type="t-x-takp-v" how="m-g"><point lat="0" lon="0" hae="0" ce="999999" le="999999"/>` +
		`<detail><TakControl><TakProtocolSupport version="1"/></TakControl></detail></event>`
	answer = `<event version="2.0" uid="offer" type="t-x-takp-r" how="m-g"><point lat="0" lon="0" hae="0" ce="999999" le="999999"/>` +
		`<detail><TakControl><TakResponse status="%s"/></TakControl></detail></event>`
	drone = `<event version="2.0" uid="drone" type="a-n-A" how="m-g"><point lat="1" lon="2" hae="7" ce="1" le="1"/>` +
		`<detail><contact callsign="D &amp; E"/></detail></event>`
)

func TestClientPingsInSilenceAndResetsAfter25Seconds(t *testing.T) {
	onStage(t, false, func(t *testing.T, s *stage) {
		if err := <-s.ended; !errors.Is(err, teststream.ErrSilent) {
			t.Errorf("it ended with %v", err)
		}
		if took := time.Since(s.begun); took != 25*time.Second {
			t.Errorf("it reset the connection after %v", took)
		}
		want := []time.Duration{15 * time.Second, 19500 * time.Millisecond, 24 * time.Second}
		if got := s.times(`uid="ANDROID-1-ping" type="t-x-c-t"`); !slices.Equal(got, want) {
			t.Errorf("it pinged at %v", got)
		}
	})
}

func TestAnyMessageKeepsTheClient(t *testing.T) {
	onStage(t, false, func(t *testing.T, s *stage) {
		for range 20 {
			time.Sleep(14 * time.Second)
			s.send(drone)
		}
		if got := s.times("t-x-c-t"); len(got) > 0 {
			t.Errorf("it pinged at %v though it was not silent", got)
		}
		time.Sleep(16 * time.Second)
		s.send(pong)
		time.Sleep(23 * time.Second)
		if got := len(s.times("t-x-c-t")); got != 3 { // at 15 s, then 15 and 19.5 s after the pong
			t.Errorf("it pinged %d times", got)
		}
		want := teststream.Message{UID: "drone", Type: "a-n-A", Callsign: "D & E", Number: 7}
		if len(s.heard) != 20 || s.heard[0] != want {
			t.Errorf("it heard %v", s.heard)
		}
		if got := s.c.Stats(); got.Pongs != 1 || got.Pings != 3 || got.Garbage != 0 {
			t.Errorf("it counted %+v", got)
		}
	})
}

func TestHalfAMessageDoesNotKeepTheClient(t *testing.T) {
	const head = "\xbf\xff\x7f" // of a frame of 16383 bytes
	zeros := strings.Repeat("\x00", 8000)
	for _, tt := range []struct {
		name     string
		protobuf bool
		first    string    // what comes at once
		later    [2]string // what comes after 10 s and after 20 s
	}{
		{"of XML", false, "", [2]string{drone[:50], drone[50:60]}},
		{"of XML, behind a whole one", false, drone + drone[:50], [2]string{drone[50:60], drone[60:70]}},
		{"of protobuf", true, head, [2]string{zeros, zeros}},
		{"strays between frames", true, "", [2]string{"stray", "stray"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onStage(t, tt.protobuf, func(t *testing.T, s *stage) {
				if tt.protobuf {
					s.goOver()
				}
				s.send(tt.first)
				for _, piece := range tt.later {
					time.Sleep(10 * time.Second)
					s.send(piece)
				}
				if err := <-s.ended; !errors.Is(err, teststream.ErrSilent) {
					t.Errorf("it ended with %v", err)
				}
				if took := time.Since(s.begun); took != 25*time.Second {
					t.Errorf("it reset the connection after %v", took)
				}
				want := []time.Duration{15 * time.Second, 19500 * time.Millisecond, 24 * time.Second}
				if got := s.times("t-x-c-t"); !slices.Equal(got, want) {
					t.Errorf("it pinged at %v", got)
				}
			})
		})
	}
}

func TestAWholeMessageThatCannotBeReadKeepsTheClient(t *testing.T) {
	for _, tt := range []struct {
		name     string
		protobuf bool
		message  string
	}{
		{"XML", false, "<event uid=></event>"},
		{"protobuf", true, "\xbf\x03\xff\xff\xff"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onStage(t, tt.protobuf, func(t *testing.T, s *stage) {
				if tt.protobuf {
					s.goOver()
				}
				for range 5 {
					time.Sleep(14 * time.Second)
					s.send(tt.message)
				}
				if got := s.times("t-x-c-t"); len(got) > 0 {
					t.Errorf("it pinged at %v though it was not silent", got)
				}
				if len(s.heard) > 0 || s.c.Stats().Garbage == 0 {
					t.Errorf("it heard %v", s.heard)
				}
			})
		})
	}
}

func TestClientCutsAtTheLiteralEndOfAnEvent(t *testing.T) {
	onStage(t, false, func(t *testing.T, s *stage) {
		for _, b := range []byte(drone) {
			s.send(string(b))
		}
		s.send(drone + "\n" + drone[:50])
		s.send(drone[50:])
		s.send(strings.Replace(drone, "7", "<!-- </event> -->7", 1)) // nothing it can read, twice
		if len(s.heard) != 3 {
			t.Errorf("it heard %v", s.heard)
		}
		if s.c.Stats().Garbage == 0 {
			t.Error("it could read a piece of an event")
		}
		fill := strings.Repeat(" ", 65536-len(drone))
		s.send(fill)
		s.send(drone)
		if len(s.heard) != 4 {
			t.Error("it did not take a message of 65536 bytes")
		}
		go io.WriteString(s.peer, fill+" "+drone)
		if err := <-s.ended; !errors.Is(err, teststream.ErrTooLong) {
			t.Errorf("it ended with %v", err)
		}
	})
}

func TestClientReportsItsPositionInAnInterval(t *testing.T) {
	onStage(t, false, func(t *testing.T, s *stage) {
		s.c.Report(5 * time.Second)
		time.Sleep(12 * time.Second)
		s.c.Report(0)
		s.send(drone)
		time.Sleep(14 * time.Second)
		want := []time.Duration{0, 5 * time.Second, 10 * time.Second}
		if got := s.times(`type="a-f-G-U-C"`); !slices.Equal(got, want) {
			t.Errorf("it reported at %v", got)
		}
		const inside = `callsign="Ä &amp; B"`
		if last := s.last(); !strings.Contains(last, inside) || !strings.Contains(last, `hae="3.0"`) {
			t.Errorf("it reported %q", last)
		}
	})
}

func TestClientIgnoresAnOfferThatItDoesNotWant(t *testing.T) {
	onStage(t, false, func(t *testing.T, s *stage) {
		s.send(offer)
		s.c.Report(time.Second)
		time.Sleep(5 * time.Second)
		if got := s.times("t-x-takp-q"); len(got) > 0 {
			t.Errorf("it asked at %v", got)
		}
		if got := len(s.times("<event")); got < 5 {
			t.Errorf("it sent %d events", got)
		}
	})
}

func TestClientIgnoresAnOfferOfAnotherVersion(t *testing.T) {
	onStage(t, true, func(t *testing.T, s *stage) {
		s.send(strings.Replace(offer, `"1"`, `"2"`, 1))
		if got := s.times("t-x-takp-q"); len(got) > 0 {
			t.Errorf("it asked at %v", got)
		}
	})
}

func TestClientSaysNothingUntilItsRequestIsAnswered(t *testing.T) {
	for _, status := range []string{"true", "false"} {
		t.Run(status, func(t *testing.T) {
			onStage(t, true, func(t *testing.T, s *stage) {
				s.c.Report(time.Second)
				time.Sleep(2500 * time.Millisecond)
				s.send(offer)
				s.send(offer) // a second one is none
				before := len(s.times(""))
				if last := s.sent()[before-1].text; !strings.Contains(last, `uid="offer" type="t-x-takp-q"`) ||
					!strings.Contains(last, `<TakControl><TakRequest version="1"/></TakControl>`) {
					t.Fatalf("it sent %s", last)
				}
				time.Sleep(20 * time.Second)
				s.send(drone)
				time.Sleep(20 * time.Second)
				if got := len(s.times("")); got != before {
					t.Fatalf("it went on to send %v", s.sent()[before:])
				}
				s.send(fmt.Sprintf(answer, status))
				if got := s.times(""); len(got) != before+1 {
					t.Fatalf("after the answer it sent %d messages", len(got)-before)
				}
				first := s.sent()[before].text
				if xml := strings.Contains(first, "<event"); xml == (status == "true") || s.c.Stats().Protobuf == xml {
					t.Errorf("after %q it sent %q", status, first)
				}
				if status == "true" {
					frames := s.sent()[before].text
					s.send("</event>garbage" + frames[:7])
					s.send(frames[7:] + "\xbf\xff\xff\xff\xff\x0f" + frames + "\xbf\x00")
					want := teststream.Message{UID: "ANDROID-1", Type: "a-f-G-U-C", Callsign: "Ä & B", Number: 4, Protobuf: true}
					if len(s.heard) != 3 || s.heard[1] != want || s.heard[2] != want {
						t.Errorf("of its own frames it heard %+v", s.heard)
					}
					if got, want := s.c.Stats().Garbage, len("</event>garbage")+6; got != want {
						t.Errorf("%d bytes were garbage, want %d", got, want)
					}
				}
			})
		})
	}
}

func TestClientPingsInProtobuf(t *testing.T) {
	onStage(t, true, func(t *testing.T, s *stage) {
		s.goOver()
		time.Sleep(16 * time.Second)
		last := s.last()
		if last[0] != 0xBF || !strings.Contains(last, "t-x-c-t") || !strings.Contains(last, "ANDROID-1-ping") {
			t.Errorf("it pinged with %q", last)
		}
		s.send(strings.Replace(last, "t-x-c-t", "t-x-c-u", 1))
		if len(s.heard) != 1 || s.heard[0].UID != "ANDROID-1-ping" {
			t.Errorf("it heard %v", s.heard)
		}
	})
}

func TestClientGivesUpWhenItsRequestIsNotAnswered(t *testing.T) {
	onStage(t, true, func(t *testing.T, s *stage) {
		time.Sleep(5 * time.Second)
		s.send(offer)
		for range 5 {
			time.Sleep(10 * time.Second)
			s.send(drone)
		}
		if err := <-s.ended; !errors.Is(err, teststream.ErrUnanswered) {
			t.Errorf("it ended with %v", err)
		}
		if took := time.Since(s.begun); took != 65*time.Second {
			t.Errorf("it gave up after %v", took)
		}
	})
}

func TestClientResetsASilentServerAlsoWhileItWaits(t *testing.T) {
	onStage(t, true, func(t *testing.T, s *stage) {
		s.send(offer)
		if err := <-s.ended; !errors.Is(err, teststream.ErrSilent) {
			t.Errorf("it ended with %v", err)
		}
		if got := s.times("t-x-c-t"); len(got) > 0 {
			t.Errorf("it pinged at %v", got)
		}
	})
}

func TestClientHearsTheLastWordsOfAServer(t *testing.T) {
	onStage(t, false, func(t *testing.T, s *stage) {
		s.send(drone)
		s.peer.Close()
		if err := <-s.ended; err != io.EOF {
			t.Errorf("it ended with %v", err)
		}
		if len(s.heard) != 1 {
			t.Errorf("it heard %v", s.heard)
		}
	})
}
