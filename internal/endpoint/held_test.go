package endpoint_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
)

func TestChatToSomebodyAwayWaitsForItsReturn(t *testing.T) {
	for _, framed := range []bool{false, true} {
		inNet(t, endpoint.Config{}, func(n *gathering) {
			alice, bob := n.enter("alice", false), n.enter("bob", framed)
			alice.appears("Cyan")
			bob.appears("Cyan")
			n.settle()
			bob.conn.Close()
			alice.hears("-bob")
			alice.says(talk("1", "BOB", "bob", "RootContactGroup", "bob"))
			alice.says(remark("2", `<marti><dest callsign="BOB"/></marti>`))
			alice.says(remark("3", `<marti><dest callsign="BOB"/><dest callsign="ALICE"/></marti>`))
			n.enter("carol", false).hears("alice")
			if got := n.w.e.Stats().Held; got != 3 {
				t.Errorf("%d events are held", got)
			}
			time.Sleep(9 * time.Minute) // and alice, who has said nothing, has gone meanwhile
			bob = n.enter("bob", framed)
			bob.hears()
			bob.appears("Cyan")
			bob.hears("1", "2", "3")
			bob.appears("Cyan")
			bob.hears()
			if got := n.w.e.Stats().Held; got != 0 {
				t.Errorf("%d events are held", got)
			}
		})
	}
}

// A newcomer that has not said who it is, and takes its time.
func TestLetterComesBehindWhatItsSenderSaidBefore(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, bob := n.enter("alice", false), n.connect("bob")
		time.Sleep(time.Second)
		alice.says(remark("1", ""), remark("2", ""), remark("3", `<marti><dest uid="bob"/></marti>`))
		bob.send(position("bob", 1))
		synctest.Wait()
		var heard []string
		for len(heard) < 3 {
			if e := n.read(bob.next()); !e.IsControl() {
				heard = append(heard, e.UID)
			}
		}
		if !slices.Equal(heard, []string{"1", "2", "3"}) {
			t.Errorf("bob heard %q", heard)
		}
	})
}

func TestLettersWaitWhileTheirReceiverHasNotReadEarlierOnes(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, slow := n.enter("alice", false), n.connect("slow")
		time.Sleep(time.Second)
		for _, uid := range []string{"one", "two"} {
			alice.says(remark("for-"+uid, `<marti><dest uid="`+uid+`"/></marti>`))
			slow.send(position(uid, 1))
			synctest.Wait()
		}
		if got := n.w.e.Stats().Held; got != 1 {
			t.Errorf("%d letters are held while the first is not read, want the second", got)
		}
		go io.Copy(io.Discard, slow.conn)
		synctest.Wait()
		slow.send(position("two", 2))
		synctest.Wait()
		if got := n.w.e.Stats().Held; got != 0 {
			t.Errorf("%d letters are held from then on", got)
		}
	})
}

func TestNamesakeInOtherGroupsIsNotWhoIsMeant(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, other := n.enter("alice", false, "blue"), n.enter("other", false, "red")
		bob := noted("bob", "a-f-G", time.Hour, `<contact callsign="BOB" endpoint="*:-1:stcp"/>`)
		other.says(strings.Replace(bob, "bob", "other", 1))
		alice.says(remark("1", `<marti><dest callsign="BOB"/></marti>`))
		other.hears()
		one := n.enter("bob", false, "blue")
		one.says(bob)
		one.hears("1")
	})
}

func TestWhatIsHeldIsForgottenInTime(t *testing.T) {
	for _, hold := range []time.Duration{0, 5 * time.Minute, -1} {
		inNet(t, endpoint.Config{Hold: hold}, func(n *gathering) {
			alice := n.enter("alice", false)
			alice.says(remark("1", `<marti><dest uid="bob"/></marti>`))
			time.Sleep(6 * time.Minute)
			bob := n.enter("bob", false)
			bob.appears("Cyan")
			if hold == 0 {
				bob.hears("1")
			} else {
				bob.hears()
			}
			if hold == 0 {
				n.enter("alice", false).says(remark("2", `<marti><dest uid="carol"/></marti>`))
				time.Sleep(11 * time.Minute)
				if got := n.w.e.Stats().Held; got != 0 {
					t.Errorf("%d events are held", got)
				}
			}
		})
	}
}

// Nobody fetches what is for another one by taking that one's callsign.
func TestWhatIsHeldIsForTheSameNameAlone(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, bob := n.enter("alice", false), n.enter("bob", false)
		bob.appears("Cyan")
		n.settle()
		bob.conn.Close()
		alice.hears("-bob")
		alice.says(remark("1", `<marti><dest callsign="BOB"/></marti>`))
		mallory := n.enter("mallory", false)
		mallory.says(noted("m", "a-f-G", time.Hour, `<contact callsign="BOB" endpoint="*:-1:stcp"/>`))
		mallory.hears()
		bob = n.enter("bob", false)
		bob.take()
		bob.appears("Cyan")
		bob.hears("1")
	})
}

func TestWhatIsHeldIsForThoseInTheSendersGroups(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice := n.enter("alice", false, "blue")
		alice.says(remark("1", `<marti><dest uid="bob"/></marti>`))
		red := n.enter("bob", false, "red")
		red.appears("Cyan")
		red.hears()
		red.conn.Close()
		blue := n.enter("bob", false, "blue")
		blue.appears("Cyan")
		blue.hears("1")
	})
}

// A letter is for those who share a group with its sender when they come, whatever it was when it was written.
func TestLettersFollowTheirSenderIntoOtherGroups(t *testing.T) {
	for _, away := range []bool{false, true} {
		for what, c := range map[string]struct {
			word map[string][]string
			want []string
		}{
			"the sender is moved": {map[string][]string{"alice": {"red"}}, nil},
			"both are moved":      {map[string][]string{"alice": {"red"}, "bob": {"red"}}, []string{"letter"}},
			"nobody is moved":     {map[string][]string{"carol": {"red"}}, []string{"letter"}},
		} {
			inNet(t, endpoint.Config{}, func(n *gathering) {
				alice := n.enter("alice", false, "blue")
				alice.says(remark("letter", `<marti><dest uid="bob"/></marti>`))
				if away {
					alice.conn.Close()
					n.settle()
				}
				n.w.e.Regroup(c.word)
				bob := n.enter("bob", false, "blue")
				bob.appears("Cyan")
				if got := bob.take(); !slices.Equal(got, c.want) {
					t.Errorf("%s, the sender away: %v: bob heard %q, want %q", what, away, got, c.want)
				}
			})
		}
	}
}

// Where the operator has no word on a name, each of its letters is for the groups of the certificate it was sent with.
func TestLetterGoesByTheCertificateItWasSentWith(t *testing.T) {
	inNet(t, endpoint.Config{Groups: map[string][]string{"alice": {"green"}}}, func(n *gathering) {
		phone, tablet := n.enter("alice", false, "blue"), n.enter("alice", false, "red")
		for k, from := range []*person{phone, tablet, phone, tablet} {
			from.says(remark(fmt.Sprint(k), `<marti><dest uid="bob"/></marti>`))
		}
		tablet.conn.Close()
		n.settle()
		n.w.e.Regroup(nil)
		for _, c := range []struct {
			group string
			want  []string
		}{{"green", nil}, {"red", []string{"1", "3"}}, {"blue", []string{"0", "2"}}} {
			bob := n.enter("bob", false, c.group)
			bob.appears("Cyan")
			bob.hears(c.want...)
			bob.conn.Close()
			n.settle()
		}
	})
}

// The operator gives a device's uid to somebody else, with all that comes for it from then on.
func TestWhatIsHeldForAnUnboundUIDIsForWhoTakesIt(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, bob := n.enter("alice", false), n.enter("bob", false)
		bob.says(position("phone", 1))
		bob.conn.Close()
		n.settle()
		alice.says(remark("bob's", `<marti><dest uid="phone"/></marti>`))
		n.w.e.Unbind("phone")
		alice.says(remark("carol's", `<marti><dest uid="phone"/></marti>`))
		carol := n.enter("carol", false)
		carol.says(position("phone", 2))
		carol.hears("carol's")
	})
}

// The oldest go first, and those of who holds too many before anybody else's.
func TestWhatIsHeldIsBounded(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, mallory := n.enter("alice", false), n.enter("mallory", false)
		alice.says(remark("a", `<marti><dest uid="bob"/></marti>`))
		for k := range 600 {
			mallory.send(remark(fmt.Sprint(k), `<marti><dest uid="bob"/></marti>`))
		}
		time.Sleep(time.Minute)
		if got := n.w.e.Stats().Held; got != 501 {
			t.Errorf("%d events are held", got)
		}
		bob := n.enter("bob", false)
		bob.appears("Cyan")
		heard := bob.take()
		if len(heard) != 501 || heard[0] != "a" || heard[1] != "100" || heard[500] != "599" {
			t.Errorf("%d were held, from %q on", len(heard), heard[:2])
		}
	})
}
