package command

import (
	"errors"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

// warn says on standard error what is amiss with the store's revocation list.
func (g *global) warn(standing store.Standing) {
	var broken *store.BrokenListError
	if errors.As(standing.Broken, &broken) {
		g.talk("warning: %v", broken)
		g.talk("hint: %s", hintFor(broken))
	}
	g.warnVanished(standing.Vanished)
	if n := len(standing.Unsigned); n > 0 {
		g.talk("note: the X.509 list for other servers lacks %s: ftsca crl sign, where the authority is", plural(n, "revocation", "revocations"))
	}
}

// warnVanished tells of entries that another hand took out of the list and that stay in force.
func (g *global) warnVanished(vanished []crl.Entry) {
	if len(vanished) == 0 {
		return
	}
	g.talk("warning: %s taken out of FTS_CRL.json by another hand and %s in force:",
		plural(len(vanished), "revocation was", "revocations were"), stays(len(vanished)))
	for i, e := range vanished {
		if i == 10 {
			g.talk("warning:   and %d more", len(vanished)-i)
			break
		}
		g.talk("warning:   %s, revoked %s", e.Serial, e.Date.UTC().Format("2006-01-02"))
	}
	g.talk("hint: ftsca crl repair puts them back into the file")
}

func stays(n int) string {
	if n == 1 {
		return "stays"
	}
	return "stay"
}
