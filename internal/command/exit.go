package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/keyfile"
	"github.com/ftsca/ftsca/internal/prompt"
)

// The exit codes.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitNo        = 3 // a check said no: expired, revoked, not trusted, stale
	exitCancelled = 130
)

// usageError is a fault of the command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// noError is the answer no of a check that has said all there is to say.
type noError struct{ reason string }

func (e *noError) Error() string { return e.reason }

// hintError carries what to do next.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

func hinted(err error, format string, args ...any) error {
	return &hintError{err: err, hint: fmt.Sprintf(format, args...)}
}

// report turns the outcome of a command into words on standard error and an exit code. Nothing else does.
func (g *global) report(err error) int {
	if err == nil {
		return exitDone
	}
	code := exitFailed
	var usage *usageError
	var no *noError
	var missing *prompt.MissingAnswerError
	switch {
	case errors.As(err, &no):
		g.talk("ftsca: %s", no.reason)
		return exitNo
	case errors.Is(err, prompt.ErrCancelled), errors.Is(err, context.Canceled):
		g.talk("ftsca: cancelled")
		return exitCancelled
	case errors.As(err, &usage), errors.As(err, &missing), !g.running:
		code = exitUsage
	}
	for i, line := range strings.Split(err.Error(), "\n") {
		if i == 0 {
			line = "ftsca: " + line
		}
		g.talk("%s", line)
	}
	if hint := hintFor(err); hint != "" {
		g.talk("hint: %s", hint)
	} else if code == exitUsage {
		g.talk("hint: ftsca help shows the commands, and --help after a command its flags")
	}
	return code
}

// hintFor says what to do about an error.
func hintFor(err error) string {
	var (
		given    *hintError
		noStore  *store.NoStoreError
		newer    *store.NewerFormatError
		exists   *store.ExistsError
		busy     *store.BusyError
		damaged  *store.DamagedError
		unknown  *store.UnknownError
		broken   *store.BrokenListError
		stuck    *store.StuckListError
		unready  *store.UnfinishedError
		unmoved  *store.UnmovedError
		inUse    *ca.NameInUseError
		clock    *ca.ClockError
		long     *ca.LongValidityError
		missing  *prompt.MissingAnswerError
		laxFile  *keyfile.ModeError
		pathFail *fs.PathError
	)
	switch {
	case errors.As(err, &given):
		return given.hint
	case errors.As(err, &noStore):
		return "ftsca init founds a store; --store or FTSCA_STORE names another folder"
	case errors.As(err, &newer):
		return "use the newer ftsca that wrote it"
	case errors.As(err, &exists) && exists.Store:
		return "a store is founded once; --store names another folder"
	case errors.As(err, &exists):
		return "give an empty folder, or one that does not exist yet, with --store"
	case errors.As(err, &busy):
		return "wait for it to end, or wait longer with --lock-wait; a process that was killed holds no lock"
	case errors.As(err, &damaged):
		return "restore the store from a backup; until then, ftsca revoke still revokes and ftsca serve still serves"
	case errors.As(err, &unknown):
		return "ftsca list shows every certificate; --serial takes a serial that the store does not know"
	case errors.As(err, &stuck):
		return "unmount or remove " + stuck.Path + ", then ftsca crl repair; into a container, mount the folder that it lies in and not the file"
	case errors.As(err, &broken):
		return "ftsca crl repair sets the file aside and makes the list anew from the last good one and all that can be read"
	case errors.As(err, &unready):
		return "mend that, then run any ftsca command that issues: it completes the files"
	case errors.As(err, &unmoved):
		return fmt.Sprintf("renew them first: ftsca list --still-on %q shows them; --force locks them out", unmoved.Authority)
	case errors.As(err, &inUse) && inUse.Reserved:
		return "try again when the other command has ended"
	case errors.As(err, &inUse):
		return "--new-generation issues the next certificate under the same name; the earlier ones stay valid until they are revoked"
	case errors.As(err, &clock):
		return "set the clock; --at gives the right time, --ignore-clock signs all the same, and the audit trail says so"
	case errors.As(err, &long):
		return "give fewer --days, or --force if no Apple device will connect"
	case errors.Is(err, ca.ErrExpired):
		return "found a new authority with ftsca init --store, and issue anew"
	case errors.Is(err, keyfile.ErrWrongPassphrase):
		return "the passphrase is the one given to ftsca init; in a file it is the first line"
	case errors.As(err, &missing):
		return "there is no terminal to ask on: give " + missing.Flag
	case errors.As(err, &laxFile):
		return "think about who may have read " + laxFile.Path + " before you close it: a key that others know is theirs too"
	case errors.Is(err, fs.ErrPermission) && errors.As(err, &pathFail):
		return "run ftsca as the owner of " + pathFail.Path + ", or give that account access"
	}
	return ""
}
