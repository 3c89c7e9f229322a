package command

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"
)

// clockFlags are for machines whose clock is wrong, and for ceremonies that bear one time.
type clockFlags struct {
	at     string
	ignore bool
	remark string // what the audit trail shall say of a time that was set by hand
}

// bindClock binds --at and --ignore-clock to a command that signs.
func (g *global) bindClock(flags *pflag.FlagSet) {
	flags.StringVar(&g.clock.at, "at", "", "sign as if it were this `time` (RFC 3339), which the audit trail records")
	flags.BoolVar(&g.clock.ignore, "ignore-clock", false, "sign although the clock cannot be right, which the audit trail records")
}

// setClock makes the time that --at gives the time of the whole command. It goes on from there.
func (g *global) setClock() error {
	if g.clock.at == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, g.clock.at)
	if err != nil {
		return usagef("--at %q is no time of the form 2006-01-02T15:04:05Z", g.clock.at)
	}
	start, machine := time.Now(), g.env.Now()
	// The ledger's time only rises: one slip in the year would stop every later signing, and date its lists in the future.
	if ahead := at.Sub(machine); ahead > day && !g.clock.ignore && !machine.Before(g.env.Built) && !g.env.Built.IsZero() {
		return hinted(usagef("--at %s lies %d days after this machine's clock, which looks right", stamp(at), int(ahead/day)),
			"give the right time, or --ignore-clock with it if the machine's clock is wrong")
	}
	g.env.Now = func() time.Time { return at.Add(time.Since(start)) }
	g.clock.remark = fmt.Sprintf("at the time given by hand, %s; the machine's clock showed %s", stamp(at), stamp(machine))
	return nil
}
