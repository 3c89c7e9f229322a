package endpoint_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
)

// What is on the map stays there, also when who put it there has gone, until it goes stale or is deleted.
func TestMarkersDrawingsAndRoutesAreKept(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice := n.enter("alice", false)
		kept := []string{"a-h-G", "a-n-A-C-F", "b-m-p-s-m", "b-m-p-w", "b-m-r", "b-r-f-h-c", "u-d-c-c", "u-d-r", "u-d-f"}
		for _, kind := range append(kept, "b-t-f", "b-a-o-tbl", "u-rb-a", "t-x-i", "b-i-v") {
			alice.says(noted(kind, kind, time.Hour, ""))
		}
		alice.says(noted("soon", "b-m-p-s-m", time.Minute, ""), noted("never", "b-m-p-s-m", 0, ""))
		alice.says(strings.Replace(noted("unending", "b-m-p-s-m", time.Hour, ""), `stale="2`, `stale="x`, 1))
		alice.says(noted("secret", "b-m-p-s-m", time.Hour, `<marti><dest uid="bob"/></marti>`))
		all := append([]string{"soon"}, kept...)
		n.enter("bob", false).hears(append(all, "unending")...)
		n.enter("framed", true).hears(append(all, "unending")...)
		alice.conn.Close()
		time.Sleep(2 * time.Minute)
		n.enter("carol", false).hears(kept...)

		dave := n.enter("dave", false)
		dave.take()
		dave.says(deleted("b-m-r"), noted("u-d-r", "u-d-r", 2*time.Hour, "<remarks/>"))
		time.Sleep(70 * time.Minute)
		n.enter("erin", false).hears("u-d-r")
		if got := n.w.e.Stats().Items; got != 1 {
			t.Errorf("%d items are kept", got)
		}
	})
}

func TestItemsAreBoundedForEachNameAndAGoneOneMakesRoom(t *testing.T) {
	inNet(t, endpoint.Config{NameItems: 10}, func(n *gathering) {
		alice, mallory := n.enter("alice", false), n.enter("mallory", false)
		alice.says(noted("camp", "b-m-p-s-m", time.Hour, ""))
		for k := range 100 {
			mallory.says(noted(fmt.Sprintf("m%02d", k), "b-m-p-s-m", time.Hour, ""))
		}
		mallory.conn.Close()
		again := n.enter("mallory", false) // what it put there before counts still
		again.take()
		again.says(noted("m100", "b-m-p-s-m", time.Hour, ""))
		n.enter("bob", false).hears("camp", "m91", "m92", "m93", "m94", "m95", "m96", "m97", "m98", "m99", "m100")
	})
}

// Whatever else is on the map, who is connected is.
func TestNothingDisplacesAConnectedDevice(t *testing.T) {
	tests := map[string]struct {
		config endpoint.Config
		before []string // what others put there before
		own    int      // what the device puts there
	}{
		"by what it puts there itself": {endpoint.Config{NameItems: 3}, nil, 3},
		"where the map is full":        {endpoint.Config{Items: 4, NameItems: 2}, []string{"g1", "g2"}, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			inNet(t, tc.config, func(n *gathering) {
				for _, who := range tc.before {
					g := n.enter(who, false)
					g.says(noted(who+"-1", "b-m-p-s-m", time.Hour, ""), noted(who+"-2", "b-m-p-s-m", time.Hour, ""))
				}
				bob, alice := n.enter("bob", false), n.enter("alice", false)
				alice.appears("Cyan")
				for k := range tc.own {
					alice.says(noted(fmt.Sprint("m", k), "b-m-p-s-m", time.Hour, ""))
				}
				n.settle()
				if carol := n.enter("carol", false); !slices.Contains(carol.take(), "alice") {
					t.Error("a newcomer does not see her")
				}
				bob.says(talk("to-team", "Cyan", "Cyan", "TeamGroups"), talk("to-her", "ALICE", "alice", "RootContactGroup", "alice"))
				alice.hears("to-team", "to-her")
				alice.conn.Close()
				bob.hears("-alice")
			})
		})
	}
}

// A lost device leaves nothing behind: neither where it was, nor what it put on the map, nor what it said to who is away.
func TestRevokedNamesItemsAreForgotten(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, bob := n.enter("alice", false), n.enter("bob", false)
		alice.appears("Cyan")
		alice.says(noted("camp", "b-m-p-s-m", time.Hour, ""), remark("1", `<marti><dest uid="carol"/></marti>`))
		bob.says(noted("ford", "b-m-p-s-m", time.Hour, ""))
		n.w.revoke(alice.cert)
		n.settle()
		if !alice.gone() {
			t.Error("she is here still")
		}
		carol := n.enter("carol", false)
		carol.appears("Cyan")
		carol.hears("ford")
	})
}

// It may be off the network when it is revoked.
func TestRevokedNamesItemsAreForgottenWhileItIsAway(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, writer, bob := n.enter("alice", false), n.enter("writer", false), n.enter("bob", false)
		alice.says(noted("camp", "b-m-p-s-m", time.Hour, ""))
		writer.says(remark("1", `<marti><dest uid="carol"/></marti>`))
		bob.says(noted("ford", "b-m-p-s-m", time.Hour, ""), remark("2", `<marti><dest uid="carol"/></marti>`))
		for _, p := range []*person{alice, writer, bob} {
			p.conn.Close()
		}
		n.settle()
		n.w.revoke(alice.cert, writer.cert)
		carol := n.enter("carol", false)
		carol.appears("Cyan")
		carol.hears("ford", "2")
	})
}

// The name is here with its next certificate: what the device has said before stands.
func TestItemsOfARenewedDeviceStayWhenTheOldCertificateIsRevoked(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		old := n.enter("alice", false)
		old.appears("Cyan")
		old.says(noted("camp", "b-m-p-s-m", time.Hour, ""))
		again := n.enter("alice", false)
		again.appears("Cyan")
		n.w.revoke(old.cert)
		n.enter("bob", false).hears("alice", "camp")
		if got := n.w.e.Stats().Bound; got != 1 {
			t.Errorf("%d uids are bound", got)
		}
	})
}
