package endpoint_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/testpki"
)

// unbudgeted has no budget that would hold anybody back.
func unbudgeted() endpoint.Config {
	return endpoint.Config{NoProtobuf: true, MaxEventsPerSecond: endpoint.NoLimit, MaxBytesPerSecond: endpoint.NoLimit}
}

// slowly reads what comes to c, and rests after each read.
func slowly(c *client, rest time.Duration) {
	buf := make([]byte, 32<<10)
	for {
		if _, err := c.conn.Read(buf); err != nil {
			return
		}
		time.Sleep(rest)
	}
}

// The queues hold far less than the flood: what is more waits on its sender's side.
func TestFloodWaitsForThoseWhoHearItAndCutsNobodyWhoReads(t *testing.T) {
	config := unbudgeted()
	config.QueueEvents = 16
	bubbleWith(t, config, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		flooder, deaf := connect("flooder"), connect("deaf")
		const events = 2000
		var heard []func() int
		for range 3 {
			n, _ := listen(connect("listener"))
			heard = append(heard, n)
		}
		go slowly(connect("slower"), 5*time.Millisecond)
		go slowly(connect("slower too"), 7*time.Millisecond)
		go slowly(connect("slower as well"), 9*time.Millisecond)
		for n := range events {
			flooder.send(chat(n, 100))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for i, n := range heard {
			if n() != events {
				t.Errorf("listener %d heard %d events, want %d", i, n(), events)
			}
		}
		deaf.expectEnd()
		if s := w.e.Stats(); s.Ended[endpoint.Slow] != 1 || s.Sessions != 7 {
			t.Errorf("the counters say %+v", s)
		}
	})
}

func TestOneSlowListenerHoldsUpNobody(t *testing.T) {
	bubbleWith(t, unbudgeted(), func(t *testing.T, _ *world, connect func(string, ...testpki.Option) *client) {
		gateway := connect("gateway")
		connect("deaf")
		listen(connect("listener"))
		begun := time.Now()
		for n := range 100 {
			gateway.send(chat(n, 5000))
		}
		if took := time.Since(begun); took > time.Millisecond {
			t.Errorf("a hundred turns took %v", took)
		}
	})
}

func TestWhomNobodyHearsIsHeldForMomentsOnly(t *testing.T) {
	bubbleWith(t, unbudgeted(), func(t *testing.T, _ *world, connect func(string, ...testpki.Option) *client) {
		talker := connect("talker")
		connect("deaf")
		connect("deaf too")
		begun := time.Now()
		for n := range 5 { // each is a turn; the first one is on its way to the deaf, two are held, and the last one is in hand
			talker.send(chat(n, 5000))
		}
		if took := time.Since(begun); took < 100*time.Millisecond || took > 110*time.Millisecond {
			t.Errorf("five turns at once took %v, want 50ms for each of two", took)
		}
		time.Sleep(time.Second)
		for range 5 {
			begun := time.Now()
			talker.send(chat(0, 100), ping)
			if took := time.Since(begun); took != 0 {
				t.Errorf("an event a second was held for %v", took)
			}
			time.Sleep(time.Second)
		}
		go io.Copy(io.Discard, talker.conn)
	})
}

func TestDrainDeliversWhatWaitsForAFloodThatIsHeld(t *testing.T) {
	bubbleWith(t, unbudgeted(), func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		flooder, deaf := connect("flooder"), connect("deaf")
		defer deaf.conn.Close()
		deaf.send(chat(0, 100), chat(1, 100)) // nobody reads them yet
		synctest.Wait()                       // written is not published yet, and a drain publishes nothing
		for n := range 10 {                   // one turn, and what waits for the next one
			flooder.send(chat(n, 600))
		}
		synctest.Wait()
		stopped := make(chan struct{})
		go func() {
			w.stop()
			close(stopped)
		}()
		time.Sleep(longerThanAHold)
		flooder.expect(chat(0, 100), chat(1, 100))
		flooder.expectEnd()
		deaf.conn.Close()
		<-stopped
	})
}
