package endpoint_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/testpki"
)

func TestATAKsStayForTenMinutesAndMissNoPosition(t *testing.T) {
	bubbleWith(t, endpoint.Config{}, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		ctx, cancel := context.WithCancel(t.Context())
		g := newTeam(t, 0)
		for k := range 6 {
			uid := fmt.Sprint("mate-", k)
			g.join(ctx, uid, connect(uid).conn)
		}
		begun := time.Now()
		for _, phase := range []struct{ every, lasts time.Duration }{
			{5 * time.Second, 2 * time.Minute},
			{0, 3 * time.Minute}, // pings alone
			{time.Second, time.Minute},
			{20 * time.Second, 2 * time.Minute}, // a ping now and then
			{0, 90 * time.Second},
			{100 * time.Millisecond, 30 * time.Second},
		} {
			g.report(phase.every)
			time.Sleep(phase.lasts)
		}
		g.check()
		if took := time.Since(begun).Truncate(time.Minute); took != 10*time.Minute {
			t.Errorf("that were %v", took)
		}
		protobuf := 0
		for uid, m := range g.mates {
			s := m.client.Stats()
			if s.Protobuf {
				protobuf++
			}
			if s.Offers != 1 {
				t.Errorf("%s was offered protobuf %d times, want once", uid, s.Offers)
			}
			if s.Positions < 2*60/5+60+2*60/20+300 || s.Pings < 2*60/15 || s.Pongs != s.Pings {
				t.Errorf("%s counted %+v", uid, s)
			}
		}
		if protobuf != 3 {
			t.Errorf("%d of 6 went over to protobuf, want 3", protobuf)
		}
		if s := w.e.Stats(); s.Sessions != 6 || len(s.Ended) > 0 || len(s.Dropped) > 0 {
			t.Errorf("the counters say %+v", s)
		}
		g.leave()
		cancel()
		for _, m := range g.mates {
			<-m.ended
		}
	})
}

func TestATAKHearsAllThatCameBeforeTheDrain(t *testing.T) {
	bubbleWith(t, endpoint.Config{}, func(t *testing.T, w *world, connect func(string, ...testpki.Option) *client) {
		g := newTeam(t, time.Second)
		for k := range 3 {
			uid := fmt.Sprint("mate-", k)
			g.join(t.Context(), uid, connect(uid).conn)
		}
		time.Sleep(10*time.Second + time.Millisecond)
		g.report(0)
		synctest.Wait()
		g.leave()
		w.stop()
		for _, m := range g.mates {
			<-m.ended
		}
		g.check()
		if s := w.e.Stats(); s.Ended[endpoint.Drained] != 3 {
			t.Errorf("the counters say %+v", s)
		}
	})
}
