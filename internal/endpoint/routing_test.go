package endpoint_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/internal/endpoint"
)

// meet tells by the rule, and not by the endpoint, whether two share a group.
func meet(a, b *person) bool {
	if len(a.groups) == 0 || len(b.groups) == 0 {
		return len(a.groups) == len(b.groups)
	}
	return slices.ContainsFunc(a.groups, func(g string) bool { return slices.Contains(b.groups, g) })
}

func belongs(p *person, group string) bool {
	return slices.Contains(p.groups, group) || len(p.groups) == 0 && group == endpoint.Anonymous
}

// Everybody sends to every kind of destination, in both encodings, and exactly those hear it who are meant and share a
// group with the sender.
func TestWhoHearsWhom(t *testing.T) {
	inNet(t, endpoint.Config{Hold: -1}, func(n *gathering) {
		teams := []string{"Cyan", "Dark Blue"}
		for i, groups := range [][]string{nil, {"blue"}, {"red"}, {"red", "blue"}} {
			for _, framed := range []bool{false, true} {
				p := n.enter(fmt.Sprintf("p%d-%v", i, framed), framed, groups...)
				p.appears(teams[i%2])
			}
		}
		team := func(p *person) string { return teams[(p.name[1]-'0')%2] }
		n.settle()

		k := 0
		check := func(from *person, event func(uid string) string, what string, meant func(to *person) bool) {
			k++
			uid := fmt.Sprintf("e%d", k)
			from.says(event(uid))
			for _, to := range n.all {
				var want []string
				if to != from && meet(from, to) && meant(to) {
					want = []string{uid}
				}
				if heard := to.take(); !slices.Equal(heard, want) {
					t.Errorf("%s: from %s to %s: heard %q, want %q", what, from.name, to.name, heard, want)
				}
			}
		}
		for _, from := range n.all {
			with := func(details string) func(string) string {
				return func(uid string) string { return remark(uid, details) }
			}
			everybody := func(*person) bool { return true }
			check(from, with(""), "to everybody", everybody)
			check(from, with("<marti/>"), "to everybody, with an empty marti", everybody)
			check(from, func(uid string) string {
				return talk(uid, "All Chat Rooms", "All Chat Rooms", "RootContactGroup", "All Chat Rooms")
			}, "to all chat rooms", everybody)
			for _, group := range []string{"blue", "red", endpoint.Anonymous, "nobody's"} {
				check(from, with(`<marti><dest group="`+group+`"/></marti>`), "to "+group, func(to *person) bool {
					return belongs(from, group) && belongs(to, group)
				})
			}
			for _, name := range teams {
				check(from, func(uid string) string { return talk(uid, name, name, "TeamGroups", name) }, "to team "+name, func(to *person) bool {
					return team(to) == name
				})
			}
			for _, one := range n.all {
				only := func(to *person) bool { return to == one }
				check(from, with(`<marti><dest uid="`+one.name+`"/></marti>`), "to uid "+one.name, only)
				check(from, func(uid string) string { return talk(uid, "X", one.name, "RootContactGroup", one.name) }, "chat to "+one.name, only)
				callsign := callsignOf(one.name)
				check(from, with(`<marti><dest callsign="`+callsign+`"/><dest callsign="`+callsign+`"/></marti>`), "to "+callsign, only)
			}
			first, last := n.all[0], n.all[len(n.all)-1]
			check(from, with(`<marti><dest uid="`+first.name+`"/><dest callsign="`+callsignOf(last.name)+`"/><dest uid="stranger"/></marti>`), "to two", func(to *person) bool {
				return to == first || to == last
			})
			check(from, func(uid string) string {
				return talk(uid, "Rope", "a-room", "UserGroups", first.name, last.name)
			}, "to a room of two", func(to *person) bool { return to == first || to == last })
		}
	})
}

// Some clients name a team and no parent.
func TestEveryTeamIsARoom(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice := n.enter("alice", false)
		for _, team := range datapackage.Teams() {
			n.enter("in "+team, false).appears(team)
		}
		n.settle()
		for i, team := range datapackage.Teams() {
			alice.says(talk("e", team, team, "RootContactGroup"))
			for k, p := range n.all[1:] {
				var want []string
				if i == k {
					want = []string{"e"}
				}
				if heard := p.take(); !slices.Equal(heard, want) {
					t.Errorf("to team %s: who is %s heard %q", team, p.name, heard)
				}
			}
		}
	})
}

func TestEventForAMissionIsRefusedAndTold(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, bob, carol := n.enter("alice", false), n.enter("bob", true), n.enter("carol", false)
		alice.appears("Cyan")
		bob.appears("Cyan")
		n.settle()
		alice.says(remark("m1", `<marti><dest mission="search"/></marti>`), remark("m2", `<marti><dest mission="search"/><dest uid="bob"/></marti>`))
		bob.says(remark("m3", `<marti><dest mission="search"/></marti>`))
		bob.hears("m2")
		carol.hears()
		alice.hears()
		if got := n.w.e.Stats().Dropped[endpoint.Mission]; got != 3 {
			t.Errorf("%d were counted", got)
		}
		if lines := n.w.log.lines(t, "event for a mission, of which this endpoint has none"); len(lines) != 2 || lines[0]["mission"] != "search" {
			t.Errorf("the log says %v", lines)
		}
	})
}

// What stands together in one read is heard in turn, whoever each part is for.
func TestOrderIsKeptAcrossDestinations(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice, bob, carol := n.enter("alice", false), n.enter("bob", false), n.enter("carol", true)
		bob.appears("Cyan")
		n.settle()
		alice.says(remark("1", "") + remark("2", `<marti><dest uid="bob"/></marti>`) + remark("3", "") + remark("4", ""))
		if got := bob.take(); !slices.Equal(got, []string{"1", "2", "3", "4"}) {
			t.Errorf("bob heard %q", got)
		}
		if got := carol.take(); !slices.Equal(got, []string{"1", "3", "4"}) {
			t.Errorf("carol heard %q", got)
		}
	})
}

func TestTwoWithOneCallsignAreBothMeantAndTold(t *testing.T) {
	inNet(t, endpoint.Config{}, func(n *gathering) {
		alice := n.enter("alice", false)
		for _, name := range []string{"bob", "bert"} {
			p := n.enter(name, false)
			p.says(noted(name, "a-f-G", time.Hour, `<contact callsign="BEE" endpoint="*:-1:stcp"/>`))
		}
		n.settle()
		alice.says(remark("1", `<marti><dest callsign="BEE"/></marti>`))
		n.all[1].hears("1")
		n.all[2].hears("1")
		if line := n.w.log.wait(t, "callsign of another name"); line["name"] != "bert" || line["other"] != "bob" {
			t.Errorf("the log says %v", line)
		}
	})
}
