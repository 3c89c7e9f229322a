package endpoint_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
)

func TestOperatorsWordGoesBeforeTheCertificate(t *testing.T) {
	inNet(t, endpoint.Config{Groups: map[string][]string{"bob": {"red", "red"}, "carol": {endpoint.Anonymous}}}, func(n *gathering) {
		alice, bob, carol, dave := n.enter("alice", false, "blue"), n.enter("bob", false, "blue"), n.enter("carol", true, "blue"), n.enter("dave", false)
		alice.says(remark("a", ""))
		bob.says(remark("b", ""))
		carol.says(remark("c", ""))
		dave.says(remark("d", ""))
		alice.hears()
		bob.hears()
		carol.hears("d")
		dave.hears("c")
		for _, s := range n.w.e.Sessions() {
			want := map[string]string{"alice": "blue", "bob": "red", "carol": endpoint.Anonymous, "dave": endpoint.Anonymous}[s.Name]
			if !slices.Equal(s.Groups, []string{want}) {
				t.Errorf("%s is in %q", s.Name, s.Groups)
			}
		}
	})
}

// Who is heard from now on appears, with what is on the map, and who is heard no more is gone, for both sides and at once.
func TestRegroupingWhileConnected(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, bob, carol := n.enter("alice", false, "blue"), n.enter("bob", true, "blue"), n.enter("carol", false, "red")
		alice.appears("Cyan")
		bob.appears("Cyan")
		carol.appears("Cyan")
		alice.says(noted("camp", "b-m-p-s-m", time.Hour, ""))
		bob.says(noted("hill", "b-m-p-s-m", time.Hour, ""))
		carol.says(noted("ford", "u-d-f", time.Hour, ""))
		n.settle()

		n.w.e.Regroup(map[string][]string{"bob": {"red"}})
		bob.hears("-alice", "carol", "ford")
		alice.hears("-bob")
		carol.hears("bob", "hill")
		carol.says(remark("1", ""))
		bob.hears("1")
		alice.hears()
		bob.says(remark("2", ""))
		carol.hears("2")
		alice.hears()

		n.w.e.Regroup(map[string][]string{"bob": {"red", "blue"}})
		bob.hears("alice", "camp")
		alice.hears("bob", "hill")
		carol.hears()

		// The same said again changes nothing, and without a word the certificates count.
		n.w.e.Regroup(map[string][]string{"bob": {"blue", "red"}})
		n.w.e.Regroup(nil)
		bob.hears("-carol")
		carol.hears("-bob")
		alice.hears()

		// Somebody new goes by the word that was given before.
		n.w.e.Regroup(map[string][]string{"dave": {"red"}})
		dave := n.enter("dave", false, "blue")
		dave.hears("carol", "ford")
	})
}

func TestWhoMoveTogetherKeepEachOtherOnTheMap(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, bob := n.enter("alice", false, "blue"), n.enter("bob", true, "blue")
		alice.appears("Cyan")
		bob.appears("Cyan")
		n.settle()
		for k := range 20 {
			to := []string{fmt.Sprint("group ", k)}
			n.w.e.Regroup(map[string][]string{"alice": to, "bob": to})
			for p, other := range map[*person]string{alice: "bob", bob: "alice"} {
				if heard := p.take(); !slices.Equal(heard, []string{"-" + other, other}) {
					t.Fatalf("move %d: %s heard %q", k, p.name, heard)
				}
			}
		}
	})
}

// What it said in a session that is over is its own as well; what somebody of the same name says elsewhere is not.
func TestWhoMovesTakesAlongWhatItHasPutOnTheMap(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice := n.enter("alice", false, "blue")
		alice.says(noted("before", "b-m-p-s-m", time.Hour, ""))
		alice.conn.Close()
		alice = n.enter("alice", false, "blue")
		alice.says(noted("after", "b-m-p-s-m", time.Hour, ""), repeated("radio", 1, time.Now().Add(time.Hour)))
		carol, bob := n.enter("carol", false, "red"), n.enter("bob", false, "red", "blue")
		n.settle()
		n.w.e.Regroup(map[string][]string{"alice": {"red"}})
		carol.hears("before", "after", "radio")
		alice.hears()
		bob.hears()
		n.enter("dave", false, "blue").hears()
		n.enter("erin", false, "red").hears("before", "after", "radio")
	})
}

func TestWhoLeavesIsGoneForThoseInItsGroupsAlone(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, bob, carol := n.enter("alice", false, "blue"), n.enter("bob", false, "blue"), n.enter("carol", false, "red")
		alice.appears("Cyan")
		n.settle()
		alice.conn.Close()
		bob.hears("-alice")
		carol.hears()
	})
}

func TestWhoComesAnewInOtherGroupsIsGoneForThoseOfBefore(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		bob, carol, old := n.enter("bob", false, "blue"), n.enter("carol", false, "red", "blue"), n.enter("alice", false, "blue")
		old.appears("Cyan")
		n.settle()
		again := n.enter("alice", false, "red")
		again.appears("Cyan")
		if !old.gone() || again.gone() {
			t.Errorf("the older session has ended: %v, and the newer one: %v", old.gone(), again.gone())
		}
		bob.hears("-alice")
		carol.hears("alice")
	})
}

// Whose groups do not meet cannot take each other's markers off the map, or put their own in the place.
func TestMarkersOfOthersGroupsAreOutOfReach(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, mallory := n.enter("alice", false, "blue"), n.enter("mallory", false, "red")
		alice.says(noted("camp", "b-m-p-s-m", time.Hour, ""))
		mallory.says(noted("camp", "b-m-p-s-m", time.Hour, "<remarks/>"), deleted("camp"))
		n.enter("bob", false, "blue").hears("camp")
		n.enter("eve", false, "red").hears()
	})
}

// Nor can they by announcing themselves under a marker's uid, and who does so is heard in its own groups all the same.
func TestOwnPositionLeavesMarkersOfOthersGroupsAlone(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, mallory, eve := n.enter("alice", false, "blue"), n.enter("mallory", false, "red"), n.enter("eve", false, "red")
		alice.says(noted("camp", "b-m-p-s-m", time.Hour, ""))
		mallory.says(position("camp", 1))
		eve.hears("camp")
		n.enter("bob", false, "blue").hears("camp")
		n.enter("frank", false, "red").hears("camp")
		alice.says(noted("camp", "b-m-p-s-m", time.Hour, "<remarks/>"))
		mallory.conn.Close()
		eve.hears("-camp")
		alice.hears()
		time.Sleep(30 * time.Minute)
		n.enter("carol", false, "blue").hears("camp")
		n.enter("grace", false, "red").hears()
	})
}

// What has the uid of somebody who is away does not take what is for him, unless its groups may hear of it.
func TestMarkerOfOthersGroupsTakesNobodysMessages(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, mallory := n.enter("alice", false, "blue"), n.enter("mallory", false, "red")
		mallory.says(noted("bob", "b-m-p-s-m", time.Hour, ""))
		alice.says(talk("1", "BOB", "bob", "RootContactGroup", "bob"))
		bob := n.enter("bob", false, "blue")
		bob.appears("Cyan")
		bob.hears("1")
		mallory.hears()
	})
}

func deleted(uid string) string {
	return noted("delete-"+uid, "t-x-d-d", time.Minute, `<link uid="`+uid+`" relation="none" type="none"/><__forcedelete/>`)
}

// However many groups there have been, two are told apart.
func TestManyGroupsAreToldApart(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		for k := range 130 {
			n.enter(fmt.Sprintf("p%d", k), false, fmt.Sprintf("g%d", k))
		}
		friend := n.enter("friend", false, "g129")
		n.all[129].says(remark("1", ""))
		friend.hears("1")
		for _, p := range n.all[:129] {
			p.hears()
		}
	})
}
