package command

import (
	"errors"
	"os"

	"github.com/ftsca/ftsca/ca/store"
)

// refuseRoot says why serve does not run as root, where it would: nothing that it does needs more than the endpoint room,
// and whoever got the better of it would have the whole machine.
func (o *serveOptions) refuseRoot(s *store.Store) error {
	if o.allowRoot || os.Geteuid() != 0 {
		return nil
	}
	err := errors.New("serve does not run as root, which it needs for nothing")
	if name := ownerOf(s.Endpoint()); name != "" {
		return hinted(err, "the endpoint room belongs to %[1]s: sudo -u %[1]s ftsca serve --store %[2]s; --allow-root serves as root all the same", name, s.Dir())
	}
	return hinted(err, "give the endpoint room an account of its own: useradd --system ftsca; chown -R ftsca: %[1]s; "+
		"sudo -u ftsca ftsca serve --store %[2]s; --allow-root serves as root all the same", s.Endpoint(), s.Dir())
}
