package endpoint_test

import (
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/endpoint"
	"github.com/ftsca/ftsca/internal/testpki"
)

// A phone that changes from one network to another leaves a connection behind that nobody has closed.
func TestDeviceThatComesAnewReplacesItsOlderSessionSilently(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		bob, old := n.enter("bob", false), n.enter("alice", true)
		old.appears("Cyan")
		tablet := n.enter("alice", false) // the same name with another device is nobody's older session
		tablet.says(position("tablet", 1))
		n.settle()
		again := n.enter("alice", false)
		again.take()
		again.appears("Cyan")
		bob.hears("alice")
		if !old.gone() || tablet.gone() || again.gone() {
			t.Errorf("gone are: the older session %v, the tablet's %v, the new one %v", old.gone(), tablet.gone(), again.gone())
		}
		s := n.w.e.Stats()
		if s.Sessions != 3 || s.Ended[endpoint.Replaced] != 1 {
			t.Errorf("the counters say %+v", s)
		}
		bob.says(remark("1", `<marti><dest uid="alice"/></marti>`))
		again.hears("1")
		tablet.take()
		again.conn.Close()
		bob.hears("-alice")
	})
}

func TestOneSessionTooManyOfACertificateTakesThePlaceOfTheMostSilent(t *testing.T) {
	inNet(t, endpoint.Config{MaxSessionsPerCert: 3}, func(n *gathering) {
		cert := n.w.ca.Client(n.t, "alice")
		n.connect = shared(n, cert)
		var all []*person
		for range 3 {
			all = append(all, n.enter("alice", false))
			time.Sleep(time.Second)
		}
		all[0].says(ping)
		all[2].says(ping)
		fourth := n.enter("alice", false)
		if !all[1].gone() || all[0].gone() || all[2].gone() || fourth.gone() {
			t.Error("another one has gone than the most silent")
		}
		if s := n.w.e.Stats(); s.Sessions != 3 || s.Ended[endpoint.Replaced] != 1 {
			t.Errorf("the counters say %+v", s)
		}
		n.connect = shared(n, n.w.ca.Client(n.t, "alice"))
		if other := n.enter("alice", false); other.gone() || fourth.gone() {
			t.Error("another certificate of the name counts for itself")
		}
	})
}

// A gateway speaks for two hundred without an endpoint of theirs: none of them is bound, each is heard, and whoever is
// written to is reached by way of the gateway.
func TestGatewayWithTwoHundredDevices(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		bob, gateway := n.enter("bob", false), n.enter("gateway", true)
		var uids []string
		for k := range 200 {
			uid := fmt.Sprintf("radio-%d", k)
			uids = append(uids, uid)
			gateway.says(repeated(uid, k, time.Now().Add(time.Hour)))
		}
		bob.hears(uids...)
		n.enter("carol", false).hears(uids...)
		bob.says(talk("1", "R", "radio-7", "RootContactGroup", "radio-7"))
		gateway.hears("1")
		if s := n.w.e.Stats(); s.Bound != 0 || s.Items != 200 || s.Dropped[endpoint.Impostor] != 0 {
			t.Errorf("the counters say %+v", s)
		}
	})
}

func TestNobodySaysOfAnotherThatItIsGone(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, mallory, bob := n.enter("alice", false), n.enter("mallory", false), n.enter("bob", true)
		alice.appears("Cyan")
		n.settle()
		mallory.says(deleted("alice"), deleted("nothing"))
		bob.hears("-nothing")
		if got := n.w.e.Stats().Dropped[endpoint.Impostor]; got != 1 {
			t.Errorf("%d were counted", got)
		}
		n.enter("carol", false).hears("alice")
	})
}

// A name is revoked, and given to somebody else, whose device has another uid. The old device's uid is free.
func TestNameThatIsRevokedAndIssuedAnewToSomebodyElse(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		bob, old := n.enter("bob", false), n.enter("alice", false)
		old.says(position("old-phone", 1))
		n.settle()
		n.w.revoke(old.cert)
		bob.hears("-old-phone")
		somebodyElse := n.enter("alice", false)
		somebodyElse.says(position("new-phone", 1))
		bob.hears("new-phone")
		carol := n.enter("carol", false) // has the old phone now
		carol.take()
		carol.says(position("old-phone", 2))
		bob.hears("old-phone")
		if got := n.w.e.Stats().Bound; got != 2 {
			t.Errorf("%d uids are bound", got)
		}
	})
}

// shared connects everybody with one certificate.
func shared(n *gathering, cert tls.Certificate) func(string, ...testpki.Option) *client {
	return func(string, ...testpki.Option) *client { return n.w.admit(cert) }
}
