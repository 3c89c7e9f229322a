package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// unit is one package of the graph.
type unit struct {
	path     string            // import path
	module   string            // path of its module; empty for the standard library
	imports  []string          // of its own files, tests excepted
	source   map[string]string // file name to text; none for the standard library
	standard bool
}

// load reads the packages of this module, and all they reach, as they are built for a system ("linux/amd64").
func load(t *testing.T, system string) []unit {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	look(t, root)
	goos, goarch, _ := strings.Cut(system, "/")
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,Imports,Standard,Module", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	var units []unit
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var listed struct {
			ImportPath, Dir  string
			GoFiles, Imports []string
			Standard         bool
			Module           *struct{ Path string }
		}
		if err := dec.Decode(&listed); errors.Is(err, io.EOF) {
			return units
		} else if err != nil {
			t.Fatal(err)
		}
		u := unit{path: listed.ImportPath, imports: listed.Imports, standard: listed.Standard, source: map[string]string{}}
		if listed.Module != nil {
			u.module = listed.Module.Path
		}
		for _, name := range listed.GoFiles {
			if u.standard {
				break
			}
			text, err := os.ReadFile(filepath.Join(listed.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			u.source[name] = string(text)
		}
		units = append(units, u)
	}
}

// look opens every folder of the module. go test takes a result from its cache when no file and folder that the test
// itself opened has changed; what go list opens for it does not count, and a new package would go unseen.
func look(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == ".git" {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
