package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/control"
)

// ask puts a request to the ftsca serve that runs on the store.
func (g *global) ask(ctx context.Context, verb string, arguments, result any) error {
	s, err := store.Open(g.folder(), g.options())
	if err != nil {
		return err
	}
	defer s.Close()
	return explainCall(control.Call(ctx, socketOf(s), verb, arguments, result), s.Endpoint())
}

// explainCall says what to do where the running serve did not answer.
func explainCall(err error, room string) error {
	var refused *control.Error
	switch {
	case errors.Is(err, control.ErrNotServing):
		return hinted(fmt.Errorf("no ftsca serve runs on this store (%s)", room),
			"ftsca serve starts it, and warns where it has no status socket; --store or FTSCA_STORE names another store")
	case errors.Is(err, errors.ErrUnsupported):
		return hinted(errors.New("a running ftsca serve cannot be asked on this system"), "ftsca serve --metrics 9089 shows what it does")
	case errors.Is(err, fs.ErrPermission):
		return hinted(err, "run it as the account that serves, or as root: nobody else may ask")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return hinted(err, "it hangs, or is stopped: look into its log, and start it again")
	case errors.As(err, &refused) && (refused.Code == control.BadVersion || refused.Code == control.UnknownVerb):
		return hinted(err, "the ftsca that serves is another version than this one: start it again with the newer one")
	}
	return err
}
