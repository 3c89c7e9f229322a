package main_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ftsca/ftsca/internal/command"
	"github.com/ftsca/ftsca/internal/testpki"
)

// TestMain lets the scripts run ftsca itself: the real command tree, in processes of its own, with a clock that a
// script may set, a date of build that it may set, and few rounds of key derivation. Where the tests run as root, as in a
// container, serve is allowed to, unless a script sets FTSCA_TEST_NO_ROOT.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ftsca": func() {
			env := command.System()
			env.KeyRounds, env.BundleRounds = 1000, 100
			if now := testTime("FTSCA_TEST_NOW"); !now.IsZero() {
				env.Now = func() time.Time { return now }
			}
			if built := testTime("FTSCA_TEST_BUILT"); !built.IsZero() {
				env.Built = built
			}
			args := os.Args[1:]
			if len(args) > 0 && args[0] == "serve" && os.Geteuid() == 0 && os.Getenv("FTSCA_TEST_NO_ROOT") == "" {
				args = append(args, "--allow-root")
			}
			os.Exit(command.Main(args, env))
		},
	})
}

// testTime reads a time that a script has set; the zero time means none.
func testTime(name string) time.Time {
	text := os.Getenv(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("USER", "operator")
			e.Setenv("FTSCA_INTEROP", os.Getenv("FTSCA_INTEROP"))
			e.Values[worldKey{}] = newWorld(e)
			e.Defer(e.Values[worldKey{}].(*world).close)
			return nil
		},
		Condition: func(condition string) (bool, error) {
			if name, ok := strings.CutPrefix(condition, "has:"); ok {
				return testpki.Has(name)
			}
			switch condition {
			case "traces":
				return testpki.Runs("strace", append(slices.Clone(tracing), os.DevNull, "true")...)
			case "mounts":
				return testpki.Runs("unshare", "-rm", "mount", "--bind", os.TempDir(), os.TempDir())
			case "landlock":
				return hasLandlock()
			case "root":
				return counted(os.Getuid() == 0, "root, whom serve refuses")
			case "terminal":
				return counted(runtime.GOOS == "linux", "a terminal of Linux")
			case "filelimit":
				return counted(runtime.GOOS != "windows", "a limit on file sizes, which stands in for the full disk")
			}
			return false, fmt.Errorf("there is no condition %q", condition)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":    cmdServe,
			"servein":  cmdServeIn,
			"goesover": cmdGoesOver,
			"halt":     cmdHalt,
			"hangup":   cmdHangup,
			"device":   cmdDevice,
			"sends":    cmdSends,
			"hears":    cmdHears,
			"admits":   cmdAdmits,
			"cut":      cmdCut,
			"fetch":    cmdFetch,
			"mode":     cmdMode,
			"glob":     cmdGlob,
			"unzip":    cmdUnzip,
			"damage":   cmdDamage,
			"lineof":   cmdLineOf,
			"nofiles":  cmdNoFiles,
			"cpdir":    cmdCopyDir,
			"logs":     cmdLogs,
			"offline":  cmdOffline,
			"page":     cmdPage,
		},
	})
}

// counted is a condition that is counted like a test's where it is false.
func counted(has bool, what string) (bool, error) {
	if has {
		return true, nil
	}
	return false, testpki.Count(what)
}

// A script that says "stop" passes without what follows: testscript's own command of that name wins over any of ours.
func TestNoScriptStopsBeforeItsEnd(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	stop := regexp.MustCompile(`(?m)^(\[[^]]*\] *)*stop\b.*$`)
	for _, name := range scripts {
		script, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if line := stop.Find(script.Comment); line != nil {
			t.Errorf("%s ends at %q: the endpoint is ended by halt", name, line)
		}
	}
}

// cmdMode checks a file's permission bits: mode 600 FILE.
func cmdMode(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: mode OCTAL FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	want, got := args[0], strings.TrimLeft(info.Mode().Perm().String(), "-d")
	if octal := octalOf(info.Mode()); octal != want {
		ts.Fatalf("%s has mode %s (%s), want %s", args[1], octal, got, want)
	}
}

func octalOf(m fs.FileMode) string {
	const digits = "01234567"
	p := m.Perm()
	return string([]byte{digits[p>>6&7], digits[p>>3&7], digits[p&7]})
}

// cmdGlob sets a variable to the one file that a pattern matches: glob NAME PATTERN.
func cmdGlob(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: glob VARIABLE PATTERN")
	}
	found, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	if len(found) != 1 {
		ts.Fatalf("%s matches %d files: %v", args[1], len(found), found)
	}
	ts.Setenv(args[0], found[0])
}

// cmdNoFiles checks that no file below a folder matches a pattern by its name: nofiles FOLDER PATTERN.
func cmdNoFiles(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: nofiles FOLDER PATTERN")
	}
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ok, _ := filepath.Match(args[1], d.Name()); ok {
			return errors.New("there is " + path)
		}
		return nil
	}))
}

// cmdCopyDir carries a folder to another place, as a person with a stick does: cpdir FROM TO.
func cmdCopyDir(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: cpdir FROM TO")
	}
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), os.DirFS(ts.MkAbs(args[0]))))
}

// cmdUnzip extracts a zip with a program that is not ours: unzip FILE FOLDER.
func cmdUnzip(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: unzip FILE FOLDER")
	}
	python, err := exec.LookPath("python3")
	ts.Check(err)
	ts.Check(ts.Exec(python, "-m", "zipfile", "-e", ts.MkAbs(args[0]), ts.MkAbs(args[1])))
}

// cmdDamage overwrites a file: damage FILE. With two more words in hex, it puts the second in the place of the first,
// which must be there once, and leaves the rest: damage FILE OLD NEW.
func cmdDamage(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 && len(args) != 3 || neg {
		ts.Fatalf("usage: damage FILE [OLD NEW]")
	}
	name := ts.MkAbs(args[0])
	data, err := os.ReadFile(name)
	ts.Check(err)
	if len(args) == 3 {
		old, err := hex.DecodeString(args[1])
		ts.Check(err)
		with, err := hex.DecodeString(args[2])
		ts.Check(err)
		if n := bytes.Count(data, old); n != 1 {
			ts.Fatalf("%s has %s %d times", args[0], args[1], n)
		}
		data = bytes.Replace(data, old, with, 1)
	} else {
		for i := range data {
			data[i] ^= 0x5a
		}
	}
	ts.Check(os.WriteFile(name, data, 0o600))
}

// cmdLineOf sets a variable to what follows a word on its line of a file: lineof NAME WORD FILE.
func cmdLineOf(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 || neg {
		ts.Fatalf("usage: lineof VARIABLE WORD FILE")
	}
	for line := range strings.Lines(ts.ReadFile(args[2])) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == args[1] {
			ts.Setenv(args[0], strings.Join(fields[1:], " "))
			return
		}
	}
	ts.Fatalf("%s has no line that begins with %q", args[2], args[1])
}
